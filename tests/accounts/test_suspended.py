"""Whoever is suspended may leave, and nothing else."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from creator_hub.accounts.models import User
from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from tests.support.client import Browser

Open = Callable[[], Browser]


def suspended(browser: Open, handle: str) -> Browser:
    person = browser()
    user = person.sign_up(handle)
    with unit_of_work() as session:
        session.get_one(User, uuid.UUID(user["id"])).suspended_at = clock.now()
    return person


def test_the_suspended_sign_out(browser: Open) -> None:
    sam = suspended(browser, "sam")
    assert sam.get("/me").status_code == 403
    assert sam.delete("/session").status_code == 204
    assert sam.get("/session").json["user"] is None


def test_the_suspended_sign_in_to_end_their_subscriptions_and_do_no_more(browser: Open) -> None:
    suspended(browser, "sam")
    sam = browser()
    assert sam.sign_in("sam").status_code == 201
    assert sam.get("/me/subscriptions").json == {"items": [], "next": None}
    assert sam.post(f"/subscriptions/{uuid.uuid4()}/cancel").status_code == 404
    refused = [
        sam.post("/groups", {"handle": "sam", "name": "Sam", "about": "", "currency": "USD"}),
        sam.patch("/me", {"display_name": "Sam again"}),
        sam.post("/me/tokens", {"name": "bot"}),
        sam.get("/me/payments"),
        sam.get("/users/sam"),
        sam.post("/session/proof", {"password": "x"}),
    ]
    assert [answer.status_code for answer in refused] == [403] * len(refused)
    assert "suspended" in refused[0].json["detail"]


def test_a_wrong_password_does_not_tell_who_is_suspended(browser: Open) -> None:
    suspended(browser, "sam")
    assert browser().sign_in("sam", "a guess").json["code"] == "no_match"
