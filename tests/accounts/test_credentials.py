"""What a credential may do, and which ones end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import ROUTES
from creator_hub.streams import ACCOUNT_LOG, read_after
from tests.support.client import API, PASSWORD, Browser

Open = Callable[[], Browser]
BY_SESSION = {
    ("POST", "/me/tokens"),
    ("GET", "/me/tokens"),
    ("DELETE", "/me/tokens/<uuid:token_id>"),
    ("GET", "/me/devices"),
    ("DELETE", "/me/devices"),
    ("DELETE", "/me/devices/<uuid:device_id>"),
    ("PUT", "/users/<uuid:user_id>/roles"),
    ("POST", "/session/proof"),
    ("POST", "/groups/<handle>/payout-account"),
    ("POST", "/finance/payout-runs/<uuid:run_id>/approve"),
}


def with_another_cookie(browser: Browser, secret: str | None) -> Browser:
    browser._client.set_cookie("hub_session", secret or "")
    return browser


def test_signing_in_again_ends_the_session_that_was_there(browser: Open) -> None:
    ana = browser()
    user = ana.sign_up("ana")
    before = ana.cookie("hub_session")
    assert ana.sign_in("ana").status_code == 201
    assert ana.cookie("hub_session") != before
    assert with_another_cookie(browser(), before).get("/me").status_code == 401
    assert len(ana.get("/me/devices").json["items"]) == 1
    with unit_of_work() as session:
        last = read_after(session, ACCOUNT_LOG, 0, 10)[-1]
    assert (last.kind, last.data["user_id"]) == ("session.ended", user["id"])


def test_signing_in_as_somebody_else_or_signing_up_ends_it_too(browser: Open) -> None:
    browser().sign_up("bo")
    ana = browser()
    ana.sign_up("ana")
    first = ana.cookie("hub_session")
    assert ana.sign_in("bo").status_code == 201
    second = ana.cookie("hub_session")
    ana.sign_up("chen")
    for dead in (first, second):
        assert with_another_cookie(browser(), dead).get("/me").status_code == 401
    assert ana.get("/me").json["handle"] == "chen"


def test_a_failed_sign_in_leaves_the_session_alone(browser: Open) -> None:
    ana = browser()
    ana.sign_up("ana")
    assert ana.sign_in("ana", "not-her-password").status_code == 400
    assert ana.get("/me").status_code == 200


@pytest.mark.parametrize("planted", ["planted-by-an-attacker", "A" * 43])
def test_a_cookie_planted_before_sign_in_is_never_the_session(browser: Open, planted: str) -> None:
    browser().sign_up("ana")
    victim, attacker = with_another_cookie(browser(), planted), with_another_cookie(browser(), planted)
    victim._client.set_cookie("hub_visit", planted)
    attacker._client.set_cookie("hub_visit", planted)
    assert victim.sign_in("ana").status_code == 201
    assert victim.cookie("hub_session") != planted
    assert attacker.get("/me").status_code == 401
    assert attacker.get("/session").json["csrf_token"] != victim.get("/session").json["csrf_token"]


def test_what_only_a_person_at_a_browser_may_do_is_named(app: Flask) -> None:
    assert {(route.method, route.rule) for route in ROUTES if route.by_session} >= BY_SESSION


def test_an_api_token_makes_no_token_changes_no_password_and_sees_no_device(app: Flask, browser: Open) -> None:
    ana = browser()
    ana.sign_up("ana")
    made = ana.post("/me/tokens", {"name": "bot"}).json
    bot, bearer = app.test_client(), {"Authorization": f"Bearer {made['token']}"}
    asked = [
        bot.post(API + "/me/tokens", json={"name": "more"}, headers=bearer),
        bot.get(API + "/me/tokens", headers=bearer),
        bot.delete(f"{API}/me/tokens/{made['id']}", headers=bearer),
        bot.get(API + "/me/devices", headers=bearer),
        bot.delete(API + "/me/devices", headers=bearer),
        bot.patch(API + "/me", json={"password": "a-new-long-password", "current_password": PASSWORD}, headers=bearer),
    ]
    assert [answer.status_code for answer in asked] == [403] * 6
    assert bot.get(API + "/me", headers=bearer).status_code == 200
    assert browser().sign_in("ana").status_code == 201


def test_a_token_does_not_get_another_token_by_repeating_the_request_that_made_it(app: Flask, browser: Open) -> None:
    ana = browser()
    ana.sign_up("ana")
    first = ana.post("/me/tokens", {"name": "first"}).json["token"]
    key = {"Idempotency-Key": "k1"}
    assert ana.post("/me/tokens", {"name": "second"}, headers=key).status_code == 201
    again = app.test_client().post(
        API + "/me/tokens", json={"name": "second"}, headers={"Authorization": f"Bearer {first}", **key}
    )
    assert again.status_code == 403
