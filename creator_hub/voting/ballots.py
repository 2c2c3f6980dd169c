"""Casting: who may put which ballot into a box. Counting and closing are in counting.py.

Every box has a lock of its own. Ballots take it shared, so a rush of voters does not queue up; the close takes it
alone, so it counts every ballot that was accepted and none comes after. The deadline is checked under the lock. Whoever
waits for the lock is served in turn: no close starves behind a stream of votes.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, literal_column, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from creator_hub import settings
from creator_hub.core import clock
from creator_hub.core.access import Actor
from creator_hub.core.errors import Conflict, Invalid, NotAllowed
from creator_hub.core.ids import new_id
from creator_hub.groups.standing import Standing
from creator_hub.voting import tally
from creator_hub.voting.models import Ballot, BallotBox, Option, Voter

BEST_SCORE = 5


def open_box(session: Session, channel_id: uuid.UUID, *, box_id: uuid.UUID | None = None, **rules: Any) -> BallotBox:
    """A new box with a key of its own."""
    box = BallotBox(id=box_id or new_id(), channel_id=channel_id, ballot_key=secrets.token_hex(32), **rules)
    session.add(box)
    session.flush()
    return box


def enter(session: Session, box_id: uuid.UUID) -> None:
    """Share the box's lock until the commit: it cannot be closed or get other options meanwhile."""
    session.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": _key(box_id)})


def lock(session: Session, box_id: uuid.UUID) -> BallotBox:
    """The box as it is now, nobody else at it until the commit."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _key(box_id)})
    return session.get_one(BallotBox, box_id, populate_existing=True)


def try_lock(session: Session, box_id: uuid.UUID) -> bool:
    """The same without waiting; False when somebody else is at it."""
    return bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _key(box_id)}))


def _key(box_id: uuid.UUID) -> int:
    """The random half of a UUIDv7. Two boxes that met here would only wait for each other."""
    return box_id.int & (2**63 - 1)


def options_of(
    session: Session, box_ids: Sequence[uuid.UUID], *, states: Sequence[str] = ("standing",)
) -> dict[uuid.UUID, list[Option]]:
    """The options one can vote for, by box, in their order; `states` asks for others."""
    found: dict[uuid.UUID, list[Option]] = {box_id: [] for box_id in box_ids}
    rows = session.scalars(
        select(Option).where(Option.box_id.in_(box_ids), Option.state.in_(states)).order_by(Option.position)
    )
    for option in rows:
        found[option.box_id].append(option)
    return found


def cast(session: Session, actor: Actor, box: BallotBox, standing: Standing, body: Mapping[str, Any]) -> str:
    """Put a ballot into a box whose lock is shared, and return its receipt. A second ballot replaces the first where
    the box allows it, else it is refused (`already_voted`)."""
    refuse_closed(box)
    _may_vote(box, standing)
    ballot = _checked(session, box, body)
    receipt = _receipt(box, actor.person())
    # Writing the voter's row, also when it is there, makes one person's ballots wait for each other.
    voter = insert(Voter).values(box_id=box.id, user_id=actor.person())
    is_first = session.scalar(
        voter.on_conflict_do_update(
            index_elements=["box_id", "user_id"], set_={"user_id": voter.excluded.user_id}
        ).returning(literal_column("xmax = 0"))
    )
    if not is_first and not box.revote:
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
    """Take one's ballot out of a box whose lock is shared; without one nothing happens."""
    refuse_closed(box)
    if not box.revote:
        raise Conflict("Ballots are final in this vote.", code="already_voted")
    session.execute(delete(Voter).where(Voter.box_id == box.id, Voter.user_id == actor.person()))
    session.execute(delete(Ballot).where(Ballot.receipt == _receipt(box, actor.person())))


def refuse_closed(box: BallotBox) -> None:
    if box.is_over(clock.now()):
        raise Conflict("This vote is closed.", code="poll_closed")


def has_voted(session: Session, box_ids: Sequence[uuid.UUID], user_id: uuid.UUID) -> set[uuid.UUID]:
    """The boxes among these into which the person has put a ballot."""
    return set(session.scalars(select(Voter.box_id).where(Voter.user_id == user_id, Voter.box_id.in_(box_ids))))


def own(session: Session, boxes: Sequence[BallotBox], user_id: uuid.UUID) -> dict[uuid.UUID, dict[str, Any]]:
    """What the person chose, by box, for themselves to see. Only while a box is open: its key is what joins a person to
    a ballot, and it dies at the close."""
    receipts = [_receipt(box, user_id) for box in boxes if box.ballot_key is not None]
    rows = session.execute(select(Ballot.box_id, Ballot.body).where(Ballot.receipt.in_(receipts))).all()
    return {row.box_id: row.body for row in rows}


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
    most = box.max_choices or len(known)
    if not box.min_choices <= len(flat) <= most:
        raise Invalid(errors={kind: [f"Choose {box.min_choices} to {most} options."]})
    if box.method in tally.STRICT and any(len(equal) > 1 for equal in given):
        raise Invalid(errors={kind: ["Give each option a rank of its own."]})
    if kind == "choices":
        return {kind: sorted(flat)}
    if kind == "scores":
        return {kind: {str(option): score for option, score in given.items()}}
    return {kind: [sorted(str(each) for each in equal) for equal in given]}
