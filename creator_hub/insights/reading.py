"""Reads of the rollups: what each period changed, and so what the level was at its end. Nothing here writes.

The days that are over come from the rollups. Of today only the steps up to now count: they are few, and go through the
same function as everything else did.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Date, case, cast, func, literal, null, select
from sqlalchemy.orm import Session

from creator_hub.core import clock
from creator_hub.core.money import Money, round_half_up
from creator_hub.groups.models import Group, Invite, Tier
from creator_hub.insights import writing
from creator_hub.insights.facts import Person
from creator_hub.insights.models import DailyRollup, MembershipStep, PersonChange
from creator_hub.insights.periods import MONTHS_OF_A_YEAR, day_of, period_of, start_of
from creator_hub.insights.rollups import DayKey, sums_of

By = Literal["tier", "campaign", "passcode"]
BY: tuple[By, ...] = ("tier", "campaign", "passcode")
Slice = Hashable
Figures = Counter[str]
Changes = Mapping[tuple[date | None, Slice], Figures]
_COLUMN = {"tier": "tier_id", "campaign": "campaign", "passcode": "invite_id"}
CASH = ("paid_minor", "refunded_minor", "payments")
_KEY = {"group_id", "day", "tier_id", "campaign", "invite_id"}
FIGURES = tuple(column.name for column in DailyRollup.__table__.columns if column.name not in _KEY)


@dataclass(frozen=True, slots=True)
class Moment:
    """The moment a report speaks of: now, or just before the oldest change that no worker has taken over yet."""

    as_of: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        return day_of(self.as_of, self.zone)


def moment_of(session: Session, group: Group) -> Moment:
    waiting = session.scalar(select(func.min(PersonChange.at)).where(PersonChange.group_id == group.id))
    return Moment(min(waiting or clock.now(), clock.now()), ZoneInfo(group.timezone))


def changes(
    session: Session, group: Group, moment: Moment, *, since: date, grain: str = "day", by: By | None = None
) -> Changes:
    """What every day (or month, by its first day) from `since` on changed, today up to now; what was before is summed
    under None. By slice of `by`; without it the slice is None."""
    period = case((DailyRollup.day < since, None), else_=cast(func.date_trunc(grain, DailyRollup.day), Date))
    column = getattr(DailyRollup, _COLUMN[by]) if by else literal(None)
    rows = session.execute(
        select(
            period.label("period"),
            (column if by else null()).label("slice"),
            *(func.sum(getattr(DailyRollup, name)).label(name) for name in FIGURES),
        )
        .where(DailyRollup.group_id == group.id, DailyRollup.day < moment.today)
        .group_by("period", "slice")
    )
    found: dict[tuple[date | None, Slice], Figures] = defaultdict(Counter)
    for row in rows:
        found[row.period, row.slice].update({name: int(getattr(row, name)) for name in FIGURES})
    for key, figures in _today(session, group, moment).items():
        when = key.day if grain == "day" else period_of(key.day, grain)
        found[when if key.day >= since else None, getattr(key, _COLUMN[by]) if by else None].update(figures)
    return found


def _today(session: Session, group: Group, moment: Moment) -> dict[DayKey, Figures]:
    found: dict[DayKey, Figures] = defaultdict(Counter)
    for person in _people_who_move_today(session, group, moment):
        past = tuple(step for step in person.steps if step.day == moment.today and step.at <= moment.as_of)
        for (key, name), amount in sums_of(replace(person, steps=past, cash=())).items():
            if isinstance(key, DayKey):
                found[key][name] += amount
    # Cash is never of the future.
    rows = session.execute(
        select(DailyRollup).where(DailyRollup.group_id == group.id, DailyRollup.day == moment.today)
    ).scalars()
    for row in rows:
        key = DayKey(row.day, row.tier_id, row.campaign, row.invite_id)
        found[key].update({name: getattr(row, name) for name in CASH})
    return found


def _people_who_move_today(session: Session, group: Group, moment: Moment) -> list[Person]:
    moving = session.scalars(
        select(MembershipStep.user_id)
        .where(
            MembershipStep.group_id == group.id,
            MembershipStep.at.between(start_of(moment.today, moment.zone), moment.as_of),
        )
        .distinct()
    ).all()
    return writing.people(session, group.id, moving)


def names_of(session: Session, group: Group, by: By) -> dict[Any, str]:
    """What the slices of a group are called."""
    if by == "tier":
        rows = session.execute(select(Tier.id, Tier.name).where(Tier.group_id == group.id)).all()
        return {row.id: row.name for row in rows}
    if by == "passcode":
        found = session.execute(select(Invite.id, Invite.passcode).where(Invite.group_id == group.id)).all()
        return {row.id: row.passcode for row in found}
    return {}


def per_month(group: Group, annual_minor: int) -> Money:
    """A sum by the year as a price per month, rounded once."""
    return Money(round_half_up(int(annual_minor), MONTHS_OF_A_YEAR), group.currency)
