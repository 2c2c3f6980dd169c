"""Reads of the facts for the overview, its charts and the churn report. Days and months are UTC."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from creator_hub.chat.models import Message
from creator_hub.core.money import Money, round_half_up
from creator_hub.groups.models import Channel, Group
from creator_hub.insights.facts import start_of
from creator_hub.insights.models import MembershipFact as Fact

MONTHS_OF_A_YEAR = 12
STATES = ("paying", "free", "trialing", "grace")
REASONS = ("voluntary", "payment_failed", "refunded", "banned")
MOVEMENTS = ("new", "expansion", "contraction", "churn", "reactivation")


@dataclass(frozen=True, slots=True)
class Overview:
    """A group at a moment, and what happened in the days before. Movement: contraction and churn count positive."""

    as_of: datetime
    since: date
    members: Mapping[str, int]
    mrr: Money
    movement: Mapping[str, Money]
    joins: int
    departures: Mapping[str, int]
    creator_authored_share: float | None


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    members: int
    paying: int
    mrr: Money
    joins: int
    departures: int


@dataclass(frozen=True, slots=True)
class ChurnMonth:
    """A month's comings and goings; `rate` is departures per member at its start, None when there was none."""

    month: date
    members_at_start: int
    joins: int
    departures: Mapping[str, int]
    rate: float | None


def overview(session: Session, group: Group, as_of: datetime, days: int) -> Overview:
    """The group at `as_of`, with movement, joins and departures of the last `days` days, today included."""
    today = as_of.date()
    since = today - timedelta(days=days - 1)
    joins, departures = _comings_and_goings(session, group.id, since, today)
    return Overview(
        as_of=as_of,
        since=since,
        members=_members(session, group.id, today),
        mrr=mrr_on(session, group, today),
        movement=mrr_movement(session, group, since, today),
        joins=joins,
        departures=departures,
        creator_authored_share=_creator_authored_share(session, group.id, start_of(since), as_of),
    )


def days_of(session: Session, group: Group, first: date, last: date) -> list[Day]:
    """One row a day from `first` to `last`, days without anybody included."""
    rows = session.execute(
        select(
            Fact.day,
            func.count().filter(Fact.state != "gone").label("members"),
            func.count().filter(Fact.state == "paying").label("paying"),
            func.sum(Fact.annual_minor).label("annual"),
            func.count().filter(Fact.joined).label("joins"),
            func.count().filter(Fact.left_reason.is_not(None)).label("departures"),
        )
        .where(Fact.group_id == group.id, Fact.day.between(first, last))
        .group_by(Fact.day)
    ).all()
    found = {
        row.day: Day(row.day, row.members, row.paying, _per_month(group, row.annual), row.joins, row.departures)
        for row in rows
    }
    span = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [found.get(day) or Day(day, 0, 0, Money(0, group.currency), 0, 0) for day in span]


def churn(session: Session, group: Group, months: list[date], today: date) -> list[ChurnMonth]:
    """One row for each month (by its first day), the running one up to `today`."""
    rows = []
    for month in months:
        last = min(last_day(month), today)
        at_start = sum(_members(session, group.id, month - timedelta(days=1)).values())
        joins, departures = _comings_and_goings(session, group.id, month, last)
        rate = round(sum(departures.values()) / at_start, 4) if at_start else None
        rows.append(ChurnMonth(month, at_start, joins, departures, rate))
    return rows


def months_up_to(today: date, count: int) -> list[date]:
    """The first days of the last `count` months, the running one last."""
    index = today.year * MONTHS_OF_A_YEAR + today.month - 1
    return [date(n // MONTHS_OF_A_YEAR, n % MONTHS_OF_A_YEAR + 1, 1) for n in range(index - count + 1, index + 1)]


def last_day(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _members(session: Session, group_id: uuid.UUID, day: date) -> dict[str, int]:
    rows = session.execute(
        select(Fact.state, func.count().label("people"))
        .where(Fact.group_id == group_id, Fact.day == day)
        .group_by(Fact.state)
    ).all()
    found = {row.state: row.people for row in rows}
    return {state: found.get(state, 0) for state in STATES}


def mrr_on(session: Session, group: Group, day: date) -> Money:
    total = session.scalar(select(func.sum(Fact.annual_minor)).where(Fact.group_id == group.id, Fact.day == day))
    return _per_month(group, total or 0)


def mrr_movement(session: Session, group: Group, since: date, until: date) -> dict[str, Money]:
    """What each day's change of each person's price adds up to, by kind; each sum is rounded once.

    The first payment of a person is *new*, paying again after a break is a *reactivation*.
    """
    before = func.coalesce(func.lag(Fact.annual_minor).over(partition_by=Fact.user_id, order_by=Fact.day), 0)
    steps = (
        select(Fact.day, Fact.first_paid_day, Fact.annual_minor.label("now"), before.label("before"))
        .where(Fact.group_id == group.id, Fact.day.between(since - timedelta(days=1), until))
        .subquery()
    )
    s = steps.c
    change = s.now - s.before
    begins, first_time = and_(s.before == 0, s.now > 0), s.first_paid_day >= s.day
    kinds: dict[str, ColumnElement[bool]] = {
        "new": and_(begins, first_time),
        "reactivation": and_(begins, ~first_time),
        "expansion": and_(s.before > 0, change > 0),
        "contraction": and_(s.now > 0, change < 0),
        "churn": and_(s.now == 0, s.before > 0),
    }
    row = session.execute(
        select(*(func.coalesce(func.sum(func.abs(change)).filter(kinds[kind]), 0) for kind in MOVEMENTS)).where(
            s.day >= since
        )
    ).one()
    return {kind: _per_month(group, amount) for kind, amount in zip(MOVEMENTS, row, strict=True)}


def _comings_and_goings(session: Session, group_id: uuid.UUID, since: date, until: date) -> tuple[int, dict[str, int]]:
    """Joins, and departures by reason, of the days from `since` to `until`."""
    row = session.execute(
        select(
            func.count().filter(Fact.joined),
            *(func.count().filter(Fact.left_reason == reason) for reason in REASONS),
        ).where(Fact.group_id == group_id, Fact.day.between(since, until))
    ).one()
    joins, *departures = row
    return joins, dict(zip(REASONS, departures, strict=True))


def _creator_authored_share(session: Session, group_id: uuid.UUID, since: datetime, until: datetime) -> float | None:
    """Of the messages that stand in the group's channels, the part the creator wrote: 0–1; None without messages."""
    row = session.execute(
        select(func.count().label("all"), func.count().filter(Message.author_role == "creator").label("creators"))
        .select_from(Message)
        .join(Channel, Channel.id == Message.channel_id)
        .where(Channel.group_id == group_id, Message.sent_at.between(since, until), Message.deleted_at.is_(None))
    ).one()
    total, by_creator = row
    return round(by_creator / total, 4) if total else None


def _per_month(group: Group, annual_minor: int) -> Money:
    return Money(round_half_up(int(annual_minor), MONTHS_OF_A_YEAR), group.currency)
