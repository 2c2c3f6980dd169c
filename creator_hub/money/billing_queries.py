"""Reads of billing: one's own subscriptions and payments, a group's payments, what became of a checkout."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, Text, cast, select
from sqlalchemy.orm import Session

from creator_hub.accounts.queries import PublicUser, people
from creator_hub.core.errors import NotFound
from creator_hub.core.money import Money
from creator_hub.core.paging import Page, PageRequest, paginate
from creator_hub.groups.models import Entitlement, Group, Tier
from creator_hub.money.billing_models import Checkout, Decline, Payment, Subscription
from creator_hub.money.subscriptions import SOURCE, access_until


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    """A subscription with what its page needs. `decline`: the renewal that failed and is still owed."""

    id: uuid.UUID
    group: Group
    tier: Tier
    state: str
    interval: str
    current_period_end: datetime
    cancel_at_period_end: bool
    access_until: datetime
    price: Money
    decline: Decline | None


@dataclass(frozen=True, slots=True)
class PaymentView:
    id: uuid.UUID
    group: Group
    tier: Tier
    user: PublicUser
    subscription_id: uuid.UUID
    amount: Money
    refunded: Money
    creator_share: Money
    paid_at: datetime
    period_start: datetime
    period_end: datetime


def subscriptions_of(session: Session, user_id: uuid.UUID) -> list[SubscriptionView]:
    """A person's subscriptions: the living first, then the newest."""
    return _views(session, select(Subscription).where(Subscription.user_id == user_id))


def subscription_view(session: Session, row: Subscription) -> SubscriptionView:
    return _views(session, select(Subscription).where(Subscription.id == row.id))[0]


def _views(session: Session, query: Select[Subscription]) -> list[SubscriptionView]:
    order = (Subscription.state == "ended", Subscription.id.desc())
    rows = session.execute(
        query.add_columns(Group, Tier)
        .join(Group, Group.id == Subscription.group_id)
        .join(Tier, Tier.id == Subscription.tier_id)
        .order_by(*order)
    ).all()
    ids = [row.Subscription.id for row in rows]
    declines = {
        decline.subscription_id: decline
        for decline in session.scalars(select(Decline).where(Decline.subscription_id.in_(ids)).order_by(Decline.at))
    }
    return [_view(row.Subscription, row.Group, row.Tier, declines.get(row.Subscription.id)) for row in rows]


def _view(row: Subscription, group: Group, tier: Tier, decline: Decline | None) -> SubscriptionView:
    return SubscriptionView(
        id=row.id,
        group=group,
        tier=tier,
        state=row.state,
        interval=row.interval,
        current_period_end=row.current_period_end,
        cancel_at_period_end=row.cancel_at_period_end,
        access_until=access_until(row),
        price=row.price,
        decline=decline if row.state == "past_due" else None,
    )


def payments_of(session: Session, user_id: uuid.UUID, asked: PageRequest) -> Page[PaymentView]:
    return _payments(session, select(Payment).where(Payment.user_id == user_id), asked)


def payments_to(session: Session, group: Group, asked: PageRequest) -> Page[PaymentView]:
    return _payments(session, select(Payment).where(Payment.group_id == group.id), asked)


def _payments(session: Session, query: Select[Payment], asked: PageRequest) -> Page[PaymentView]:
    page = paginate(session, query, Payment.id, asked)
    group_ids, tier_ids = [row.group_id for row in page.items], [row.tier_id for row in page.items]
    groups = {row.id: row for row in session.scalars(select(Group).where(Group.id.in_(group_ids)))}
    tiers = {row.id: row for row in session.scalars(select(Tier).where(Tier.id.in_(tier_ids)))}
    faces = people(session, [payment.user_id for payment in page.items])
    return Page(
        [
            PaymentView(
                id=row.id,
                group=groups[row.group_id],
                tier=tiers[row.tier_id],
                user=faces[row.user_id],
                subscription_id=row.subscription_id,
                amount=row.amount,
                refunded=row.refunded,
                creator_share=Money(row.creator_minor, row.currency),
                paid_at=row.paid_at,
                period_start=row.period_start,
                period_end=row.period_end,
            )
            for row in page.items
        ],
        page.next,
    )


@dataclass(frozen=True, slots=True)
class CheckoutView:
    """What became of a checkout: `waiting` for the payment, `ready` once the tier is open, `expired`, or `refused` when
    the payment had to be given back. `progress` 0–1 for a bar."""

    id: uuid.UUID
    group: Group
    tier: Tier
    state: str
    progress: float


def checkout_by(session: Session, user_id: uuid.UUID, *, stripe_id: str = "", own_id: str = "") -> CheckoutView:
    """The person's own checkout, by Stripe's session id or by ours; NotFound for anybody else's."""
    query = select(Checkout).where(Checkout.user_id == user_id)
    if stripe_id:
        query = query.where(Checkout.stripe_id == stripe_id)
    else:
        query = query.where(cast(Checkout.id, Text) == own_id)
    row = session.scalars(query).one_or_none()
    if row is None:
        raise NotFound
    return CheckoutView(
        id=row.id,
        group=session.get_one(Group, row.group_id),
        tier=session.get_one(Tier, row.tier_id),
        state=(state := _checkout_state(session, row)),
        progress=0.4 if state == "waiting" else 1.0,
    )


def _checkout_state(session: Session, row: Checkout) -> str:
    granted = select(Entitlement.id).where(Entitlement.source == SOURCE, Entitlement.source_id == str(row.id))
    if session.scalar(granted) is not None:
        return "ready"
    subscription = session.get(Subscription, row.id)
    if subscription is not None and subscription.state == "ended":
        return "refused"
    return "expired" if row.state == "expired" else "waiting"
