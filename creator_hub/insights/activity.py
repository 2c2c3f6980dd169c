"""Counts what people did, day by day, from the marks that were left in the same moment."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, insert, literal, select
from sqlalchemy.orm import Session

from creator_hub.groups.models import Group
from creator_hub.insights.models import ACTIVITIES, ActivityDay, ActivityMark, ActivityRollup
from creator_hub.insights.periods import day_of, days_between, start_of

WEEK, MONTH = timedelta(days=6), timedelta(days=29)
# A mark is written when a thing is done and seen when that is committed, at the latest this much later.
LATEST_COMMIT = timedelta(minutes=5)


def count(session: Session, group: Group, since: datetime | None, now: datetime) -> None:
    """Count every day from that of `since` (None: of the first mark) to today; a day is counted whole, so that counting
    it twice is counting it once."""
    zone = ZoneInfo(group.timezone)
    first = since - LATEST_COMMIT if since is not None else _first_mark(session, group.id)
    if first is None:
        return
    for day in days_between(day_of(first, zone), day_of(now, zone)):
        _count_people(session, group.id, day, zone)
        _count_day(session, group, day)


def forget(session: Session, group_id: uuid.UUID) -> None:
    for model in (ActivityDay, ActivityRollup):
        session.execute(delete(model).where(model.group_id == group_id))


def _first_mark(session: Session, group_id: uuid.UUID) -> datetime | None:
    return session.scalar(select(func.min(ActivityMark.at)).where(ActivityMark.group_id == group_id))


def _count_people(session: Session, group_id: uuid.UUID, day: date, zone: ZoneInfo) -> None:
    session.execute(delete(ActivityDay).where(ActivityDay.group_id == group_id, ActivityDay.day == day))
    mark = ActivityMark
    counted = (
        select(
            mark.group_id,
            literal(day),
            mark.user_id,
            *(func.coalesce(func.sum(mark.times).filter(mark.kind == kind), 0) for kind in ACTIVITIES),
        )
        .where(
            mark.group_id == group_id,
            mark.at >= start_of(day, zone),
            mark.at < start_of(day + timedelta(days=1), zone),
        )
        .group_by(mark.group_id, mark.user_id)
    )
    session.execute(insert(ActivityDay).from_select(["group_id", "day", "user_id", *ACTIVITIES], counted))


def _count_day(session: Session, group: Group, day: date) -> None:
    session.execute(delete(ActivityRollup).where(ActivityRollup.group_id == group.id, ActivityRollup.day == day))
    row = ActivityDay
    fan, today = row.user_id != group.owner_id, row.day == day
    people = func.count(row.user_id.distinct())
    figures = (
        select(
            people.filter(fan, today).label("active"),
            people.filter(fan, row.day >= day - WEEK).label("active_7"),
            people.filter(fan).label("active_30"),
            func.coalesce(func.sum(row.message).filter(today), 0).label("messages"),
            func.coalesce(func.sum(row.message).filter(today, ~fan), 0).label("creator_messages"),
            people.filter(fan, today, row.vote > 0).label("voters"),
            people.filter(fan, today, row.proposal > 0).label("proposers"),
            people.filter(fan, today, row.question > 0).label("askers"),
        )
        .where(row.group_id == group.id, row.day.between(day - MONTH, day))
        .subquery()
    )
    names = [column.name for column in figures.c]
    something = (figures.c.active_30 > 0) | (figures.c.messages > 0)
    session.execute(
        insert(ActivityRollup).from_select(
            ["group_id", "day", *names], select(literal(group.id), literal(day), figures).where(something)
        )
    )
