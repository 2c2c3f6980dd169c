"""Which paying members may leave soon: a score anybody can check by hand, and how often it was right.

Every rule is a fact of the days before; the score is the sum of the points of the rules that hold. Whether it means
anything is not assumed but shown: of those it flagged thirty days ago, how many have left, against all others.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from creator_hub.groups.models import Group
from creator_hub.insights.models import ActivityDay, MemberFact, MembershipStep
from creator_hub.insights.reading import Moment

# rule → points
POINTS: Mapping[str, int] = {"payment_late": 3, "silent_14_days": 2, "half_as_active": 1, "first_renewal_near": 1}
FLAGGED_FROM = 2
LOOKED_BACK = timedelta(days=30)
SILENT, HALF, NEW = timedelta(days=14), timedelta(days=28), timedelta(days=35)


@dataclass(frozen=True, slots=True)
class AtRisk:
    user_id: uuid.UUID
    score: int
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class HitRate:
    """Of the people flagged thirty days ago, how many left since; and of those not flagged."""

    flagged: int
    flagged_left: int
    others: int
    others_left: int


@dataclass(frozen=True, slots=True)
class _Subscriber:
    user_id: uuid.UUID
    state: str
    first_paid_day: date | None
    left: bool


def members_at_risk(session: Session, group: Group, moment: Moment) -> list[AtRisk]:
    """Who is flagged now, the highest score first."""
    found = _scores(session, group, moment)
    flagged = [AtRisk(who.user_id, *_score(reasons)) for who, reasons in found if _is_flagged(reasons)]
    return sorted(flagged, key=lambda row: (-row.score, row.user_id))


def hit_rate(session: Session, group: Group, moment: Moment) -> HitRate:
    """The same score as it was thirty days ago, held against what has happened since."""
    then = Moment(moment.as_of - LOOKED_BACK, moment.zone)
    left: dict[bool, list[bool]] = {True: [], False: []}
    for who, reasons in _scores(session, group, then, moment):
        left[_is_flagged(reasons)].append(who.left)
    return HitRate(len(left[True]), sum(left[True]), len(left[False]), sum(left[False]))


def _score(reasons: Sequence[str]) -> tuple[int, Sequence[str]]:
    return sum(POINTS[reason] for reason in reasons), reasons


def _is_flagged(reasons: Sequence[str]) -> bool:
    return _score(reasons)[0] >= FLAGGED_FROM


def _scores(
    session: Session, group: Group, at: Moment, seen_at: Moment | None = None
) -> list[tuple[_Subscriber, list[str]]]:
    recent, before, last = _activity(session, group, at.today)
    return [
        (who, _reasons(who, at.today, recent.get(who.user_id, 0), before.get(who.user_id, 0), last.get(who.user_id)))
        for who in _subscribers(session, group, at, seen_at or at)
    ]


def _reasons(who: _Subscriber, today: date, recent: int, before: int, last: date | None) -> list[str]:
    holds = {
        "payment_late": who.state == "grace",
        "silent_14_days": last is None or today - last >= SILENT,
        "half_as_active": before > 1 and 2 * recent < before,
        "first_renewal_near": who.first_paid_day is not None and today - who.first_paid_day <= NEW,
    }
    return [rule for rule in POINTS if holds[rule]]


def _subscribers(session: Session, group: Group, at: Moment, seen_at: Moment) -> list[_Subscriber]:
    """Who subscribed at a moment, and whether they have ceased to by `seen_at`."""
    step, fact = MembershipStep, MemberFact
    rows = session.execute(
        select(step.user_id, step.state, fact.first_paid_day, fact.unsubscribed_at)
        .join(fact, (fact.group_id == step.group_id) & (fact.user_id == step.user_id))
        .where(
            step.group_id == group.id,
            step.at <= at.as_of,
            or_(step.until.is_(None), step.until > at.as_of),
            step.state.in_(("paying", "grace")),
        )
    )
    return [
        _Subscriber(user_id, state, first, ended is not None and at.as_of < ended <= seen_at.as_of)
        for user_id, state, first, ended in rows
    ]


def _activity(
    session: Session, group: Group, today: date
) -> tuple[dict[uuid.UUID, int], dict[uuid.UUID, int], dict[uuid.UUID, date]]:
    """Days of activity in the last two weeks and in the two before, and the last day with any in six weeks."""
    row = ActivityDay
    rows = session.execute(
        select(
            row.user_id,
            func.count().filter(row.day > today - SILENT),
            func.count().filter(row.day <= today - SILENT, row.day > today - HALF),
            func.max(row.day),
        )
        .where(row.group_id == group.id, row.day > today - timedelta(days=42), row.day <= today)
        .group_by(row.user_id)
    ).all()
    return {r[0]: r[1] for r in rows}, {r[0]: r[2] for r in rows}, {r[0]: r[3] for r in rows}
