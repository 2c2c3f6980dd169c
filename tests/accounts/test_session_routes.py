"""Signing up, in and out, as a browser and as an API client."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from creator_hub.accounts import service, sessions
from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from creator_hub.core.schemas import rfc3339
from creator_hub.streams import ACCOUNT_LOG, read_after
from tests.support.client import PASSWORD, Browser

Open = Callable[[], Browser]


def test_a_new_fan_signs_up_and_is_signed_in(browser: Open) -> None:
    ana = browser()
    user = ana.sign_up("ana")
    assert user == {"id": user["id"], "handle": "ana", "display_name": "Ana", "roles": []}
    assert ana.get("/session").json["user"]["handle"] == "ana"
    assert ana.get("/me").json["email"] == "ana@example.test"


def test_the_session_cookie_is_hidden_from_scripts_and_other_sites(browser: Open) -> None:
    browser().sign_up("ana")
    fresh = browser().sign_in("ana")
    cookie = fresh.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert fresh.headers["Cache-Control"] == "no-store"


def test_a_post_without_the_csrf_token_is_refused_even_before_sign_in(app: Flask) -> None:
    answer = app.test_client().post("/api/v1/session", json={"email": "a@b.test", "password": "x"})
    assert answer.status_code == 403
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == "csrf"


def test_a_csrf_token_of_another_session_is_refused(browser: Open) -> None:
    ana, bo = browser(), browser()
    ana.sign_up("ana")
    bo.sign_up("bo")
    stolen = bo.get("/session").json["csrf_token"]
    assert ana.patch("/me", {"display_name": "Hacked"}, headers={"X-CSRF-Token": stolen}).json["code"] == "csrf"
    assert ana.get("/me").json["display_name"] == "Ana"


def test_unknown_email_and_wrong_password_get_the_same_answer(browser: Open) -> None:
    browser().sign_up("ana")
    wrong = browser().sign_in("ana", "not-her-password").json
    unknown = browser().sign_in("nobody", "not-her-password").json
    assert wrong | {"request_id": ""} == unknown | {"request_id": ""}
    assert wrong["code"] == "no_match"


def test_a_taken_handle_and_a_taken_email_are_named_by_field(browser: Open) -> None:
    browser().sign_up("ana")
    again = {"email": "ANA@example.test", "password": PASSWORD, "handle": "ana2", "display_name": "Ana"}
    assert browser().post("/users", again).json["errors"].keys() == {"email"}
    again = {"email": "other@example.test", "password": PASSWORD, "handle": "ana", "display_name": "Ana"}
    assert browser().post("/users", again).json["errors"].keys() == {"handle"}


def test_unknown_fields_are_refused(browser: Open) -> None:
    form = {
        "email": "a@b.test",
        "password": PASSWORD,
        "handle": "ana",
        "display_name": "A",
        "roles": ["admin"],
    }
    answer = browser().post("/users", form)
    assert answer.status_code == 422
    assert answer.json["errors"] == {"roles": ["Unknown field."]}


def test_signing_out_kills_the_cookie_and_tells_the_live_edge(browser: Open) -> None:
    ana = browser()
    user = ana.sign_up("ana")
    stolen = ana.cookie("hub_session")
    assert ana.delete("/session").status_code == 204
    thief = browser()
    thief._client.set_cookie("hub_session", stolen or "")
    assert thief.get("/me").status_code == 401
    with unit_of_work() as session:
        last = read_after(session, ACCOUNT_LOG, 0, 10)[-1]
    assert last.kind == "session.ended"
    assert last.data["user_id"] == user["id"]


def test_an_api_token_is_shown_once_works_without_csrf_and_can_be_revoked(browser: Open, app: Flask) -> None:
    ana = browser()
    ana.sign_up("ana")
    made = ana.post("/me/tokens", {"name": "bot"}).json
    assert ana.get("/me/tokens").json["items"][0].keys() == {"id", "name", "created_at", "expires_at", "used_at"}
    bearer = {"Authorization": f"Bearer {made['token']}"}
    assert app.test_client().get("/api/v1/me", headers=bearer).json["handle"] == "ana"
    assert app.test_client().patch("/api/v1/me", headers=bearer, json={"display_name": "Robot"}).status_code == 200
    assert ana.delete(f"/me/tokens/{made['id']}").status_code == 204
    assert app.test_client().get("/api/v1/me", headers=bearer).status_code == 401


def test_an_api_token_may_end_by_itself(browser: Open, app: Flask) -> None:
    ana = browser()
    ana.sign_up("ana")
    assert ana.post("/me/tokens", {"name": "bot", "expires_at": "2020-01-01T00:00:00Z"}).status_code == 422
    ends = clock.now() + timedelta(hours=1)
    token = ana.post("/me/tokens", {"name": "bot", "expires_at": rfc3339(ends)}).json["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert app.test_client().get("/api/v1/me", headers=bearer).status_code == 200
    with time_machine.travel(ends + timedelta(seconds=1), tick=False):
        assert app.test_client().get("/api/v1/me", headers=bearer).status_code == 401


def test_another_person_cannot_end_my_device(browser: Open) -> None:
    ana, bo = browser(), browser()
    ana.sign_up("ana")
    bo.sign_up("bo")
    device = ana.get("/me/devices").json["items"][0]["id"]
    assert bo.delete(f"/me/devices/{device}").status_code == 404
    assert ana.get("/me").status_code == 200


def test_a_new_password_needs_the_old_one_and_ends_the_other_devices(browser: Open) -> None:
    ana, phone = browser(), browser()
    ana.sign_up("ana")
    phone.sign_in("ana")
    change = {"password": "a-new-long-password", "current_password": "wrong"}
    assert ana.patch("/me", change).status_code == 422
    assert ana.patch("/me", change | {"current_password": PASSWORD}).status_code == 200
    assert phone.get("/me").status_code == 401
    assert ana.get("/me").status_code == 200


def test_only_an_admin_gives_roles(browser: Open) -> None:
    ana = browser()
    user = ana.sign_up("ana")
    assert ana.put(f"/users/{user['id']}/roles", {"roles": ["finance"]}).json["code"] == "not_allowed"


def test_the_eleventh_guess_at_a_password_must_wait(browser: Open) -> None:
    browser().sign_up("ana")
    guesser = browser()
    answers = [guesser.sign_in("ana", f"guess-number-{n}") for n in range(11)]
    assert [a.status_code for a in answers] == [400] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_the_same_idempotency_key_creates_one_token_and_gives_one_answer(browser: Open) -> None:
    ana = browser()
    ana.sign_up("ana")
    once = ana.post("/me/tokens", {"name": "bot"}, headers={"Idempotency-Key": "k1"})
    again = ana.post("/me/tokens", {"name": "bot"}, headers={"Idempotency-Key": "k1"})
    assert again.json == once.json
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(ana.get("/me/tokens").json["items"]) == 1
    other = ana.post("/me/tokens", {"name": "other"}, headers={"Idempotency-Key": "k1"})
    assert other.json["code"] == "same_key_other_body"


def test_a_session_that_is_used_every_day_still_ends(browser: Open) -> None:
    ana = browser()
    ana.sign_up("ana")
    began = clock.now()
    for day in range(0, 180, 29):
        with time_machine.travel(began + timedelta(days=day), tick=False):
            assert ana.get("/me").status_code == 200
    with time_machine.travel(began + sessions.LONGEST_LIFE + timedelta(seconds=1), tick=False):
        assert ana.get("/me").status_code == 401


def test_a_sign_in_in_the_moment_of_a_new_password_does_not_get_in(browser: Open) -> None:
    ana = browser()
    ana.sign_up("ana")
    proof = service.check(email="ana@example.test", password=PASSWORD)
    assert ana.patch("/me", {"password": "a-new-long-password", "current_password": PASSWORD}).status_code == 200
    with pytest.raises(service.NoMatch), unit_of_work() as session:
        service.authenticate(session, proof)
