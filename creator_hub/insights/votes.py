"""How many take part in the group's votes, poll by poll and round by round."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from creator_hub.groups.models import Channel, Group
from creator_hub.voting.chain_models import Chain, Round
from creator_hub.voting.models import BallotBox, Poll, Voter


@dataclass(frozen=True, slots=True)
class Vote:
    """`share` is voters per person who could vote, once the vote is closed; `differs`: weights changed who won."""

    id: uuid.UUID
    kind: str
    title: str
    method: str
    closed_at: datetime | None
    voters: int
    eligible: int | None
    share: float | None
    differs: bool | None


def votes(session: Session, group: Group, limit: int) -> Sequence[Vote]:
    """The newest votes first, running ones included."""
    voters = select(func.count()).where(Voter.box_id == BallotBox.id).scalar_subquery()
    rows = session.execute(
        select(BallotBox, Poll.title, Chain.title.label("chain"), voters.label("voters"))
        .join(Channel, Channel.id == BallotBox.channel_id)
        .outerjoin(Poll, Poll.id == BallotBox.id)
        .outerjoin(Round, Round.id == BallotBox.id)
        .outerjoin(Chain, Chain.id == Round.chain_id)
        .where(Channel.group_id == group.id)
        .order_by(BallotBox.id.desc())
        .limit(limit)
    )
    return [_vote(row.BallotBox, row.title, row.chain, row.voters) for row in rows]


def _vote(box: BallotBox, poll: str | None, chain: str | None, voters: int) -> Vote:
    result = box.result or {}
    eligible = result.get("eligible")
    return Vote(
        id=box.id,
        kind="poll" if poll is not None else "round",
        title=poll or chain or "",
        method=box.method,
        closed_at=box.closed_at,
        voters=voters,
        eligible=eligible,
        share=round(voters / eligible, 4) if eligible else None,
        differs=result.get("differs"),
    )
