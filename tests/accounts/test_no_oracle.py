"""Whether somebody has an account cannot be told: same status, same body but for the request id, same time."""

from __future__ import annotations

import math
import random
import secrets
import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from creator_hub.core import limits
from tests.support.client import PASSWORD, Browser

Open = Callable[[], Browser]
EACH = 25
# Test vector leakage assessment: |t| under 4.5 means the two cannot be told apart (ISO/IEC 17825).
SAME = 4.5


@pytest.fixture
def uncounted(app: Flask) -> None:
    """Rates would end the measurement: every round begins with fresh ones."""
    limits.configure("")


def welch(first: list[float], second: list[float]) -> float:
    spread = statistics.variance(first) / len(first) + statistics.variance(second) / len(second)
    return (statistics.mean(first) - statistics.mean(second)) / math.sqrt(spread)


def ranked(first: list[float], second: list[float]) -> tuple[list[float], list[float]]:
    """Places instead of seconds: what other processes on this machine did to a few of them does not matter then."""
    place = {moment: float(n) for n, moment in enumerate(sorted({*first, *second}))}
    return [place[moment] for moment in first], [place[moment] for moment in second]


def ask(person: Browser, method: str, path: str, body: dict[str, Any]) -> tuple[float, tuple[int, Any]]:
    before = time.perf_counter()
    answer = person.post(path, body) if method == "POST" else person.patch(path, body)
    spent = time.perf_counter() - before
    return spent, (answer.status_code, (answer.json or {}) | {"request_id": ""})


def assert_cannot_be_told_apart(
    person: Browser, method: str, path: str, bodies: dict[str, Callable[[int], Any]]
) -> None:
    seed = secrets.randbelow(2**32)
    times: dict[str, list[float]] = {kind: [] for kind in bodies}
    answers = set()
    rounds = [kind for kind in bodies for _ in range(EACH)]
    random.Random(seed).shuffle(rounds)  # noqa: S311 - an order, no secret
    for kind in bodies:
        ask(person, method, path, bodies[kind](-1))
    for number, kind in enumerate(rounds):
        limits.configure("")
        spent, answer = ask(person, method, path, bodies[kind](number))
        times[kind].append(spent)
        answers.add(repr(answer))
    assert len(answers) == 1, answers
    assert abs(welch(*ranked(*times.values()))) < SAME, f"seed {seed}: {times}"


def test_sign_in(browser: Open, uncounted: None) -> None:
    browser().sign_up("ana")
    assert_cannot_be_told_apart(
        browser(),
        "POST",
        "/session",
        {
            "known": lambda n: {"email": "ana@example.test", "password": f"a guess {n}"},
            "unknown": lambda n: {"email": f"nobody{n}@example.test", "password": f"a guess {n}"},
        },
    )


def test_password_reset(browser: Open, uncounted: None) -> None:
    browser().sign_up("ana")
    assert_cannot_be_told_apart(
        browser(),
        "POST",
        "/password-resets",
        {
            "known": lambda n: {"email": "ana@example.test"},
            "unknown": lambda n: {"email": f"nobody{n}@example.test"},
        },
    )


def test_changing_to_an_address(browser: Open, uncounted: None) -> None:
    browser().sign_up("bo")
    ana = browser()
    ana.sign_up("ana")
    assert_cannot_be_told_apart(
        ana,
        "PATCH",
        "/me",
        {
            "known": lambda n: {"email": "bo@example.test", "current_password": PASSWORD},
            "unknown": lambda n: {"email": f"nobody{n}@example.test", "current_password": PASSWORD},
        },
    )


def test_whether_an_address_is_taken_is_not_asked_often(browser: Open) -> None:
    def sign_up(number: int, address: str) -> int:
        body = {"email": "ana@example.test", "password": "x", "handle": f"ana{number}", "display_name": "A"}
        return (
            browser()
            .post("/users", body | {"password": PASSWORD}, environ_overrides={"REMOTE_ADDR": address})
            .status_code
        )

    statuses = [sign_up(number, f"203.0.113.{number}") for number in range(11)]
    assert statuses == [201] + [422] * 9 + [429]


def test_sign_ins_per_address_are_counted_over_all_accounts(browser: Open) -> None:
    guesser = browser()
    statuses = [
        guesser.post("/session", {"email": f"{n}@example.test", "password": "a guess"}).status_code for n in range(61)
    ]
    assert statuses == [400] * 60 + [429]
