"""Reports: what members ask the moderators to look at, and what comes of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.support.client import Browser
from tests.support.rooms import Room, a_room


@pytest.fixture
def room(browser: Callable[[], Browser]) -> Room:
    return a_room(browser(), browser(), browser())


def report(who: Browser, message_id: str, **more: Any) -> TestResponse:
    return who.post("/reports", {"message_id": message_id, "kind": "harassment", **more})


def test_a_report_shows_the_words_as_they_were_with_what_was_said_around_them(room: Room) -> None:
    room.say(room.ana, "good evening")
    nasty = room.say(room.bo, "something nasty").json["id"]
    room.say(room.ana, "that was not nice")
    assert report(room.ana, nasty, note="please look").status_code == 201
    room.bo.patch(f"/messages/{nasty}", {"text": "I said nothing"})
    [case] = room.mei.get("/groups/mei/reports").json["items"]
    assert case["author"]["handle"] == "bo"
    assert case["reports"] == [{"kind": "harassment", "note": "please look", "quoted": "something nasty"}]
    assert [m["text"] for m in case["context"]] == ["good evening", "I said nothing", "that was not nice"]
    assert "ana" not in str(case["reports"])


def test_removing_settles_every_report_and_can_be_undone(room: Room) -> None:
    nasty = room.say(room.bo, "buy my coins").json["id"]
    for who in (room.ana, room.mei):
        assert report(who, nasty).status_code == 201
    [case] = room.mei.get("/groups/mei/reports").json["items"]
    decided = room.mei.post(f"/reports/{case['id']}/decision", {"action": "remove", "reason": "spam"})
    assert decided.json["state"] == "removed"
    assert room.mei.get("/groups/mei/reports").json["items"] == []
    assert room.texts(room.ana) == [""]
    again = room.mei.post(f"/reports/{case['id']}/decision", {"action": "dismiss", "reason": "changed my mind"})
    assert again.json["code"] == "already_settled"
    assert room.bo.post(f"/messages/{nasty}/restore").status_code == 403
    assert room.mei.post(f"/messages/{nasty}/restore").json["text"] == "buy my coins"
    assert room.texts(room.ana) == ["buy my coins"]
    assert room.events(room.ana)[-1]["kind"] == "message.restored"
    assert room.mei.post(f"/messages/{nasty}/restore").status_code == 404
    audit = [(entry["action"], entry["reason"]) for entry in room.mei.get("/groups/mei/audit").json["items"]]
    assert audit[:2] == [("message.restored", None), ("message.removed", "spam")]


def test_a_message_that_is_left_stays_and_the_queue_is_empty(room: Room) -> None:
    said = room.say(room.bo, "I disagree").json["id"]
    report(room.ana, said)
    [case] = room.mei.get("/groups/mei/reports").json["items"]
    room.mei.post(f"/reports/{case['id']}/decision", {"action": "dismiss", "reason": "an opinion"})
    assert room.texts(room.ana) == ["I disagree"]
    assert room.mei.get("/groups/mei/reports").json["items"] == []


def test_what_an_author_deletes_stays_deleted(room: Room) -> None:
    said = room.say(room.bo, "oops").json["id"]
    room.bo.delete(f"/messages/{said}")
    assert room.mei.post(f"/messages/{said}/restore").status_code == 404


def test_one_report_per_person_not_about_oneself_and_only_of_what_one_can_read(
    room: Room, browser: Callable[[], Browser]
) -> None:
    said = room.say(room.bo, "hm").json["id"]
    assert report(room.bo, said).json["code"] == "own_message"
    assert report(room.ana, said).status_code == 201
    assert report(room.ana, said).json["code"] == "already_reported"
    assert report(room.ana, said, kind="dull").status_code == 422
    stranger = browser()
    stranger.sign_up("zoe")
    hidden, unknown = report(stranger, said), report(stranger, str(uuid.uuid4()))
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.json["detail"] == unknown.json["detail"]


def test_only_those_who_keep_order_see_and_decide(room: Room, browser: Callable[[], Browser]) -> None:
    said = room.say(room.bo, "hm").json["id"]
    made = report(room.ana, said).json["id"]
    zoe = browser()
    zoe.sign_up("zoe")
    zoe.post("/groups", {"handle": "zoe", "name": "Zoe", "about": "", "currency": "USD"})
    for who, status in ((room.ana, 403), (zoe, 404)):
        assert who.post(f"/reports/{made}/decision", {"action": "dismiss", "reason": "x"}).status_code == status
        assert who.get("/groups/mei/reports").status_code in (403, 404)
