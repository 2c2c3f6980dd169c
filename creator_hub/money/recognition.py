"""Yearly payments are earned month by month, as the service is given.

What a fan pays ahead lies in `deferred_revenue`. At the end of each month of the paid period, counted from its first
day, that month's part moves to the platform's fee and the creator. Tax is due at once. What is given back of a payment
is taken from its unearned part first; the months to come then carry what is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub import settings
from creator_hub.core import clock
from creator_hub.money import ledger
from creator_hub.money.allocation import split
from creator_hub.money.anchors import month_weights, months_after
from creator_hub.money.billing_models import Payment
from creator_hub.money.ledger import Leg
from creator_hub.money.splits import Split

AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Earning:
    """What one month of a paid period brings, minor units; earned at `at`, the month's end."""

    month: int
    at: datetime
    fee: int
    creator: int


def defer(payment: Payment, share: Split) -> Split:
    """Note what of `share` is paid ahead, when the period is longer than a month; returns what is earned at once."""
    months = len(month_weights(payment.period_start, payment.period_end))
    if months <= 1:
        return share
    creator = 0 if settings.current().yearly_share_at_once else share.creator
    payment.unearned_fee_minor, payment.unearned_creator_minor = share.fee, creator
    payment.months, payment.months_earned = months, 0
    payment.next_earning_at = months_after(payment.period_start, 1)
    return Split(share.tax, 0, share.creator - creator)


def schedule(payment: Payment) -> list[Earning]:
    """The months still to be earned, the next first; they sum to what is unearned."""
    weights = month_weights(payment.period_start, payment.period_end)[payment.months_earned :]
    if not weights or not payment.unearned:
        return []
    fees, creators = split(payment.unearned_fee_minor, weights), split(payment.unearned_creator_minor, weights)
    numbers = range(payment.months_earned + 1, payment.months + 1)
    ends = [min(payment.period_end, months_after(payment.period_start, number)) for number in numbers]
    return [Earning(*month) for month in zip(numbers, ends, fees, creators, strict=True)]


def earn_due(session: Session, until: datetime | None = None) -> int:
    """Post every month that has ended by `until` (now), oldest payments first, a batch at a time; how many it were."""
    until = until or clock.now()
    due = session.scalars(
        select(Payment)
        .where(Payment.next_earning_at <= until)
        .order_by(Payment.next_earning_at, Payment.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    return sum(_earn(session, payment, until) for payment in due)


def earn_all_due(session: Session, until: datetime) -> None:
    """Leave no month that ended by `until` unposted: before the books of a month are closed."""
    while earn_due(session, until):
        session.flush()


def _earn(session: Session, payment: Payment, until: datetime) -> int:
    due = [month for month in schedule(payment) if month.at <= until]
    for month in due:
        _post(session, payment, month)
        payment.unearned_fee_minor -= month.fee
        payment.unearned_creator_minor -= month.creator
        payment.months_earned = month.month
    left = schedule(payment)
    payment.next_earning_at = left[0].at if left else None
    session.flush()
    return len(due)


def _post(session: Session, payment: Payment, month: Earning) -> None:
    currency = payment.currency
    if month.fee + month.creator == 0:
        return
    ledger.post(
        session,
        source=f"{payment.invoice_id}:{month.month}",
        kind="earned",
        currency=currency,
        occurred_at=month.at,
        payment_id=payment.id,
        legs=[
            Leg(ledger.deferred_revenue(currency), month.fee + month.creator),
            Leg(ledger.platform_fee(currency), -month.fee),
            Leg(ledger.creator_payable(currency, payment.creator_id), -month.creator),
        ],
    )


def take_unearned(payment: Payment, fee: int, creator: int) -> tuple[int, int]:
    """Take as much of a fee and a creator's share as the unearned part holds; what was taken of each."""
    from_fee, from_creator = min(fee, payment.unearned_fee_minor), min(creator, payment.unearned_creator_minor)
    payment.unearned_fee_minor -= from_fee
    payment.unearned_creator_minor -= from_creator
    if not payment.unearned:
        payment.next_earning_at = None
    return from_fee, from_creator


def put_back_unearned(payment: Payment, fee: int, creator: int) -> tuple[int, int]:
    """The opposite of `take_unearned`, when a refund failed; what is still to be earned of each: nothing any more once
    the paid period is over. Months that passed meanwhile are earned by the next run."""
    if payment.months_earned == payment.months:
        return 0, 0
    payment.unearned_fee_minor += fee
    payment.unearned_creator_minor += creator
    left = schedule(payment)
    payment.next_earning_at = left[0].at if left else None
    return fee, creator
