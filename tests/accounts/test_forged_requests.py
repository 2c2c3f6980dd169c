"""What a stranger can send: cookies they made up, links they crafted, bytes nobody types."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from creator_hub.core.db import unit_of_work
from tests.support.client import API, Browser
from tests.support.world import a_group, a_person

Open = Callable[[], Browser]


def test_a_visit_cookie_that_names_another_person_does_not_replay_their_answers(app: Flask, browser: Open) -> None:
    mei = browser()
    user = mei.sign_up("mei")
    assert mei.post("/groups", {"handle": "mei", "name": "Mei", "about": "", "currency": "USD"}).status_code == 201
    key = {"Idempotency-Key": "1"}
    assert mei.post("/groups/mei/invites", {"max_uses": 1}, headers=key).status_code == 201
    stranger = browser()
    stranger._client.set_cookie("hub_visit", user["id"])
    answer = stranger.post("/groups/mei/invites", {"max_uses": 1}, headers=key)
    assert answer.status_code == 401, answer.json


def test_a_visit_cookie_that_names_a_session_does_not_get_that_sessions_csrf_token(browser: Open) -> None:
    ana = browser()
    ana.sign_up("ana")
    device = ana.get("/me/devices").json["items"][0]["id"]
    stranger = browser()
    stranger._client.set_cookie("hub_visit", device)
    assert stranger.get("/session").json["csrf_token"] != ana.get("/session").json["csrf_token"]


@pytest.mark.parametrize(
    "crafted",
    [
        "https://evil.test/",
        "//evil.test/",
        "/\\evil.test/",
        "/%09/evil.test/",
        "/%09\\evil.test/",
        "/%0a\\evil.test/",
        "%09//evil.test/",
    ],
)
def test_nobody_is_sent_to_another_site_after_signing_in(browser: Open, crafted: str) -> None:
    ana = browser()
    assert "evil.test" not in ana.page(f"/sign-in?next={crafted}").get_data(as_text=True)
    ana.sign_up("ana")
    assert ana.page(f"/sign-in?next={crafted}").headers["Location"] == "/"


def test_a_path_of_this_site_is_kept_for_after_signing_in(browser: Open) -> None:
    ana = browser()
    ana.sign_up("ana")
    assert ana.page("/sign-in?next=/g/mei%3Fa=1").headers["Location"] == "/g/mei?a=1"


def test_bytes_nobody_types_are_refused_not_an_error_of_ours(
    app: Flask, browser: Open, capfd: pytest.CaptureFixture[str]
) -> None:
    ana = browser()
    ana.sign_up("ana")
    answers = [
        ana.get("/users/a%00b"),
        ana.get("/groups/a%00b"),
        browser().post("/session", {"email": "canary-7f3a\x00@example.test", "password": "x"}),
        ana.patch("/me", {"display_name": "A"}, headers={"X-CSRF-Token": "é"}),
        app.test_client().get(API + "/me", headers={"Authorization": "Bearer é"}),
    ]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 403, 401]
    assert "canary-7f3a" not in capfd.readouterr().err


def test_what_a_failed_statement_was_given_is_not_told(database: str) -> None:
    with unit_of_work() as session:
        mei = a_person(session, "mei")
        a_group(session, mei)
    with pytest.raises(Exception) as failed, unit_of_work() as session:
        a_person(session, "canary\x00")
    assert "correct-horse" not in str(failed.value)
    assert "argon2" not in str(failed.value)
