"""Rates hold for whom they are meant, with Redis and without, and never inside a transaction."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from creator_hub.core import limits
from creator_hub.core.db import unit_of_work
from creator_hub.core.errors import SlowDown
from creator_hub.embedded.engine import free_port


@pytest.fixture(autouse=True)
def own_memory() -> Iterator[None]:
    limits.configure("")
    yield
    limits.configure("")


def used_up(*key: str) -> bool:
    try:
        limits.hit("2/minute", *key)
    except SlowDown:
        return True
    return False


def test_the_third_of_two_a_minute_must_wait() -> None:
    with time_machine.travel("2026-11-25T08:00:01+00:00", tick=False):
        assert [used_up("x", "ana") for _ in range(3)] == [False, False, True]
        assert not used_up("x", "bo")
        with pytest.raises(SlowDown) as refused:
            limits.hit("2/minute", "x", "ana")
    assert 0 < (refused.value.retry_after or 0) <= 61


def test_without_redis_each_process_counts_alone_and_does_not_ask_again_at_once(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    limits.configure(f"redis://127.0.0.1:{free_port()}/0")
    with time_machine.travel("2026-11-25T08:00:01+00:00", tick=False):
        assert [used_up("x", "ana") for _ in range(3)] == [False, False, True]
    told = caplog.text + "".join(capfd.readouterr())
    assert told.count("limits_without_redis") == 1


def test_a_limit_is_not_counted_inside_a_transaction(database: str) -> None:
    with unit_of_work(), pytest.raises(RuntimeError, match="no network"):
        limits.hit("2/minute", "x")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.1", "203.0.113.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.1", "203.0.113.1", True),
        ("", None, True),
    ],
)
def test_an_ipv6_network_counts_as_one_address(one: str, other: str | None, same: bool) -> None:
    assert (limits.address_key(one) == limits.address_key(other)) is same
