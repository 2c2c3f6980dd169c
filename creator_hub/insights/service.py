"""Writes the facts. A day is written while it runs, closed after it ended, and looked at again for late news."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from creator_hub.core import clock
from creator_hub.groups.models import Group
from creator_hub.insights import history
from creator_hub.insights.facts import Fact, History, end_of, fact_of, start_of
from creator_hub.insights.models import FactProgress, MembershipFact

# News from the payment processor may be late: when a new day begins, so many earlier ones are written again.
REVISED_DAYS = 2
GROUPS_AT_ONCE = 20
ROWS_AT_ONCE = 5_000


def write_due(session: Session) -> int:
    """Close the days that have ended, for some groups a call; returns for how many. Running it twice is once."""
    today = start_of(clock.now().date())
    due = session.scalars(
        select(Group.id)
        .outerjoin(FactProgress, FactProgress.group_id == Group.id)
        .where(or_(FactProgress.written_until.is_(None), FactProgress.written_until < today))
        .order_by(FactProgress.written_until.nulls_first(), Group.id)
        .limit(GROUPS_AT_ONCE)
    ).all()
    # In id order: whoever else locks several groups' progress does it in the same order.
    for group_id in sorted(due):
        bring_up_to_date(session, group_id)
    return len(due)


def bring_up_to_date(session: Session, group_id: uuid.UUID) -> datetime:
    """Write every day that is missing, today up to now included; returns that now."""
    progress = _locked_progress(session, group_id)
    now = clock.now()
    _write(session, group_id, _first_stale_day(progress, now.date()), now)
    progress.written_until = now
    return now


def rebuild(session: Session, group_id: uuid.UUID) -> None:
    """Forget the group's facts and make them again from the first day."""
    _locked_progress(session, group_id).written_until = None
    session.execute(delete(MembershipFact).where(MembershipFact.group_id == group_id))
    session.flush()
    bring_up_to_date(session, group_id)


def _locked_progress(session: Session, group_id: uuid.UUID) -> FactProgress:
    session.execute(upsert(FactProgress).values(group_id=group_id).on_conflict_do_nothing())
    return session.scalars(
        select(FactProgress)
        .where(FactProgress.group_id == group_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _first_stale_day(progress: FactProgress, today: date) -> date | None:
    if progress.written_until is None:
        return None
    last = progress.written_until.date()
    return today if last == today else last - timedelta(days=REVISED_DAYS)


def _write(session: Session, group_id: uuid.UUID, first_day: date | None, now: datetime) -> None:
    """The facts of every day from `first_day` (None: the very first) to today, in place of what was there."""
    histories = history.of_group(session, group_id, start_of(first_day) if first_day else None)
    if first_day is not None:
        session.execute(
            delete(MembershipFact).where(MembershipFact.group_id == group_id, MembershipFact.day >= first_day)
        )
    day = first_day or _first_day(histories, now)
    while day <= now.date():
        _insert(session, group_id, day, [fact_of(person, day, min(end_of(day), now)) for person in histories])
        day += timedelta(days=1)


def _first_day(histories: list[History], now: datetime) -> date:
    starts = [stay.starts_at for person in histories for stay in person.stays]
    return min(starts, default=now).date()


def _insert(session: Session, group_id: uuid.UUID, day: date, facts: list[Fact | None]) -> None:
    rows = [_row(group_id, day, fact) for fact in facts if fact is not None]
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        session.execute(insert(MembershipFact), rows[begin : begin + ROWS_AT_ONCE])


def _row(group_id: uuid.UUID, day: date, fact: Fact) -> dict[str, Any]:
    return {"group_id": group_id, "day": day} | {name: getattr(fact, name) for name in Fact.__slots__}
