"""Revenue month by month: what recurs, what moved it, what was paid and given back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from creator_hub.core.money import Money
from creator_hub.groups.models import Group
from creator_hub.insights.facts import start_of
from creator_hub.insights.queries import last_day, mrr_movement, mrr_on
from creator_hub.money.billing_models import Payment, Refund


@dataclass(frozen=True, slots=True)
class RevenueMonth:
    """`mrr` at the month's end (the running month: now); `paid` includes tax and fees, `refunded` counts positive."""

    month: date
    mrr: Money
    movement: Mapping[str, Money]
    paid: Money
    refunded: Money


def by_month(session: Session, group: Group, months: Sequence[date], today: date) -> list[RevenueMonth]:
    """One row for each of `months` (first days, oldest first)."""
    rows = []
    for month in months:
        last = min(last_day(month), today)
        movement = mrr_movement(session, group, month, last)
        paid, refunded = _paid(session, group, month), _refunded(session, group, month)
        rows.append(RevenueMonth(month, mrr_on(session, group, last), movement, paid, refunded))
    return rows


def _paid(session: Session, group: Group, month: date) -> Money:
    total = session.scalar(
        select(func.sum(Payment.gross_minor)).where(
            Payment.group_id == group.id,
            Payment.paid_at >= start_of(month),
            Payment.paid_at < start_of(last_day(month) + timedelta(days=1)),
        )
    )
    return Money(int(total or 0), group.currency)


def _refunded(session: Session, group: Group, month: date) -> Money:
    total = session.scalar(
        select(func.sum(Refund.amount_minor))
        .join(Payment, Payment.id == Refund.payment_id)
        .where(
            Payment.group_id == group.id,
            Refund.state == "succeeded",
            Refund.created_at >= start_of(month),
            Refund.created_at < start_of(last_day(month) + timedelta(days=1)),
        )
    )
    return Money(int(total or 0), group.currency)
