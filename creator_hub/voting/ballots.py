"""Casting, counting, closing: what polls and rounds share.

The box's row lock comes before the check of its deadline, so a late vote never slips in and a count never misses one.
Lock order: round → box → stream.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from creator_hub import settings
from creator_hub.core import clock
from creator_hub.core.access import Actor
from creator_hub.core.errors import Conflict, Invalid, NotAllowed, NotFound
from creator_hub.core.ids import new_id
from creator_hub.groups.models import Group, Membership
from creator_hub.groups.queries import who_sees
from creator_hub.groups.standing import Standing
from creator_hub.streams import hints
from creator_hub.voting import tally
from creator_hub.voting.models import Ballot, BallotBox, Option, Voter
from creator_hub.voting.tally.model import Result, as_text

TALLY_PAUSE = timedelta(milliseconds=250)  # the contract's four hints a second
BEST_SCORE = 5


def open_box(session: Session, channel_id: uuid.UUID, *, box_id: uuid.UUID | None = None, **rules: Any) -> BallotBox:
    """A new box with a key of its own."""
    box = BallotBox(id=box_id or new_id(), channel_id=channel_id, ballot_key=secrets.token_hex(32), **rules)
    session.add(box)
    session.flush()
    return box


def lock(session: Session, box_id: uuid.UUID) -> BallotBox:
    """The box as it is now, its row locked until the commit."""
    box = session.scalars(
        select(BallotBox).where(BallotBox.id == box_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if box is None:
        raise NotFound
    return box


def options_of(session: Session, box_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Option]]:
    found: dict[uuid.UUID, list[Option]] = {box_id: [] for box_id in box_ids}
    rows = session.scalars(select(Option).where(Option.box_id.in_(box_ids)).order_by(Option.position))
    for option in rows:
        found[option.box_id].append(option)
    return found


def cast(session: Session, actor: Actor, box: BallotBox, standing: Standing, body: Mapping[str, Any]) -> str:
    """Put a ballot into a locked box and return its receipt. A second ballot replaces the first where the box allows
    it, else it is refused (`already_voted`)."""
    _still_open(box)
    _may_vote(box, standing)
    ballot = _checked(session, box, body)
    receipt = _receipt(box, actor.person())
    first = session.execute(
        insert(Voter).values(box_id=box.id, user_id=actor.person()).on_conflict_do_nothing().returning(Voter.user_id)
    ).all()
    if not first and not box.revote:
        raise Conflict("You have voted, and ballots are final in this vote.", code="already_voted")
    entry = insert(Ballot).values(
        receipt=receipt,
        box_id=box.id,
        weight=_weight(box, standing),
        body=ballot,
        user_id=actor.person() if box.identity == "public" else None,
    )
    session.execute(
        entry.on_conflict_do_update(
            index_elements=["receipt"], set_={"weight": entry.excluded.weight, "body": entry.excluded.body}
        )
    )
    return receipt


def withdraw(session: Session, actor: Actor, box: BallotBox) -> None:
    """Take one's ballot out of a locked box again; without one nothing happens."""
    _still_open(box)
    if not box.revote:
        raise Conflict("Ballots are final in this vote.", code="already_voted")
    session.execute(delete(Ballot).where(Ballot.receipt == _receipt(box, actor.person())))
    session.execute(delete(Voter).where(Voter.box_id == box.id, Voter.user_id == actor.person()))


def has_voted(session: Session, box_ids: Sequence[uuid.UUID], user_id: uuid.UUID) -> set[uuid.UUID]:
    """The boxes among these into which the person has put a ballot."""
    return set(session.scalars(select(Voter.box_id).where(Voter.user_id == user_id, Voter.box_id.in_(box_ids))))


def turnout(session: Session, box: BallotBox) -> int:
    return session.scalar(select(func.count()).select_from(Voter).where(Voter.box_id == box.id)) or 0


def result_of(session: Session, box: BallotBox, group: Group, min_channel_rank: int) -> dict[str, Any]:
    """The contract's Result: what was published at the close, else the count as it stands."""
    return box.result if box.result is not None else _count(session, box, group, min_channel_rank)


def close(session: Session, box: BallotBox, group: Group, min_channel_rank: int) -> dict[str, Any]:
    """Count a locked box for good and destroy its key."""
    box.result = _count(session, box, group, min_channel_rank)
    box.closed_at, box.ballot_key = clock.now(), None
    session.flush()
    # Rewriting all ballots in one transaction removes the trace of which transaction brought which ballot.
    session.execute(update(Ballot).where(Ballot.box_id == box.id).values(weight=Ballot.weight))
    return box.result


def announce(session: Session, box: BallotBox, name: str) -> None:
    """Note that a locked box changed, and tell the running tally live, at most four times a second; what is held back
    here is told by `announce_late`."""
    box.version += 1
    if box.tallied_at is None or clock.now() - box.tallied_at >= TALLY_PAUSE:
        tell(session, box, name)


def tell(session: Session, box: BallotBox, name: str) -> None:
    """Send the tally hint of a locked box. A sealed box tells how many voted, nothing else."""
    box.tallied_version, box.tallied_at = box.version, clock.now()
    session.flush()
    payload: dict[str, Any] = {"id": str(box.id), "version": box.version, "turnout": turnout(session, box)}
    if box.results == "live":
        payload["totals"] = as_text(_tally(session, box, weighted=True).totals)
    hints.ephemeral_after_commit(session, box.channel_id, name, payload)


