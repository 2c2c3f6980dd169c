"""Putting questions: open, vote, close by hand or on time, exactly once each. Added options are in poll_options.py."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub import streams
from creator_hub.core import clock, logs
from creator_hub.core.access import Actor, Permission
from creator_hub.core.errors import Conflict, Invalid
from creator_hub.core.ids import new_id
from creator_hub.groups.doors import channel_by_id
from creator_hub.groups.models import Channel, Group, Tier
from creator_hub.voting import ballots, counting, queries, tellings
from creator_hub.voting.doors import PollDoor, poll_by_id
from creator_hub.voting.models import BallotBox, Option, Poll
from creator_hub.voting.options import folded
from creator_hub.voting.standing_lock import hold

TALLIED, KIND = "poll.tallied", "poll"
BATCH = 100
log = logs.get(__name__)


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
    adding: str,
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
        adding=adding,
        created_by=actor.person(),
        created_at=at,
        opens_at=opens_at,
    )
    session.add(poll)
    session.add_all(
        Option(id=new_id(), box_id=box.id, position=n, text=text, folded=folded(text)) for n, text in enumerate(options)
    )
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
    door = _entered(session, actor, poll_id)
    _has_begun(session, door)
    receipt = ballots.cast(session, actor, door.box, door.standing, body)
    tell(session, door.box)
    return receipt


def take_back(session: Session, actor: Actor, poll_id: uuid.UUID) -> None:
    door = _entered(session, actor, poll_id)
    ballots.withdraw(session, actor, door.box)
    tell(session, door.box)


def tell(session: Session, box: BallotBox) -> None:
    """Let the running tally be told. A sealed box says nothing, not even that somebody voted."""
    if box.results == "live":
        tellings.changed(session, KIND, box.id)


def close_by_hand(session: Session, actor: Actor, poll_id: uuid.UUID) -> Poll:
    """Close now; closing what is closed changes nothing."""
    door = locked(session, actor, poll_id, Permission.RUN_VOTES)
    if door.box.closed_at is None:
        _close(session, door.poll, door.box, door.group, door.channel)
    return door.poll


def result(session: Session, door: PollDoor) -> dict[str, Any]:
    """The contract's Result; while a sealed poll is open there is none (`poll_sealed`). A public poll names its
    voters."""
    if door.box.results == "sealed" and not door.box.is_over(clock.now()):
        raise Conflict("This poll is sealed until it closes.", code="poll_sealed")
    outcome = counting.result_of(session, door.box, door.group, door.channel.min_tier_rank)
    if door.box.identity == "public":
        return outcome | {"ballots": counting.named_ballots(session, door.box)}
    return outcome


def ballots_csv(session: Session, door: PollDoor) -> str:
    """Every ballot, once nobody can vote any more: before that nobody sees one, whatever their role."""
    if door.box.closed_at is None:
        raise Conflict("Ballots are published when the poll is closed.", code="poll_sealed")
    return queries.ballots_csv(session, door.box)


def keep_time(session: Session) -> int:
    """Open what is due and close what is over; returns how many polls were met. Skips what another transaction holds:
    it comes round again in a second. One poll that fails does not hold up the others."""
    at = clock.now()
    due = session.scalars(
        select(Poll.id)
        .join(BallotBox, BallotBox.id == Poll.id)
        .where(
            BallotBox.closed_at.is_(None),
            (Poll.opened_at.is_(None) & (Poll.opens_at <= at)) | (BallotBox.closes_at <= at),
        )
        .order_by(Poll.channel_id, Poll.id)  # streams are locked in the order of their ids
        .limit(BATCH)
    ).all()
    met = 0
    for poll_id in due:
        try:
            with session.begin_nested():
                met += ballots.try_lock(session, poll_id) and _keep(session, poll_id, at)
        except Exception as error:
            log.error("poll_keeps_no_time", poll=str(poll_id), error=type(error).__name__, exc_info=error)
    return met


def _keep(session: Session, poll_id: uuid.UUID, at: datetime) -> bool:
    """What is due of a locked poll; False when it was done meanwhile."""
    poll = session.get_one(Poll, poll_id, populate_existing=True)
    box = session.get_one(BallotBox, poll_id, populate_existing=True)
    opens, closes = poll.opened_at is None, box.closed_at is None and box.is_over(at)
    if opens and box.closed_at is None:
        _open(session, poll)
    if closes:
        channel = session.get_one(Channel, poll.channel_id)
        _close(session, poll, box, session.get_one(Group, channel.group_id), channel)
    return opens or closes


def locked(session: Session, actor: Actor, poll_id: uuid.UUID, permission: Permission) -> PollDoor:
    """Door, lock, door again: strangers never hold the lock, and what the lock waited for is seen."""
    poll_by_id(session, actor, poll_id, permission)
    ballots.lock(session, poll_id)
    return poll_by_id(session, actor, poll_id, permission)


def _entered(session: Session, actor: Actor, poll_id: uuid.UUID) -> PollDoor:
    """The same for a voter, who shares the lock, and whose own standing is held. The first voter of a poll that is due
    opens it, and takes the lock alone."""
    door = poll_by_id(session, actor, poll_id, Permission.VOTE)
    ballots.refuse_closed(door.box)
    hold(session, door.group.id, actor.person())
    if door.poll.opened_at is None:
        ballots.lock(session, poll_id)
    else:
        ballots.enter(session, poll_id)
    return poll_by_id(session, actor, poll_id, Permission.VOTE)


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
    outcome = counting.close(session, box, group, channel.min_tier_rank)
    streams.append(session, poll.channel_id, "poll.closed", {"id": str(poll.id), "result": outcome}, subject_id=poll.id)


@tellings.teller(KIND)
def _running(session: Session, poll_id: uuid.UUID) -> tellings.News | None:
    box = session.get(BallotBox, poll_id, populate_existing=True)
    if box is None or box.closed_at is not None or box.results == "sealed":
        return None
    return tellings.News(box.channel_id, TALLIED, counting.figures(session, box))
