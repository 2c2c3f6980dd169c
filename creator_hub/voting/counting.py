"""Counting a box, while it runs and for good."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from creator_hub.accounts.queries import people
from creator_hub.core import clock, outbox
from creator_hub.groups.models import Group, Membership
from creator_hub.groups.queries import who_sees
from creator_hub.voting import secrecy, tally
from creator_hub.voting.ballots import options_of
from creator_hub.voting.models import Ballot, BallotBox, Voter
from creator_hub.voting.tally.model import Result, as_text


def turnout(session: Session, box: BallotBox) -> int:
    return session.scalar(select(func.count()).select_from(Voter).where(Voter.box_id == box.id)) or 0


def figures(session: Session, box: BallotBox) -> dict[str, Any]:
    """What a live hint tells of a box that is not sealed."""
    piles = _piles(session, box)
    totals = _counted(session, box, piles, weighted=True).totals
    return {"turnout": _turnout(piles), "totals": as_text(totals)}


def result_of(session: Session, box: BallotBox, group: Group, min_channel_rank: int) -> dict[str, Any]:
    """The contract's Result: what was published at the close, else a recount of this moment."""
    return box.result if box.result is not None else _count_whole(session, box, group, min_channel_rank)


def named_ballots(session: Session, box: BallotBox) -> list[dict[str, Any]]:
    """Who gave which ballot, for a box that is public by its rules."""
    rows = session.execute(
        select(Ballot.user_id, Ballot.body).where(Ballot.box_id == box.id, Ballot.user_id.is_not(None))
    ).all()
    faces = people(session, (row.user_id for row in rows))
    shown = [{"user": faces[row.user_id].as_json(), "ballot": row.body} for row in rows]
    return sorted(shown, key=lambda each: str(each["user"]["handle"]))


def close(session: Session, box: BallotBox, group: Group, min_channel_rank: int) -> dict[str, Any]:
    """Count a locked box for good, destroy its key, and leave of a secret vote nothing that names anybody."""
    outcome = _count_whole(session, box, group, min_channel_rank)
    if box.identity == "anonymous":
        outcome["weights_rounded"] = secrecy.rewrite(session, box.id)
        outbox.record(session, secrecy.SWEEP, {"box_id": str(box.id)}, key=str(box.id))
    box.result = outcome
    box.closed_at, box.ballot_key = clock.now(), None
    session.flush()
    return outcome


@dataclass(frozen=True, slots=True)
class Pile:
    """Equal ballots of equal weight, and how many they are."""

    weight: Decimal
    body: dict[str, Any]
    times: int


def _piles(session: Session, box: BallotBox) -> list[Pile]:
    """All ballots as they are at one instant: every figure of a count comes from this one read, so they agree while
    people vote. A recount costs what there is of difference, not what there is of voters."""
    rows = session.execute(
        select(Ballot.weight, Ballot.body, func.count().label("times"))
        .where(Ballot.box_id == box.id)
        .group_by(Ballot.weight, Ballot.body)
    ).all()
    return [Pile(row.weight, row.body, row.times) for row in rows]


def _turnout(piles: Sequence[Pile]) -> int:
    return sum(pile.times for pile in piles)


def _counted(session: Session, box: BallotBox, piles: Sequence[Pile], *, weighted: bool) -> Result:
    """A pile of n ballots counts as one of n times the weight. Options come afterwards: none is ever taken away, so
    those of the ballots are among them."""
    options = options_of(session, [box.id])[box.id]
    method = counted_by(box.method, box.max_choices)
    cast = [as_counted(method, pile.body, pile.times * (Fraction(pile.weight) if weighted else 1)) for pile in piles]
    return tally.count(method, [str(each.id) for each in options], cast, seats=box.seats, tie_seed=str(box.id))


def counted_by(method: str, max_choices: int | None) -> str:
    """A plurality vote with several choices counts as approval: each thing chosen gets the whole ballot."""
    return "approval" if method == "plurality" and max_choices != 1 else method


def as_counted(method: str, body: Mapping[str, Any], weight: int | Fraction) -> tally.Ballot:
    """A stored ballot in the form that counting reads."""
    if "scores" in body:
        return tally.Ballot(scores=body["scores"], weight=weight)
    if "ranking" in body:
        return tally.Ballot(ranking=tuple(tuple(rank) for rank in body["ranking"]), weight=weight)
    if method == "plurality":
        return tally.Ballot(choice=body["choices"][0], weight=weight)
    return tally.Ballot(approved=body["choices"], weight=weight)


def _count_whole(session: Session, box: BallotBox, group: Group, min_channel_rank: int) -> dict[str, Any]:
    piles = _piles(session, box)
    voted = _turnout(piles)
    raw, weighted = (_counted(session, box, piles, weighted=each) for each in (False, True))
    cast_by = set(session.scalars(select(Voter.user_id).where(Voter.box_id == box.id)))
    quorum_met = voted >= (box.quorum or 0)
    return {
        "winner_ids": list(weighted.winners) if quorum_met else [],
        "order": list(weighted.order),
        "raw": raw.as_json(),
        "weighted": weighted.as_json(),
        "differs": set(raw.winners) != set(weighted.winners),
        "turnout": voted,
        "eligible": len(_eligible(session, box, group, min_channel_rank) | cast_by),
        "quorum_met": quorum_met,
        "weights_rounded": False,
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
