"""Keeping a room pleasant: mutes with a reason and an end, and slow mode."""

from __future__ import annotations

import json
import re
import uuid
from datetime import timedelta

from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from creator_hub.core.schemas import rfc3339
from tests.support.client import Browser
from tests.support.rooms import Room
from tests.support.subscribers import let_pass


def mute(room: Room, whom: Browser, by: Browser | None = None, **terms: object) -> tuple[int, dict[str, object]]:
    user_id = whom.get("/session").json["user"]["id"]
    answer = (by or room.mei).post("/groups/mei/mutes", {"user_id": user_id, "reason": "shouting", **terms})
    return answer.status_code, answer.json


def test_a_muted_member_reads_but_neither_writes_nor_edits_nor_reacts(room: Room) -> None:
    mine = room.say(room.ana, "THIS IS LOUD").json["id"]
    assert mute(room, room.ana)[0] == 201
    refused = room.say(room.ana, "still here")
    assert (refused.status_code, refused.json["code"]) == (403, "muted")
    assert "shouting" in refused.json["detail"]
    assert room.ana.patch(f"/messages/{mine}", {"text": "quiet"}).json["code"] == "muted"
    assert room.ana.put(f"/messages/{mine}/reactions/👍").json["code"] == "muted"
    assert room.texts(room.ana) == ["THIS IS LOUD"]
    assert room.say(room.bo, "hi").status_code == 201


def test_a_mute_ends_at_its_moment_or_when_it_is_lifted(room: Room) -> None:
    assert mute(room, room.ana, until=rfc3339(clock.now() + timedelta(hours=1)))[0] == 201
    assert mute(room, room.ana)[1]["code"] == "already_muted"
    let_pass(1)
    assert room.say(room.ana, "an hour is over").status_code == 201
    assert mute(room, room.ana)[0] == 201
    [listed] = room.mei.get("/groups/mei/mutes").json["items"]
    assert listed["reason"] == "shouting"
    assert room.mei.delete(f"/groups/mei/mutes/{listed['user_id']}").status_code == 204
    assert room.say(room.ana, "thank you").status_code == 201
    actions = [entry["action"] for entry in room.mei.get("/groups/mei/audit").json["items"]]
    assert actions[:3] == ["mute.lifted", "mute.made", "mute.made"]


def test_only_staff_mute_and_nobody_above_them(room: Room) -> None:
    assert mute(room, room.bo, by=room.ana)[0] == 403
    assert mute(room, room.mei)[0] == 403
    ana = room.ana.get("/session").json["user"]["id"]
    room.mei.put(f"/groups/mei/moderators/{ana}")
    assert mute(room, room.bo, by=room.ana)[0] == 201
    assert mute(room, room.mei, by=room.ana)[0] == 403
    stranger = room.mei.post("/groups/mei/mutes", {"user_id": str(uuid.uuid4()), "reason": "?"})
    assert stranger.status_code in (404, 409)


def test_slow_mode_holds_back_members_not_staff(room: Room) -> None:
    assert room.mei.patch(f"/channels/{room.channel}", {"slow_seconds": 30}).json["slow_seconds"] == 30
    assert room.say(room.ana, "one").status_code == 201
    held = room.say(room.ana, "two")
    assert (held.status_code, held.json["code"]) == (429, "slow_down")
    assert 0 < int(held.headers["Retry-After"]) <= 30
    assert room.say(room.bo, "my first").status_code == 201
    assert room.say(room.mei, "a").status_code == room.say(room.mei, "b").status_code == 201
    with unit_of_work() as session:
        clock.advance(session, timedelta(seconds=31))
    assert room.say(room.ana, "two").status_code == 201
    assert room.mei.patch(f"/channels/{room.channel}", {"slow_seconds": -1}).status_code == 422


def test_a_retry_of_what_was_said_is_not_held_back_by_slow_mode(room: Room) -> None:
    room.mei.patch(f"/channels/{room.channel}", {"slow_seconds": 30})
    body = {"client_msg_id": str(uuid.uuid4()), "text": "once"}
    first = room.ana.post(f"/channels/{room.channel}/messages", body).json
    assert room.ana.post(f"/channels/{room.channel}/messages", body).json["id"] == first["id"]


def test_a_mention_marks_only_people_who_can_read_the_channel(room: Room) -> None:
    said = room.say(room.mei, "hello @Ana, @nobody and @bo@example").json
    assert said["html"] == (
        '<p>hello <span class="mention">@Ana</span>, @nobody and <span class="mention">@bo</span>@example</p>'
    )
    price = {"amount_minor": 500, "currency": "USD"}
    room.mei.post("/groups/mei/tiers", {"name": "B", "price": price, "interval": "month", "rank": 1, "benefits": []})
    table = room.mei.post("/groups/mei/channels", {"name": "table", "kind": "talk", "min_tier_rank": 1}).json["id"]
    body = {"client_msg_id": str(uuid.uuid4()), "text": "@ana is not here"}
    assert room.mei.post(f"/channels/{table}/messages", body).json["html"] == "<p>@ana is not here</p>"


def test_unread_mentions_are_counted_until_read_edited_away_or_deleted(room: Room) -> None:
    first = room.say(room.mei, "@ana please").json
    room.say(room.mei, "and @ana again, @ana")
    third = room.say(room.bo, "@ana @bo").json
    assert (mentions_of(room.ana, room), mentions_of(room.bo, room)) == (3, 0)
    room.mei.patch(f"/messages/{first['id']}", {"text": "never mind"})
    room.bo.delete(f"/messages/{third['id']}")
    assert mentions_of(room.ana, room) == 1
    room.ana.put(f"/channels/{room.channel}/read", {"seq": third["seq"]})
    assert mentions_of(room.ana, room) == 0


def test_members_are_found_by_how_their_handle_or_name_begins(room: Room) -> None:
    def found(beginning: str) -> list[str]:
        return [each["user"]["handle"] for each in room.mei.get(f"/groups/mei/members?q={beginning}").json["items"]]

    assert (found("an"), found("B"), found("%25"), found("zz")) == (["ana"], ["bo"], [], [])


def mentions_of(who: Browser, room: Room) -> int:
    """As the group's page starts from it."""
    html = who.page("/g/mei").get_data(as_text=True)
    data = json.loads(re.search(r'id="page-data">(.*?)</script>', html, re.DOTALL)[1])
    return next(channel["mentions"] for channel in data["channels"] if channel["id"] == room.channel)
