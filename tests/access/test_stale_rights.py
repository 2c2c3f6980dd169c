"""Whoever loses a right loses every way to use it: changing what one said is never easier than saying it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from creator_hub.accounts.models import User, UserSession
from creator_hub.core import clock
from creator_hub.core.access import Actor
from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import ROUTES
from creator_hub.groups import channels, entitlements, moderation, mutes
from creator_hub.groups.models import Channel, Group
from creator_hub.groups.standing import standing_of
from tests.access import cases
from tests.access.matrix import address, key_of
from tests.access.rehearsal import Rehearsal, rehearsing
from tests.access.town import HOME, Person, Town

REFUSALS = {401, 403, 404}
Cause = Callable[[Session, Group, Person], None]
# Everything a member does in a paid channel that leaves a trace, by the row of the table it stands under.
TRACES = {cases.POST, cases.EDIT, cases.DELETE, cases.VOTE, "take a question back"}
# What others would read.
VOICE = {cases.POST, cases.EDIT}
PROPOSALS = {"POST /api/v1/rounds/<uuid:round_id>/proposals", "POST /api/v1/qa/<uuid:qa_id>/questions"}


def banned(session: Session, group: Group, person: Person) -> None:
    owner = Actor(user_id=group.owner_id)
    terms = {"user_id": person.user_id, "reason": "spam", "until": None}
    moderation.ban(session, owner, group, standing_of(session, group, owner), **terms)


def left(session: Session, group: Group, person: Person) -> None:
    entitlements.remove_person(session, group, user_of(person), "left")


def run_out(session: Session, group: Group, person: Person) -> None:
    entitlements.end(session, "subscription", person.own[HOME]["subscription_id"], clock.now(), "expired")


def refunded(session: Session, group: Group, person: Person) -> None:
    entitlements.end(session, "subscription", person.own[HOME]["subscription_id"], clock.now(), "refunded")


def channel_raised(session: Session, group: Group, person: Person) -> None:
    lounge = session.query(Channel).filter_by(group_id=group.id, name="lounge").one()
    channels.change_channel(session, Actor(user_id=group.owner_id), group, lounge, {"min_tier_rank": 5})


def suspended(session: Session, group: Group, person: Person) -> None:
    session.get_one(User, user_of(person)).suspended_at = clock.now()


def deleted(session: Session, group: Group, person: Person) -> None:
    session.get_one(User, user_of(person)).deleted_at = clock.now()


def signed_out(session: Session, group: Group, person: Person) -> None:
    session.get_one(UserSession, uuid.UUID(person.session_id)).ended_at = clock.now()


def session_run_out(session: Session, group: Group, person: Person) -> None:
    session.get_one(UserSession, uuid.UUID(person.session_id)).expires_at = clock.now() - timedelta(seconds=1)


def muted(session: Session, group: Group, person: Person) -> None:
    owner = Actor(user_id=group.owner_id)
    terms = {"user_id": user_of(person), "reason": "loud", "until": None}
    mutes.mute(session, owner, group, standing_of(session, group, owner), **terms)


def user_of(person: Person) -> uuid.UUID:
    assert person.user_id is not None
    return person.user_id


def what_still_works(app: Flask, town: Town, rehearsal: Rehearsal, cause: Cause, wanted: set[str]) -> list[str]:
    """Let the cause happen to the entitled member, then try every route of these rows, each from the same state."""
    client, person, works = app.test_client(use_cookies=False), town.people["Fm"], []
    with rehearsal.played():
        with unit_of_work() as session:
            cause(session, session.get_one(Group, uuid.UUID(town.places[HOME]["group_id"])), person)
        before = rehearsal.digest()
        for route in ROUTES:
            key = key_of(route)
            case = cases.ROUTES[key]
            if key not in wanted and case.row not in wanted:
                continue
            ids = town.ids(person, HOME)
            body = case.body(ids) if case.body else None
            answer = client.open(address(route, ids), method=route.method, json=body, headers=person.headers("cookie"))
            if answer.status_code not in REFUSALS:
                works.append(f"{key}: {answer.status_code}")
            if rehearsal.digest() != before:
                works.append(f"{key}: changed something")
                break
    return works


def test_nothing_can_be_said_changed_or_voted_any_more(app: Flask, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    causes = (banned, left, run_out, refunded, channel_raised, suspended, deleted, signed_out, session_run_out)
    with rehearsing(monkeypatch) as rehearsal:
        works = {cause.__name__: what_still_works(app, town, rehearsal, cause, TRACES) for cause in causes}
        # A mute takes the voice; votes and taking one's own words back are left.
        works["muted"] = what_still_works(app, town, rehearsal, muted, VOICE | PROPOSALS)
    assert works == {key: [] for key in works}
