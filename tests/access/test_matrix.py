"""The table of who may do what, generated: every route × everybody, by cookie and by token, × every target.

Whoever the table allows gets through: what comes back is a success or an answer about the state of things. Everybody
else is refused with the status that fits, a stranger's "not found" is byte for byte that of what does not exist, and
nothing has changed.
"""

from __future__ import annotations

import os
import re
from collections import Counter

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from creator_hub.app import ROOM_MODULES
from creator_hub.core.edge import ROUTES, Route
from tests.access.cases import ROUTES as CASES
from tests.access.matrix import Cell, address, cells, expected, key_of
from tests.access.rehearsal import Rehearsal, rehearsing
from tests.access.town import Town

# Every cell twice, by cookie and by token, in `make faults`; here they take turns.
EVERY = os.environ.get("HUB_EVERY_CELL") == "1"
ROOMS = sorted({module.split(".")[1] for module in ROOM_MODULES})
REFUSALS = {401, 403, 404}
ABOUT_THE_STATE = {400, 402, 409, 410, 422}
# What differs between any two answers, whatever they say: the request's id, the time, the token of the next form.
OF_THE_MOMENT = re.compile(
    rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{64}|\d{4}-\d\d-\d\dT[\d:.]+[+\d:]*"
)


def ask(client: FlaskClient, route: Route, cell: Cell, town: Town) -> TestResponse:
    person = town.people[cell.person]
    ids = town.ids(person, cell.target)
    body = cell.case.body(ids) if cell.case.body else None
    return client.open(address(route, ids), method=route.method, json=body, headers=person.headers(cell.credential))


def judged(cell: Cell, town: Town, answer: TestResponse, rehearsal: Rehearsal) -> str | None:
    """What is wrong with this answer, if anything."""
    wanted, status = expected(cell, town), answer.status_code
    if wanted == 200:
        fine = status < 400 or status in ABOUT_THE_STATE or (cell.target == "gone" and status == 404)
        return None if fine else f"{cell}: is allowed and got {status}"
    if cell.target == "gone" and status in REFUSALS:
        wanted = status  # an archived channel may be closed even to those who could see that it was there
    if status != wanted:
        return f"{cell}: expected {wanted}, got {status}"
    if rehearsal.changed():
        return f"{cell}: was refused and changed something: {rehearsal.statements}"
    return None


def faceless(answer: TestResponse) -> tuple[bytes, dict[str, str]]:
    """An answer without what makes any two different."""
    headers = {name: value for name, value in answer.headers if name not in ("X-Request-Id", "Set-Cookie")}
    return OF_THE_MOMENT.sub(b"", answer.get_data()), headers


def routes_of(room: str) -> list[Route]:
    return [route for route in ROUTES if route.view.__module__.split(".")[1] == room]


def test_every_route_has_its_line_in_the_cases() -> None:
    declared = {key_of(route) for route in ROUTES}
    assert declared - CASES.keys() == set(), "add a line to tests/access/cases.py"
    assert CASES.keys() - declared == set()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("room", ROOMS)
def test_the_table_holds(room: str, app: Flask, town: Town, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = app.test_client(use_cookies=False)
    rates = redis.Redis.from_url(redis_url)
    wrong: list[str] = []
    succeeded: Counter[str] = Counter()
    with rehearsing(monkeypatch) as rehearsal:
        for route in routes_of(room):
            nothing: dict[str, tuple[bytes, dict[str, str]]] = {}
            for cell in cells(route, every=EVERY):
                rates.flushdb()
                with rehearsal.played():
                    answer = ask(client, route, cell, town)
                    problem = judged(cell, town, answer, rehearsal)
                if problem:
                    wrong.append(problem)
                if answer.status_code == 404 and nothing.setdefault(cell.person, faceless(answer)) != faceless(answer):
                    wrong.append(
                        f"{cell}: tells more than what does not exist: {faceless(answer)}, {nothing[cell.person]}"
                    )
                if "no-store" not in answer.headers["Cache-Control"]:
                    wrong.append(f"{cell}: may be kept by a cache")
                if answer.status_code < 400:
                    succeeded[key_of(route)] += 1
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong)
    never = [route for route in map(key_of, routes_of(room)) if not succeeded[route] and not CASES[route].shown_in]
    assert never == [], "these requests work for nobody: mend their lines in tests/access/cases.py"
