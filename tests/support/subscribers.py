"""Subscriptions that were paid for, written as the payment processor's news would have written them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub.accounts.models import User
from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from creator_hub.core.ids import new_id
from creator_hub.groups import entitlements
from creator_hub.groups.models import Group, Tier
from creator_hub.insights import service as insights
from creator_hub.money.billing_models import Checkout, Payment, StripePrice, Subscription
from tests.support.world import a_group, a_person, a_tier

MONTH = timedelta(days=30)
GRACE = timedelta(days=14)


def let_pass(days: float) -> None:
    with unit_of_work() as session:
        clock.advance(session, timedelta(days=days))


def catch_up() -> None:
    """What the workers do every second: take over into facts and rollups whatever changed."""
    with unit_of_work() as session:
        for group_id in session.scalars(select(Group.id)).all():
            insights.refresh(session, group_id)
            insights.count(session, group_id)


def subscribe(session: Session, group: Group, user: User, tier: Tier, *, paid: bool = True) -> Subscription:
    """A subscription that begins now, its first period paid for (unless told not to be)."""
    price = session.scalars(select(StripePrice).where(StripePrice.tier_id == tier.id)).one_or_none()
    if price is None:
        price = StripePrice(
            id=new_id(),
            tier_id=tier.id,
            amount_minor=tier.price_minor,
            currency=tier.currency,
            interval=tier.interval,
            created_at=clock.now(),
        )
        session.add(price)
        session.flush()
    checkout = Checkout(
        id=new_id(),
        user_id=user.id,
        group_id=group.id,
        tier_id=tier.id,
        price_id=price.id,
        state="complete",
        created_at=clock.now(),
    )
    session.add(checkout)
    session.flush()
    now = clock.now()
    subscription = Subscription(
        id=checkout.id,
        user_id=user.id,
        group_id=group.id,
        tier_id=tier.id,
        stripe_id=f"sub_{checkout.id.hex}",
        state="active",
        price_minor=tier.price_minor,
        currency=tier.currency,
        interval=tier.interval,
        started_at=now,
        current_period_start=now,
        current_period_end=now,
        cancel_at_period_end=False,
        fetched_at=now,
    )
    session.add(subscription)
    session.flush()
    if paid:
        pay(session, group, subscription)
    return subscription


def pay(session: Session, group: Group, subscription: Subscription, *, at: datetime | None = None) -> Payment:
    """The next period is paid for; access reaches to its end and the grace after it."""
    start = at or subscription.current_period_end
    end = start + (MONTH if subscription.interval == "month" else timedelta(days=365))
    subscription.current_period_start, subscription.current_period_end = start, end
    payment = Payment(
        id=new_id(),
        subscription_id=subscription.id,
        user_id=subscription.user_id,
        group_id=group.id,
        tier_id=subscription.tier_id,
        creator_id=group.owner_id,
        invoice_id=f"in_{new_id().hex}",
        currency=subscription.currency,
        gross_minor=subscription.price_minor,
        tax_minor=0,
        fee_minor=0,
        creator_minor=subscription.price_minor,
        tax_place="",
        period_start=start,
        period_end=end,
        paid_at=start,
    )
    session.add(payment)
    entitlements.grant(
        session,
        group_id=group.id,
        user_id=subscription.user_id,
        tier_id=subscription.tier_id,
        source="subscription",
        source_id=str(subscription.id),
        starts_at=subscription.started_at,
        ends_at=end + GRACE,
    )
    return payment


def end(session: Session, subscription: Subscription, reason: str) -> None:
    subscription.state, subscription.ended_at, subscription.ended_reason = "ended", clock.now(), reason
    entitlements.end(session, "subscription", str(subscription.id), clock.now(), reason)


class Town:
    """Mei's group with a monthly tier of 5.00 and a yearly one of 120.00, and the fans."""

    def __init__(self, session: Session) -> None:
        self.mei, self.ana, self.bo, self.chen = (a_person(session, name) for name in ("mei", "ana", "bo", "chen"))
        self.group = a_group(session, self.mei)
        self.monthly = a_tier(session, self.group, "Silver", price_minor=500)
        self.yearly = a_tier(session, self.group, "Gold", rank=2, price_minor=12_000, interval="year")
        self.fans = (self.ana, self.bo, self.chen)
