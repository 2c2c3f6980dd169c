"""Every route, socket event and job says what permission it needs; the table speaks of every permission."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import pytest
from flask import Flask

import workers.bindings  # noqa: F401 - fills JOBS
from creator_hub.core.access import ALLOWED, PLATFORM_WIDE, Permission, Principal
from creator_hub.core.edge import JOBS, ROUTES, SOCKET_EVENTS, Route
from tests.support.client import Browser

OPEN_TO_ALL = {
    Permission.SEE_PUBLIC,
    Permission.SIGN_UP,
    Permission.SESSION,
    Permission.OPERATE,
    Permission.RECEIVE_WEBHOOK,
}
# Flask's own rules that are no declared routes: probes, and what the socket server adds.
PROBES = {"/healthz", "/readyz", "/metrics"}


def test_the_table_allows_every_permission_to_somebody() -> None:
    assert ALLOWED.keys() == set(Permission)
    assert all(ALLOWED.values())


def test_nobody_suspended_and_no_stranger_holds_a_group_permission() -> None:
    for permission in set(Permission) - PLATFORM_WIDE - {Permission.JOIN}:
        assert Principal.SUSPENDED not in ALLOWED[permission], permission
        assert Principal.ANONYMOUS not in ALLOWED[permission], permission
        assert Principal.BANNED not in ALLOWED[permission], permission


def test_every_flask_rule_is_a_declared_route(app: Flask) -> None:
    declared = {route.path for route in ROUTES} | PROBES
    assert {rule.rule for rule in app.url_map.iter_rules()} == declared


def test_every_socket_event_and_job_declares_a_permission(app: Flask) -> None:
    assert {event.permission for event in SOCKET_EVENTS.values()} <= set(Permission)
    assert len(SOCKET_EVENTS) >= 6
    assert all(job.permission is Permission.WORK for job in JOBS.values())
    assert JOBS


def routes_that_need_rights() -> list[Route]:
    return [route for route in ROUTES if route.permission not in OPEN_TO_ALL]


def address(route: Route) -> str:
    """The route's path with ids that exist nowhere and Mei's handle."""
    path = re.sub(r"<uuid:\w+>", str(uuid.uuid4()), route.path)
    return re.sub(r"<\w+>", "mei", re.sub(r"<int:\w+>", "1", path))


def test_the_anonymous_are_asked_to_sign_in_before_anything_is_looked_up(
    app: Flask, browser: Callable[[], Browser]
) -> None:
    mei = browser()
    mei.sign_up("mei")
    mei.post("/groups", {"handle": "mei", "name": "Mei", "about": "", "currency": "USD"})
    nobody = browser()
    nobody.get("/session")
    wrong = []
    for route in routes_that_need_rights():
        answer = nobody.ask(route.method, address(route))
        if answer.status_code not in (401, 415, 422):
            wrong.append((route.method, route.path, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("who", ["finance", "admin", "support"])
def test_staff_duties_open_no_groups_private_talk(app: Flask, browser: Callable[[], Browser], who: str) -> None:
    mei = browser()
    mei.sign_up("mei")
    mei.post("/groups", {"handle": "mei", "name": "Mei", "about": "", "currency": "USD"})
    channel = mei.get("/groups/mei/channels").json["items"][0]["id"]
    staff = browser()
    staff.sign_up_with_roles("fay", [who])
    assert staff.get(f"/channels/{channel}/messages").status_code == 404
    assert staff.get("/groups/mei/members").status_code in (403, 404)
