"""What members may say, change and take back, and what is left of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creator_hub.chat.markup import to_html
from creator_hub.chat.models import RemovedText
from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from tests.support.client import Browser
from tests.support.rooms import Room

Open = Callable[[], Browser]


def test_a_message_is_on_the_stream_with_its_own_position(room: Room) -> None:
    sent = room.say(room.ana, "hello **all**").json
    event = room.events(room.bo)[-1]
    assert (event["kind"], event["seq"]) == ("message.created", sent["seq"])
    assert event["data"]["seq"] == sent["seq"]
    assert event["data"]["html"] == "<p>hello <strong>all</strong></p>"
    assert event["data"]["author"]["role"] == "member"
    assert room.say(room.mei, "hi").json["author"]["role"] == "creator"


def test_the_sequence_has_no_gaps(room: Room) -> None:
    for n in range(5):
        room.say(room.ana, f"{n}")
    seqs = [event["seq"] for event in room.events(room.mei)]
    assert seqs == list(range(1, len(seqs) + 1))


def test_a_retry_is_one_message_and_another_body_is_refused(room: Room) -> None:
    mine = str(uuid.uuid4())
    once = room.say(room.ana, "once", client_msg_id=mine)
    again = room.say(room.ana, "once", client_msg_id=mine)
    other = room.say(room.ana, "twice", client_msg_id=mine)
    assert once.json == again.json
    assert (other.status_code, other.json["code"]) == (409, "same_key_other_body")
    assert room.texts(room.bo) == ["once"]


@pytest.mark.parametrize("text", ["", "   \n ", "x" * 4001, "x" * 100_000, "nul \x00 inside"])
def test_an_empty_huge_or_broken_message_is_refused_with_the_field_named(room: Room, text: str) -> None:
    answer = room.say(room.ana, text)
    assert answer.status_code == 422
    assert answer.json["errors"].keys() == {"text"}
    assert room.texts(room.ana) == []


def test_an_edit_is_the_authors_alone_and_only_for_a_day(room: Room) -> None:
    message = room.say(room.ana, "hxllo").json["id"]
    assert room.bo.patch(f"/messages/{message}", {"text": "mine now"}).status_code == 403
    assert room.mei.patch(f"/messages/{message}", {"text": "mine now"}).status_code == 403
    assert room.ana.patch(f"/messages/{message}", {"text": "hello"}).json["edited_at"]
    assert room.events(room.bo)[-1]["data"]["text"] == "hello"
    with unit_of_work() as session:
        clock.advance(session, timedelta(hours=25))
    late = room.ana.patch(f"/messages/{message}", {"text": "too late"})
    assert late.json["code"] == "edit_window_over"


def test_what_an_author_deletes_is_gone_from_every_row(room: Room) -> None:
    message = room.say(room.ana, "a secret").json["id"]
    room.ana.patch(f"/messages/{message}", {"text": "another secret"})
    assert room.ana.delete(f"/messages/{message}").status_code == 204
    assert "secret" not in str(room.events(room.bo))
    assert room.events(room.bo)[-1]["data"] == {"id": message, "by": "author"}
    with unit_of_work() as session:
        assert session.query(RemovedText).count() == 0
    assert room.ana.delete(f"/messages/{message}").json["code"] == "message_deleted"


def test_what_a_moderator_removes_is_kept_for_appeal_but_shown_to_nobody(room: Room) -> None:
    message = room.say(room.ana, "spam spam").json["id"]
    assert room.bo.delete(f"/messages/{message}").status_code == 403
    assert room.mei.delete(f"/messages/{message}").status_code == 204
    assert "spam" not in str(room.events(room.ana))
    with unit_of_work() as session:
        assert session.query(RemovedText).one().text == "spam spam"


def test_strangers_and_other_groups_get_nothing(room: Room, browser: Open) -> None:
    message = room.say(room.ana, "inside").json["id"]
    chen = browser()
    chen.sign_up("chen")
    chen.post("/groups", {"handle": "chen", "name": "Chen", "about": "", "currency": "USD"})
    for answer in (
        room.say(chen, "let me in"),
        chen.get(f"/channels/{room.channel}/events"),
        chen.get(f"/channels/{room.channel}/messages"),
        chen.delete(f"/messages/{message}"),
        chen.patch(f"/messages/{message}", {"text": "x"}),
        chen.put(f"/messages/{message}/reactions/👍"),
        chen.delete(f"/messages/{uuid.uuid4()}"),
    ):
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    other = chen.get("/groups/chen/channels").json["items"][0]["id"]
    quoting = {"client_msg_id": str(uuid.uuid4()), "text": "look", "reply_to": message}
    assert chen.post(f"/channels/{other}/messages", quoting).json["errors"].keys() == {"reply_to"}


def test_only_the_creator_writes_announcements(room: Room) -> None:
    made = room.mei.post("/groups/mei/channels", {"name": "news", "kind": "announcement", "min_tier_rank": 0}).json
    body = {"client_msg_id": str(uuid.uuid4()), "text": "hear ye"}
    assert room.ana.post(f"/channels/{made['id']}/messages", body).json["code"] == "announcement"
    assert room.mei.post(f"/channels/{made['id']}/messages", body).status_code == 201


def test_reactions_are_counted_once_per_person(room: Room) -> None:
    message = room.say(room.ana, "cake").json["id"]
    for who in (room.ana, room.bo, room.bo):
        who.put(f"/messages/{message}/reactions/🍰")
    assert room.events(room.ana)[-1]["data"]["counts"] == {"🍰": 2}
    room.bo.delete(f"/messages/{message}/reactions/🍰")
    assert room.events(room.ana)[-1]["data"]["counts"] == {"🍰": 1}
    assert room.bo.put(f"/messages/{message}/reactions/<b>").status_code == 422


def test_history_tells_each_reader_their_own_reactions(room: Room) -> None:
    message = room.say(room.ana, "cake").json["id"]
    for emoji in ("🍰", "👍"):
        room.bo.put(f"/messages/{message}/reactions/{emoji}")
    for who, mine in ((room.ana, []), (room.bo, ["🍰", "👍"])):
        [told] = who.get(f"/channels/{room.channel}/messages").json["items"]
        assert (told["reactions"], told["my_reactions"]) == ({"🍰": 1, "👍": 1}, mine)


def test_a_read_mark_moves_forward_only_and_never_past_the_head(room: Room) -> None:
    last = room.say(room.ana, "one").json["seq"]
    assert room.bo.put(f"/channels/{room.channel}/read", {"seq": last}).json == {"seq": last}
    assert room.bo.put(f"/channels/{room.channel}/read", {"seq": 10**9}).json == {"seq": last}


@pytest.mark.parametrize("words", ["柠檬", "مرحبا", "ขนม", "tart LEMON"])
def test_search_finds_words_of_every_script(room: Room, words: str) -> None:
    for text in ("我喜欢柠檬挞", "قلت مرحبا لكم", "ชอบขนมมาก", "the lemon tart"):
        room.say(room.ana, text)
    room.say(room.ana, "nothing of the kind")
    assert len(room.bo.get(f"/groups/mei/search?q={words}").json["items"]) == 1


def test_history_pages_backwards_without_overlap(room: Room) -> None:
    for n in range(7):
        room.say(room.ana, f"{n}")
    newest = room.bo.get(f"/channels/{room.channel}/messages?limit=4").json
    older = room.bo.get(f"/channels/{room.channel}/messages?limit=4&before_seq={newest['next']}").json
    assert [m["text"] for m in older["items"] + newest["items"]] == [str(n) for n in range(7)]
    assert older["next"] is None


ATTACKS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "[click](data:text/html,<script>alert(1)</script>)",
    "<a href='x' onclick='alert(1)'>x</a>",
    "`</code><svg onload=alert(1)>`",
    '<https://ok.test/"onmouseover=alert(1)>',
)


PIECES = ["**", "`", "\n", ">", "[a](", ")", "<", "&#x6a;", "a", "@ana", "https://e.test/", '"']


@given(st.lists(st.sampled_from([*ATTACKS, *PIECES]), max_size=12))
def test_no_markup_that_people_type_can_run(parts: list[str]) -> None:
    html = to_html("".join(parts), {"ana"}).lower()
    for tag in ("<script", "<img", "<svg", "<iframe", "<style"):
        assert tag not in html
    for link in html.split('href="')[1:]:
        assert link.startswith(("http://", "https://", "mailto:", "%", "a", "&")) or ":" not in link.split('"')[0]
    opened = [part.split(">")[0] for part in html.split("<")[1:]]
    assert not any(" on" in tag.split("href")[0] for tag in opened)
