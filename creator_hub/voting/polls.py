"""Putting questions: open, vote, add an option, close by hand or on time, exactly once each."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub import streams
from creator_hub.core import clock
from creator_hub.core.access import Actor, Permission
from creator_hub.core.errors import Conflict, Invalid
from creator_hub.core.ids import new_id
from creator_hub.groups.doors import channel_by_id
from creator_hub.groups.models import Channel, Group, Tier
from creator_hub.voting import ballots, queries
from creator_hub.voting.doors import PollDoor, poll_by_id
from creator_hub.voting.models import BallotBox, Option, Poll
from creator_hub.voting.schemas import MOST_OPTIONS

TALLIED = "poll.tallied"
BATCH = 100


def create(
    session: Session,
    actor: Actor,
    channel_id: uuid.UUID,
    *,
    title: str,
    options: list[str],
    weights: Mapping[uuid.UUID, Decimal],
    opens_at: datetime | None,
    closes_at: datetime | None,
    shuffle: bool,
    quiz: dict[str, Any] | None,
    **rules: Any,
) -> Poll:
    """A poll with its box; open at once unless `opens_at` lies ahead."""
    door = channel_by_id(session, actor, channel_id, Permission.RUN_VOTES)
    at = clock.now()
    if closes_at is not None and closes_at <= max(at, opens_at or at):
        raise Invalid(errors={"closes_at": ["Choose a moment after the opening, in the future."]})
    box = ballots.open_box(
        session, channel_id, closes_at=closes_at, weights=checked_weights(session, door.group, weights), **rules
    )
    poll = Poll(
        id=box.id,
        channel_id=channel_id,
        title=title,
        shuffle=shuffle,
        quiz=quiz,
        created_by=actor.person(),
        created_at=at,
        opens_at=opens_at,
    )
    session.add(poll)
    session.add_all(Option(id=new_id(), box_id=box.id, position=n, text=text) for n, text in enumerate(options))
    session.flush()
    if opens_at is None or opens_at <= at:
        _open(session, poll)
    return poll


def checked_weights(session: Session, group: Group, weights: Mapping[uuid.UUID, Decimal]) -> dict[str, str]:
    """Weights as they are stored; every tier must be one of the group's."""
    known = set(session.scalars(select(Tier.id).where(Tier.group_id == group.id, Tier.id.in_(list(weights)))))
    if known != set(weights):
        raise Invalid(errors={"weights": ["Name tiers of this group."]})
    return {str(tier): str(weight) for tier, weight in weights.items()}


def vote(session: Session, actor: Actor, poll_id: uuid.UUID, body: Mapping[str, Any]) -> str:
    """Cast or replace one's ballot; returns the receipt."""
    door = _locked(session, actor, poll_id, Permission.VOTE)
    _has_begun(session, door)
    receipt = ballots.cast(session, actor, door.box, door.standing, body)
    ballots.announce(session, door.box, TALLIED)
    return receipt


def take_back(session: Session, actor: Actor, poll_id: uuid.UUID) -> None:
    door = _locked(session, actor, poll_id, Permission.VOTE)
    ballots.withdraw(session, actor, door.box)
    ballots.announce(session, door.box, TALLIED)


def add_option(session: Session, actor: Actor, poll_id: uuid.UUID, text: str) -> Poll:
    """One more option while the poll runs. Not once somebody has voted for good without having seen it."""
    door = _locked(session, actor, poll_id, Permission.RUN_VOTES)
    poll, box = door.poll, door.box
    if box.is_over(clock.now()):
        raise Conflict("This poll is closed.", code="poll_closed")
    if not box.revote and ballots.turnout(session, box):
        raise Conflict("Ballots are final here, and some are cast: the options stay.", code="already_voted")
    present = ballots.options_of(session, [box.id])[box.id]
    if len(present) >= MOST_OPTIONS or text in {option.text for option in present}:
        raise Invalid(errors={"text": [f"Each option once, {MOST_OPTIONS} at most."]})
    if box.max_choices == len(present) > 1:
        box.max_choices += 1
    session.add(Option(id=new_id(), box_id=box.id, position=len(present), text=text))
    session.flush()
    if poll.opened_seq is not None:
        streams.rewrite(session, poll.channel_id, poll.opened_seq, queries.as_wire(session, [poll])[0])
    ballots.announce(session, box, TALLIED)
    return poll


