"""A reader that does not read: bounded, cut off, and nobody else notices."""

from __future__ import annotations

import contextlib

import pytest

from tests.live.conftest import Echo
from tests.support.hub import eventually
from tests.support.wire import Wire

SMALL = 4096


def in_room(echo: Echo, room: str, *, buffer: int = 0) -> Wire:
    wire = Wire(echo.port, buffer=buffer)
    wire.join()
    wire.emit("join", room, number=1)
    assert wire.ack(1) == ["in"]
    return wire


def to_the_end(wire: Wire) -> list[int]:
    heard = []
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            heard.append(wire.event()[1])
    return heard


@pytest.mark.parametrize("echo", ["fast"], indirect=True)
@pytest.mark.parametrize(("count", "size"), [(50, 200), (5, 40_000)], ids=["many small events", "few big events"])
def test_whoever_lets_too_much_pile_up_is_cut_off_and_the_others_hear_all(echo: Echo, count: int, size: int) -> None:
    """Ana reads each round before the next begins; the stalled one never does."""
    with in_room(echo, "flood", buffer=SMALL) as stalled, in_room(echo, "flood") as ana, in_room(echo, "else") as bo:
        rounds = 0
        while echo.state()["here"] == 3:
            rounds += 1
            assert rounds < 200, "the stalled reader was never cut off"
            bo.emit("flood", "flood", count, size)
            assert [ana.event()[1] for _ in range(count)] == list(range(count))
        assert echo.state()["gone"][-1] == "transport error"
        heard = to_the_end(stalled)
        assert heard == [n % count for n in range(len(heard))], "what it was given before had no gap"
        assert len(heard) < rounds * count
    eventually(lambda: echo.state()["here"] == 0, "all are gone")


@pytest.mark.parametrize("echo", ["fast"], indirect=True)
def test_a_reader_that_pauses_within_the_bound_misses_nothing(echo: Echo) -> None:
    """More than the kernel's buffers hold, less than the bound: it waits in the backlog, acknowledgements in order."""
    with in_room(echo, "pause", buffer=SMALL) as slow, in_room(echo, "else") as bo:
        bo.emit("flood", "pause", 12, 60_000)
        eventually(lambda: echo.state()["waiting"] > 0, "a backlog")
        slow.emit("echo", "after", number=9)
        assert [slow.event()[1] for _ in range(12)] == list(range(12))
        assert slow.ack(9) == ["after"]


@pytest.mark.parametrize("echo", ["fast"], indirect=True)
def test_a_goodbye_waits_behind_what_is_still_to_be_written(echo: Echo) -> None:
    with in_room(echo, "goodbye", buffer=SMALL) as slow, in_room(echo, "else") as bo:
        bo.emit("flood", "goodbye", 12, 60_000)
        eventually(lambda: echo.state()["waiting"] > 0, "a backlog")
        slow.send("4x")
        assert [slow.event()[1] for _ in range(12)] == list(range(12))
        assert slow.closed() == 1002
    eventually(lambda: echo.state()["here"] == 0, "all are gone")


@pytest.mark.parametrize("echo", ["fast"], indirect=True)
def test_one_who_sends_without_end_is_not_read_from_faster_than_it_is_answered(echo: Echo) -> None:
    with in_room(echo, "eager") as eager, in_room(echo, "else") as bo:
        eager.socket.settimeout(60)
        for number in range(1_000):
            eager.emit("echo", number, number=number)
        bo.emit("echo", "served", number=1)
        assert bo.ack(1) == ["served"]
        for number in range(1_000):
            assert eager.ack(number) == [number]
