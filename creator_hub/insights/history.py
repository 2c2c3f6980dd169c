"""Reads what facts are made of: entitlement intervals, what was paid for them and given back, bans, and origins."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from creator_hub.groups.models import Ban, Entitlement, Membership, Tier
from creator_hub.insights.facts import BanSpan, CashEvent, History, Origin, PaidPeriod, Stay
from creator_hub.money.billing_models import Payment, Refund, Subscription

PEOPLE_AT_ONCE = 2_000


def everybody(session: Session, group_id: uuid.UUID) -> Iterator[Sequence[uuid.UUID]]:
    """Who ever held anything in the group, in batches."""
    last: uuid.UUID | None = None
    while True:
        query = select(Entitlement.user_id).where(Entitlement.group_id == group_id).distinct()
        if last is not None:
            query = query.where(Entitlement.user_id > last)
        batch = session.scalars(query.order_by(Entitlement.user_id).limit(PEOPLE_AT_ONCE)).all()
        if not batch:
            return
        yield batch
        last = batch[-1]


def of_people(session: Session, group_id: uuid.UUID, user_ids: Sequence[uuid.UUID]) -> list[History]:
    """The whole history of these people in the group; who never held anything has none."""
    ids = list(user_ids)
    stays, bans, origins = (
        _stays(session, group_id, ids),
        _bans(session, group_id, ids),
        _origins(session, group_id, ids),
    )
    paid, cash = _paid(session, group_id, ids)
    return [
        History(
            user_id,
            tuple(found),
            tuple(paid.get(user_id, ())),
            tuple(bans.get(user_id, ())),
            tuple(cash.get(user_id, ())),
            origins.get(user_id, Origin()),
        )
        for user_id, found in stays.items()
    ]


def _stays(session: Session, group_id: uuid.UUID, ids: list[uuid.UUID]) -> dict[uuid.UUID, list[Stay]]:
    rows = session.execute(
        select(
            Entitlement.user_id,
            Entitlement.tier_id,
            Tier.rank,
            Entitlement.source,
            Entitlement.starts_at,
            Entitlement.ends_at,
            Entitlement.ended_reason,
        )
        .join(Tier, Tier.id == Entitlement.tier_id)
        .where(Entitlement.group_id == group_id, Entitlement.user_id.in_(ids))
        .order_by(Entitlement.user_id, Entitlement.starts_at)
    )
    found: dict[uuid.UUID, list[Stay]] = defaultdict(list)
    for row in rows:
        found[row.user_id].append(Stay(row.tier_id, row.rank, row.source, row.starts_at, row.ends_at, row.ended_reason))
    return found


def _paid(
    session: Session, group_id: uuid.UUID, ids: list[uuid.UUID]
) -> tuple[dict[uuid.UUID, list[PaidPeriod]], dict[uuid.UUID, list[CashEvent]]]:
    rows = session.execute(
        select(
            Payment.user_id,
            Payment.tier_id,
            Payment.period_start,
            Payment.period_end,
            Payment.paid_at,
            Payment.gross_minor,
            Subscription.interval,
        )
        .join(Subscription, Subscription.id == Payment.subscription_id)
        .where(Payment.group_id == group_id, Payment.user_id.in_(ids))
        .order_by(Payment.id)
    )
    periods: dict[uuid.UUID, list[PaidPeriod]] = defaultdict(list)
    cash: dict[uuid.UUID, list[CashEvent]] = defaultdict(list)
    for row in rows:
        periods[row.user_id].append(PaidPeriod(row.period_start, row.period_end, row.gross_minor, row.interval))
        cash[row.user_id].append(CashEvent(row.paid_at, row.tier_id, row.gross_minor))
    refunds = session.execute(
        select(Payment.user_id, Payment.tier_id, Refund.created_at, Refund.amount_minor)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.group_id == group_id, Payment.user_id.in_(ids), Refund.state == "succeeded")
        .order_by(Refund.id)
    )
    for refund in refunds:
        cash[refund.user_id].append(CashEvent(refund.created_at, refund.tier_id, -refund.amount_minor))
    return periods, cash


def _bans(session: Session, group_id: uuid.UUID, ids: list[uuid.UUID]) -> dict[uuid.UUID, list[BanSpan]]:
    # A ban ends when it is lifted or by itself, whichever comes first; LEAST passes over what is null.
    ends_at = func.least(Ban.lifted_at, Ban.until).label("ends_at")
    rows = session.execute(
        select(Ban.user_id, Ban.created_at, ends_at).where(Ban.group_id == group_id, Ban.user_id.in_(ids))
    )
    found: dict[uuid.UUID, list[BanSpan]] = defaultdict(list)
    for row in rows:
        found[row.user_id].append(BanSpan(row.created_at, row.ends_at))
    return found


def _origins(session: Session, group_id: uuid.UUID, ids: list[uuid.UUID]) -> dict[uuid.UUID, Origin]:
    rows = session.execute(
        select(Membership.user_id, Membership.campaign, Membership.invite_id).where(
            Membership.group_id == group_id, Membership.user_id.in_(ids)
        )
    )
    return {row.user_id: Origin(row.campaign, row.invite_id) for row in rows}