def close_by_hand(session: Session, actor: Actor, poll_id: uuid.UUID) -> Poll:
    """Close now; closing what is closed changes nothing."""
    door = _locked(session, actor, poll_id, Permission.RUN_VOTES)
    if door.box.closed_at is None:
        _close(session, door.poll, door.box, door.group, door.channel)
    return door.poll


def result(session: Session, door: PollDoor) -> dict[str, Any]:
    """The contract's Result; while a sealed poll is open there is none (`poll_sealed`)."""
    if door.box.results == "sealed" and not door.box.is_over(clock.now()):
        raise Conflict("This poll is sealed until it closes.", code="poll_sealed")
    return ballots.result_of(session, door.box, door.group, door.channel.min_tier_rank)


def ballots_csv(session: Session, door: PollDoor) -> str:
    """Every ballot, once nobody can vote any more: before that nobody sees one, whatever their role."""
    if door.box.closed_at is None:
        raise Conflict("Ballots are published when the poll is closed.", code="poll_sealed")
    return queries.ballots_csv(session, door.box)


def keep_time(session: Session) -> int:
    """Open what is due, close what is over, tell the tallies that were held back; returns how many polls were met.
    Skips what another transaction holds: it comes round again in a second."""
    at = clock.now()
    due = session.scalars(
        select(Poll)
        .join(BallotBox, BallotBox.id == Poll.id)
        .where(
            BallotBox.closed_at.is_(None),
            (Poll.opened_at.is_(None) & (Poll.opens_at <= at))
            | (BallotBox.closes_at <= at)
            | (BallotBox.version > BallotBox.tallied_version),
        )
        .order_by(Poll.id)
        .limit(BATCH)
        .with_for_update(of=BallotBox, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for poll in due:
        box = session.get_one(BallotBox, poll.id, populate_existing=True)
        if poll.opened_at is None:
            _open(session, poll)
        if box.is_over(at):
            channel = session.get_one(Channel, poll.channel_id)
            _close(session, poll, box, session.get_one(Group, channel.group_id), channel)
        elif box.version > box.tallied_version:
            ballots.tell(session, box, TALLIED)
    return len(due)


def _locked(session: Session, actor: Actor, poll_id: uuid.UUID, permission: Permission) -> PollDoor:
    """Door, lock, door again: strangers never hold the lock, and what the lock waited for is seen."""
    poll_by_id(session, actor, poll_id, permission)
    ballots.lock(session, poll_id)
    return poll_by_id(session, actor, poll_id, permission)


def _has_begun(session: Session, door: PollDoor) -> None:
    """The first vote after `opens_at` opens the poll when the schedule has not come round yet."""
    if door.poll.opened_at is not None:
        return
    if queries.state_of(door.poll, door.box, clock.now()) == "scheduled":
        raise Conflict("This poll is not open yet.", code="poll_not_open")
    _open(session, door.poll)


def _open(session: Session, poll: Poll) -> None:
    wire = queries.as_wire(session, [poll])[0] | {"state": "open"}
    event = streams.append(session, poll.channel_id, "poll.opened", wire, subject_id=poll.id)
    poll.opened_at, poll.opened_seq = event.at, event.seq
    session.flush()


def _close(session: Session, poll: Poll, box: BallotBox, group: Group, channel: Channel) -> None:
    outcome = ballots.close(session, box, group, channel.min_tier_rank)
    streams.append(session, poll.channel_id, "poll.closed", {"id": str(poll.id), "result": outcome}, subject_id=poll.id)
