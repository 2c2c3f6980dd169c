"""Cohorts: people by the month in which they first came, how many are still here, and what they have paid."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Date, SQLColumnExpression, Subquery, cast, func, select
from sqlalchemy.orm import Session

from creator_hub.core.money import Money
from creator_hub.groups.models import Entitlement, Group
from creator_hub.insights.models import MembershipFact as Fact
from creator_hub.insights.queries import last_day
from creator_hub.money.billing_models import Payment, Refund


@dataclass(frozen=True, slots=True)
class Cohort:
    """`retained[n]`: members at the end of the n-th month after the first (0: the month they came in).

    `revenue[n]`: what they paid in that month, less what was refunded in it.
    """

    cohort: date
    size: int
    retained: Sequence[int]
    revenue: Sequence[Money]


def by_month(session: Session, group: Group, months: Sequence[date], today: date) -> list[Cohort]:
    """The cohorts of `months` (first days, oldest first) that have anybody in them, as of `today`."""
    sizes = _sizes(session, group.id)
    here = _here(session, group.id, {month: min(last_day(month), today) for month in months})
    revenue = _revenue(session, group.id)
    return [
        Cohort(
            cohort=cohort,
            size=sizes[cohort],
            retained=[here.get((cohort, month), 0) for month in months[n:]],
            revenue=[Money(revenue.get((cohort, month), 0), group.currency) for month in months[n:]],
        )
        for n, cohort in enumerate(months)
        if cohort in sizes
    ]


def _firsts(group_id: uuid.UUID) -> Subquery:
    """Each person's first month in the group."""
    return (
        select(Entitlement.user_id, _month(func.min(Entitlement.starts_at)).label("cohort"))
        .where(Entitlement.group_id == group_id)
        .group_by(Entitlement.user_id)
        .subquery()
    )


def _sizes(session: Session, group_id: uuid.UUID) -> dict[date, int]:
    firsts = _firsts(group_id)
    rows = session.execute(select(firsts.c.cohort, func.count().label("people")).group_by(firsts.c.cohort)).all()
    return {row.cohort: row.people for row in rows}


def _here(session: Session, group_id: uuid.UUID, last_days: dict[date, date]) -> dict[tuple[date, date], int]:
    """Who is there on the last day of each month, by cohort and month."""
    month_of = {day: month for month, day in last_days.items()}
    cohort = _month(Fact.first_day)
    rows = session.execute(
        select(cohort, Fact.day, func.count())
        .where(Fact.group_id == group_id, Fact.day.in_(month_of), Fact.state != "gone")
        .group_by(cohort, Fact.day)
    ).all()
    return {(first, month_of[day]): people for first, day, people in rows}


def _revenue(session: Session, group_id: uuid.UUID) -> dict[tuple[date, date], int]:
    firsts = _firsts(group_id)
    paid_in, refunded_in = _month(Payment.paid_at), _month(Refund.created_at)
    paid = session.execute(
        select(firsts.c.cohort, paid_in, func.sum(Payment.gross_minor))
        .join(firsts, firsts.c.user_id == Payment.user_id)
        .where(Payment.group_id == group_id)
        .group_by(firsts.c.cohort, paid_in)
    ).all()
    refunded = session.execute(
        select(firsts.c.cohort, refunded_in, -func.sum(Refund.amount_minor))
        .join(Payment, Payment.id == Refund.payment_id)
        .join(firsts, firsts.c.user_id == Payment.user_id)
        .where(Payment.group_id == group_id, Refund.state == "succeeded")
        .group_by(firsts.c.cohort, refunded_in)
    ).all()
    total: dict[tuple[date, date], int] = {}
    for cohort, month, amount in (*paid, *refunded):
        total[cohort, month] = total.get((cohort, month), 0) + int(amount)
    return total


def _month(moment: SQLColumnExpression[date] | SQLColumnExpression[datetime]) -> ColumnElement[date]:
    """SQL: the first day of the month; the connection's time zone is UTC."""
    return cast(func.date_trunc("month", moment), Date)
