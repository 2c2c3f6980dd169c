"""Sends that are handled together: one lock and one commit, and yet each for itself."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub import streams
from creator_hub.chat import service
from creator_hub.chat.models import Message
from creator_hub.chat.service import Draft
from creator_hub.core import db
from creator_hub.core.db import unit_of_work
from creator_hub.core.errors import HubError
from creator_hub.groups import mutes
from creator_hub.groups.queries import channels_visible_to
from creator_hub.groups.standing import standing_of
from tests.support.world import a_group, a_member, a_person, as_actor


def said(one: Message | HubError) -> str:
    return one.text if isinstance(one, Message) else one.code


def world(session: Session) -> tuple[uuid.UUID, dict[str, Draft]]:
    """Mei's channel and a draft of each: Ana and Bo belong here, Chen is muted, Dee is nobody here."""
    mei = a_person(session, "mei")
    group = a_group(session, mei)
    people = {name: a_person(session, name) for name in ("ana", "bo", "chen", "dee")}
    for name in ("ana", "bo", "chen"):
        a_member(session, group, people[name])
    standing = standing_of(session, group, as_actor(mei))
    mutes.mute(session, as_actor(mei), group, standing, user_id=people["chen"].id, reason="loud", until=None)
    channel = channels_visible_to(session, group, standing)[0]
    return channel.id, {name: Draft(as_actor(user), uuid.uuid4(), f" {name} ") for name, user in people.items()}


def test_each_is_accepted_or_refused_for_itself_in_order_and_without_gaps(database: str) -> None:
    with unit_of_work() as session:
        channel, drafts = world(session)
        head = streams.heads(session, [channel])[channel]
    with unit_of_work() as session:
        empty = Draft(as_actor(a_person(session, "emil")), uuid.uuid4(), "x")
        asked = [drafts["dee"], drafts["ana"], drafts["chen"], empty, drafts["bo"]]
        assert [said(one) for one in service.send_all(session, channel, asked)] == [
            "not_found",
            "ana",
            "muted",
            "not_found",
            "bo",
        ]
    with unit_of_work() as session:
        rows = streams.read_after(session, channel, head, 10)
        assert [(row.seq, row.data["seq"], row.data["text"]) for row in rows] == [
            (head + 1, head + 1, "ana"),
            (head + 2, head + 2, "bo"),
        ]


def test_a_retry_among_others_gets_its_first_message_again(database: str) -> None:
    with unit_of_work() as session:
        channel, drafts = world(session)
        [first] = service.send_all(session, channel, [drafts["ana"]])
    with unit_of_work() as session:
        again, new = service.send_all(session, channel, [drafts["ana"], drafts["bo"]])
        assert isinstance(first, Message)
        assert isinstance(again, Message)
        assert (again.id, again.seq) == (first.id, first.seq)
        assert said(new) == "bo"
    with unit_of_work() as session:
        changed = Draft(drafts["ana"].actor, drafts["ana"].client_msg_id, "other words")
        assert [said(one) for one in service.send_all(session, channel, [changed])] == ["same_key_other_body"]


def test_strangers_alone_never_take_the_lock(database: str) -> None:
    with unit_of_work() as session:
        channel, drafts = world(session)
    lock = select(streams.Stream).where(streams.Stream.id == channel).with_for_update()
    with db.engine().connect() as beside, unit_of_work() as session:
        beside.execute(lock)
        assert [said(one) for one in service.send_all(session, channel, [drafts["dee"]])] == ["not_found"]
