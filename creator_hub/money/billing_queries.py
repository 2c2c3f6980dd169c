"""Reads of billing: one's own subscriptions and payments, a group's payments, what became of a checkout."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, Text, cast, select
from sqlalchemy.orm import Session

from creator_hub.accounts.queries import PublicUser, people
from creator_hub.core.errors import NotFound
from creator_hub.core.money import Money
from creator_hub.core.paging import Page, PageRequest, paginate
from creator_hub.groups.models import Entitlement, Group, Tier
from creator_hub.money.billing_models import Checkout, Decline, Dispute, Payment, Subscription
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
    pending_tier: Tier | None
    choices: list[Tier]


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
    tiers = session.scalars(
        select(Tier)
        .where(Tier.group_id.in_([row.Group.id for row in rows]), Tier.rank > 0)
        .order_by(Tier.rank.desc(), Tier.price_minor.desc())
    ).all()
    return [_view(row.Subscription, row.Group, row.Tier, declines.get(row.Subscription.id), tiers) for row in rows]


def _view(
    row: Subscription, group: Group, tier: Tier, decline: Decline | None, tiers: Sequence[Tier]
) -> SubscriptionView:
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
        pending_tier=next((other for other in tiers if other.id == row.pending_tier_id), None),
        choices=[
            other for other in tiers if other.group_id == group.id and other.id != tier.id and other.archived_at is None
        ],
    )


@dataclass(frozen=True, slots=True)
class DisputeView:
    """A dispute with whom it is about; `due_by` is until when evidence can be given, while it is open."""

    id: uuid.UUID
    group: Group
    user: PublicUser
    payment_id: uuid.UUID
    amount: Money
    reason: str
    state: str
    due_by: datetime | None
    opened_at: datetime


def disputes(session: Session, asked: PageRequest, *, group: Group | None = None) -> Page[DisputeView]:
    """Disputes, newest first; of one group, or of all."""
    query = select(Dispute) if group is None else select(Dispute).where(Dispute.group_id == group.id)
    page = paginate(session, query, Dispute.id, asked)
    ids = [row.payment_id for row in page.items]
    payers = {row.id: row.user_id for row in session.scalars(select(Payment).where(Payment.id.in_(ids)))}
    named = people(session, payers.values())
    group_ids = {row.group_id for row in page.items}
    groups = {row.id: row for row in session.scalars(select(Group).where(Group.id.in_(group_ids)))}
    return Page(
        [
            DisputeView(
                row.id,
                groups[row.group_id],
                named[payers[row.payment_id]],
                row.payment_id,
                row.amount,
                row.reason,
                row.state,
                row.due_by,
                row.opened_at,
            )
            for row in page.items
        ],
        page.next,
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
