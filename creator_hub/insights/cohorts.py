"""Cohorts: people by the period in which they first paid, or first came; how many stay, and what they have paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from typing import Any

from sqlalchemy import Date, Integer, cast, func, select
from sqlalchemy.orm import Session

from creator_hub.core.money import Money
from creator_hub.groups.models import Group
from creator_hub.insights.facts import GONE
from creator_hub.insights.models import CohortRollup, MemberFact, MembershipStep
from creator_hub.insights.periods import last_day
from creator_hub.insights.reading import Moment
from creator_hub.insights.rollups import JOINED


@dataclass(frozen=True, slots=True)
class Cohort:
    """`retained[n]`: how many are still here at the end of the n-th period after the first (0: the one they came in;
    the running one: now). Of people who paid, those who pay; of people who joined, those who are members.

    `revenue[n]`: what they paid in that period, less what was refunded in it.
    """

    cohort: date
    size: int
    retained: Sequence[int]
    revenue: Sequence[Money]


def table(
    session: Session, group: Group, moment: Moment, periods: Sequence[date], *, basis: str, grain: str
) -> list[Cohort]:
    """The cohorts of `periods` (first days, oldest first) that have anybody in them."""
    size: dict[date, int] = {}
    people: dict[tuple[date, date], int] = {}
    cash: dict[tuple[date, date], int] = {}
    rows = session.scalars(
        select(CohortRollup).where(
            CohortRollup.group_id == group.id,
            CohortRollup.basis == basis,
            CohortRollup.grain == grain,
            CohortRollup.cohort.in_(list(periods)),
            CohortRollup.period <= periods[-1],
        )
    )
    for row in rows:
        size[row.cohort] = size.get(row.cohort, 0) + row.size
        people[row.cohort, row.period] = row.people
        cash[row.cohort, row.period] = row.net_minor
    later = _to_come(session, group, moment, last_day(periods[-1], grain), basis, grain)
    for n, cohort in enumerate(periods):
        for period in periods[n:]:
            key = (cohort, period)
            people[key] = people.get(key, 0) - later.get(key, 0)
    return [
        Cohort(
            cohort=cohort,
            size=size[cohort],
            retained=list(accumulate(people[cohort, period] for period in periods[n:])),
            revenue=[Money(cash.get((cohort, period), 0), group.currency) for period in periods[n:]],
        )
        for n, cohort in enumerate(periods)
        if size.get(cohort)
    ]


def label(row: Cohort, grain: str) -> str:
    """`2026-11`, or the Monday of the week."""
    return f"{row.cohort:%Y-%m}" if grain == "month" else row.cohort.isoformat()


def as_row(name: str, row: Cohort) -> dict[str, Any]:
    return {"cohort": name, "size": row.size, "retained": row.retained, "revenue": row.revenue}


def _to_come(
    session: Session, group: Group, moment: Moment, upto: date, basis: str, grain: str
) -> dict[tuple[date, date], int]:
    """What the steps that are still to come will change: the rollups hold them, the moment does not."""
    step, first = MembershipStep, MemberFact.first_day if basis == JOINED else MemberFact.first_paid_day
    cohort, period = (cast(func.date_trunc(grain, day), Date) for day in (first, step.day))
    here, was_here = (state != GONE if basis == JOINED else state == "paying" for state in (step.state, step.was_state))
    rows = session.execute(
        select(cohort, period, func.sum(cast(here, Integer) - cast(was_here, Integer)))
        .join(MemberFact, (MemberFact.group_id == step.group_id) & (MemberFact.user_id == step.user_id))
        .where(step.group_id == group.id, step.at > moment.as_of, step.day <= upto, first.is_not(None))
        .group_by(cohort, period)
    )
    return {(row[0], row[1]): int(row[2]) for row in rows}