def _still_open(box: BallotBox) -> None:
    if box.is_over(clock.now()):
        raise Conflict("This vote is closed.", code="poll_closed")


def _may_vote(box: BallotBox, standing: Standing) -> None:
    if standing.role == "creator":
        return
    if standing.role != "moderator" and standing.rank < box.min_tier_rank:
        raise NotAllowed("This vote belongs to a higher tier. Change your tier to take part.", code="tier")
    earliest = clock.now() - timedelta(hours=box.min_member_hours)
    if standing.membership is None or standing.membership.since > earliest:
        raise NotAllowed(
            "Voting here takes %(hours)s hours of membership. Please come back later.",
            code="too_new",
            hours=box.min_member_hours,
        )


def _weight(box: BallotBox, standing: Standing) -> Decimal:
    return Decimal(box.weights.get(str(standing.tier.id), "1")) if standing.tier else Decimal(1)


def _receipt(box: BallotBox, user_id: uuid.UUID) -> str:
    secret = settings.current().secret_key.encode()
    return hmac.new(secret, f"{box.ballot_key}:{user_id}".encode(), hashlib.sha256).hexdigest()


def _checked(session: Session, box: BallotBox, body: Mapping[str, Any]) -> dict[str, Any]:
    """The ballot as it is stored; raises Invalid when it is not one of this box."""
    known = {str(option.id) for option in options_of(session, [box.id])[box.id]}
    kind = "choices" if box.method in tally.CHOOSING else "scores" if box.method in tally.SCORING else "ranking"
    if set(body) != {kind}:
        raise Invalid(errors={kind: [f"This vote takes a ballot with {kind}."]})
    given = body[kind]
    flat = [str(each) for equal in given for each in equal] if kind == "ranking" else [str(each) for each in given]
    if len(set(flat)) != len(flat) or not set(flat) <= known:
        raise Invalid(errors={kind: ["Name options of this vote, each once."]})
    if not box.min_choices <= len(flat) <= box.max_choices:
        raise Invalid(errors={kind: [f"Choose {box.min_choices} to {box.max_choices} options."]})
    if box.method in tally.STRICT and any(len(equal) > 1 for equal in given):
        raise Invalid(errors={kind: ["Give each option a rank of its own."]})
    if kind == "choices":
        return {kind: sorted(flat)}
    if kind == "scores":
        return {kind: {str(option): score for option, score in given.items()}}
    return {kind: [sorted(str(each) for each in equal) for equal in given]}


def _tally(session: Session, box: BallotBox, *, weighted: bool) -> Result:
    """Equal ballots come as one row: a recount costs what there is of difference, not what there is of voters."""
    ids = [str(option.id) for option in options_of(session, [box.id])[box.id]]
    rows = session.execute(
        select(Ballot.weight, Ballot.body, func.count().label("times"))
        .where(Ballot.box_id == box.id)
        .group_by(Ballot.weight, Ballot.body)
    ).all()
    cast_ballots = [
        as_counted(box.method, box.max_choices, row.body, row.times * (Fraction(row.weight) if weighted else 1))
        for row in rows
    ]
    method = counted_by(box.method, box.max_choices)
    return tally.count(method, ids, cast_ballots, seats=box.seats, tie_seed=str(box.id))


def counted_by(method: str, max_choices: int) -> str:
    """A plurality vote with several choices counts as approval: each thing chosen gets the whole ballot."""
    return "approval" if method == "plurality" and max_choices > 1 else method


def as_counted(method: str, max_choices: int, body: Mapping[str, Any], weight: int | Fraction) -> tally.Ballot:
    """A stored ballot in the form that counting reads."""
    if "scores" in body:
        return tally.Ballot(scores=body["scores"], weight=weight)
    if "ranking" in body:
        return tally.Ballot(ranking=tuple(tuple(rank) for rank in body["ranking"]), weight=weight)
    if counted_by(method, max_choices) == "plurality":
        return tally.Ballot(choice=body["choices"][0], weight=weight)
    return tally.Ballot(approved=body["choices"], weight=weight)


def _count(session: Session, box: BallotBox, group: Group, min_channel_rank: int) -> dict[str, Any]:
    raw, weighted = _tally(session, box, weighted=False), _tally(session, box, weighted=True)
    cast_by = set(session.scalars(select(Voter.user_id).where(Voter.box_id == box.id)))
    quorum_met = len(cast_by) >= (box.quorum or 0)
    return {
        "winner_ids": list(weighted.winners) if quorum_met else [],
        "order": list(weighted.order),
        "raw": raw.as_json(),
        "weighted": weighted.as_json(),
        "differs": set(raw.winners) != set(weighted.winners),
        "turnout": len(cast_by),
        "eligible": len(_eligible(session, box, group, min_channel_rank) | cast_by),
        "quorum_met": quorum_met,
    }


def _eligible(session: Session, box: BallotBox, group: Group, min_channel_rank: int) -> set[uuid.UUID]:
    """Who may vote now, the owner included."""
    able = who_sees(session, group.id, max(box.min_tier_rank, min_channel_rank))
    if box.min_member_hours:
        earliest = clock.now() - timedelta(hours=box.min_member_hours)
        able &= set(
            session.scalars(
                select(Membership.user_id).where(Membership.group_id == group.id, Membership.since <= earliest)
            )
        )
    return able | {group.owner_id}
