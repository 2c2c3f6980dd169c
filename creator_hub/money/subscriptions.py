"""Subscriptions as Stripe shows them, and the access they give: f(state, period), computed in one place."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import stripe
from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub.core import clock, outbox
from creator_hub.core.access import Actor
from creator_hub.core.db import unit_of_work
from creator_hub.core.errors import Conflict, NotFound
from creator_hub.groups import entitlements
from creator_hub.money import gateway
from creator_hub.money.billing_models import Checkout, StripeCustomer, StripePrice, Subscription

SOURCE = "subscription"
KEPT_TIME = "hub_kept_time"  # metadata: the free time at Stripe that is paid time kept over a pause, until when
RESUMED_TOPIC = "money.pause_ended"
GRACE = timedelta(days=14)
CANCEL_TOPIC = "money.cancel_subscription"
_STATES = {
    "trialing": "trialing",
    "active": "active",
    "past_due": "past_due",
    "unpaid": "past_due",
    "canceled": "ended",
}
# What access.revoked may say; everything else has simply run out.
_TOLD = ("refunded", "disputed")


def access_until(row: Subscription) -> datetime:
    """When the access that this subscription gives ends, unless something changes.

    Running: the period's end and a grace for a late renewal. Cancelled: exactly what was paid for. A failed renewal:
    the grace counts from the start of the period that is owed. Paused: until the pause began, the rest is kept. Ended:
    then.
    """
    if row.state == "ended" and row.ended_at is not None:
        return row.ended_at
    if row.state == "paused" and row.paused_at is not None:
        return row.paused_at
    if row.state == "past_due":
        return row.current_period_start + GRACE
    if row.cancel_at_period_end:
        return row.current_period_end
    return row.current_period_end + GRACE


def checkout_id(found: dict[str, Any]) -> uuid.UUID | None:
    """Our checkout's id in the metadata of a Stripe subscription or session; None: the object is none of ours."""
    try:
        return uuid.UUID(found["metadata"]["hub_checkout"])
    except (KeyError, ValueError, TypeError):
        return None


def apply(session: Session, found: dict[str, Any], asked_at: datetime) -> Subscription | None:
    """Take over a subscription as Stripe showed it at `asked_at`, and carry it to the entitlement.

    None: it is none of ours, or its first payment is still missing. An answer older than what the row holds changes
    nothing. Raises Conflict when the tier is full or the person already subscribes: the payment must go back.
    """
    checkout = _bound(session, found)
    if checkout is None:
        return None
    row = session.get(Subscription, checkout.id, populate_existing=True)
    if row is None and found["status"] not in _STATES:
        return None
    if row is not None and (row.stripe_id != found["id"] or row.fetched_at >= asked_at):
        return row if row.stripe_id == found["id"] else None
    before = None if row is None else (row.tier_id, row.state, access_until(row))
    if row is None:
        row = _begin(session, checkout, found)
    was_paused = row.state == "paused"
    _take_over(session, row, found, asked_at)
    session.add(row)
    if was_paused and row.state != "paused" and row.paused_at is not None:
        outbox.record(session, RESUMED_TOPIC, {"subscription_id": str(row.id)}, key=f"{row.id}:{row.paused_at}")
    if (row.tier_id, row.state, access_until(row)) != before:
        _carry(session, row)
    return row


def _bound(session: Session, found: dict[str, Any]) -> Checkout | None:
    """The checkout that a subscription came from, locked: it stands for the subscription before there is one. Metadata
    that was copied to another customer binds nothing."""
    ours = checkout_id(found)
    if ours is None:
        return None
    return session.scalars(
        select(Checkout)
        .join(StripeCustomer, StripeCustomer.user_id == Checkout.user_id)
        .where(Checkout.id == ours, StripeCustomer.stripe_id == found["customer"])
        .with_for_update(of=Checkout)
    ).one_or_none()


def _begin(session: Session, checkout: Checkout, found: dict[str, Any]) -> Subscription:
    checkout.state = "complete"
    other = select(Subscription.id).where(
        Subscription.user_id == checkout.user_id,
        Subscription.group_id == checkout.group_id,
        Subscription.state != "ended",
    )
    if found["status"] != "canceled" and session.scalar(other) is not None:
        raise Conflict("This person already subscribes to the group.", code="already_member")
    return Subscription(
        id=checkout.id,
        user_id=checkout.user_id,
        group_id=checkout.group_id,
        tier_id=checkout.tier_id,
        stripe_id=found["id"],
        started_at=gateway.moment(found["start_date"]),
        ended_at=None,
        ended_reason=None,
    )


def _take_over(session: Session, row: Subscription, found: dict[str, Any], asked_at: datetime) -> None:
    item = found["items"]["data"][0]
    row.tier_id = session.scalar(select(StripePrice.tier_id).where(StripePrice.stripe_id == item["price"]["id"])) or (
        row.tier_id
    )
    if row.tier_id == row.pending_tier_id:
        row.pending_tier_id = None
    row.price_minor = item["price"]["unit_amount"] * item["quantity"]
    row.currency = item["price"]["currency"].upper()
    row.interval = item["price"]["recurring"]["interval"]
    row.current_period_start = gateway.moment(item["current_period_start"])
    row.current_period_end = gateway.moment(item["current_period_end"])
    row.cancel_at_period_end = found["cancel_at_period_end"]
    row.fetched_at = asked_at
    if row.ended_reason in _TOLD:  # given back: Stripe's cancellation only follows
        return
    row.state = _state(found)
    if row.state == "paused" and row.paused_at is None:
        row.paused_at = asked_at
        row.paid_left_s = max(0, int((row.current_period_end - asked_at).total_seconds()))
    if row.state == "ended":
        row.ended_at = gateway.moment(found["ended_at"])
        unpaid = (found["cancellation_details"] or {}).get("reason") == "payment_failed"
        row.ended_reason = "payment_failed" if unpaid else "cancelled"


def _state(found: dict[str, Any]) -> str:
    state = _STATES.get(found["status"], "ended")
    if state == "trialing" and found["metadata"].get(KEPT_TIME) == str(found["trial_end"]):
        state = "active"
    if state == "active" and found["pause_collection"]:
        return "paused"
    return "cancelled" if state in ("active", "trialing") and found["cancel_at_period_end"] else state


def _carry(session: Session, row: Subscription) -> None:
    """Write the interval of access. Idempotent: (subscription, our id) names it."""
    if row.state == "ended":
        reason = row.ended_reason if row.ended_reason in _TOLD else "expired"
        entitlements.end(session, SOURCE, str(row.id), access_until(row), reason or "expired")
        return
    entitlements.grant(
        session,
        group_id=row.group_id,
        user_id=row.user_id,
        tier_id=row.tier_id,
        source=SOURCE,
        source_id=str(row.id),
        starts_at=row.started_at,
        ends_at=access_until(row),
    )


def lock(session: Session, subscription_id: uuid.UUID) -> Subscription:
    """A subscription's row, locked. Its payments are locked after it, never before: news of a charge and news of the
    subscription come at the same time."""
    return session.get_one(Subscription, subscription_id, with_for_update={"key_share": True}, populate_existing=True)


def end_at_once(session: Session, row: Subscription, reason: str) -> None:
    """End the access now (`refunded`, `disputed`) and have Stripe stop charging."""
    if row.state == "ended":
        return
    row.state, row.ended_at, row.ended_reason = "ended", clock.now(), reason
    _carry(session, row)
    outbox.record(session, CANCEL_TOPIC, {"subscription_id": str(row.id)}, key=str(row.id))


def stop_charging(subscription_id: uuid.UUID) -> None:
    """Cancel at Stripe what has ended here. Cancelled already is as good."""
    with unit_of_work() as session:
        stripe_id = session.get_one(Subscription, subscription_id).stripe_id
    cancel_at_stripe(stripe_id)


def cancel_at_stripe(stripe_id: str) -> None:
    try:
        gateway.ask(lambda at: at.v1.subscriptions.cancel(stripe_id))
    except stripe.InvalidRequestError:
        if gateway.ask(lambda at: at.v1.subscriptions.retrieve(stripe_id))["status"] != "canceled":
            raise


def stop_renewing(group_id: uuid.UUID, user_id: uuid.UUID) -> None:
    """Whoever left or was banned is not charged again; what is paid runs out. Asking Stripe twice changes nothing."""
    with unit_of_work() as session:
        running = session.scalars(
            select(Subscription.stripe_id).where(
                Subscription.group_id == group_id,
                Subscription.user_id == user_id,
                Subscription.state != "ended",
                Subscription.cancel_at_period_end.is_(False),
            )
        ).all()
    for stripe_id in running:
        _let_run_out(stripe_id, True)


def set_renewing(subscription_id: uuid.UUID, renews: bool) -> None:
    """Stop a subscription at the end of what is paid, or let it renew again; one that has ended stays ended."""
    with unit_of_work() as session:
        row = session.get_one(Subscription, subscription_id)
        if row.state == "ended":
            return
    _let_run_out(row.stripe_id, not renews)


def set_cancelled(actor: Actor, subscription_id: uuid.UUID, cancelled: bool) -> Subscription:
    """Let the own subscription run out at the end of what is paid, or take that back. Raises Conflict `ended`."""
    with unit_of_work() as session:
        row = own(session, actor, subscription_id)
        if row.state == "ended":
            raise Conflict("This subscription has ended. Choose a tier in the group to subscribe again.", code="ended")
    _let_run_out(row.stripe_id, cancelled)
    with unit_of_work() as session:
        return own(session, actor, subscription_id)


def _let_run_out(stripe_id: str, cancelled: bool) -> None:
    asked_at = clock.now()
    found = gateway.ask(lambda at: at.v1.subscriptions.update(stripe_id, {"cancel_at_period_end": cancelled}))
    with unit_of_work() as session:
        apply(session, found, asked_at)


def own(session: Session, actor: Actor, subscription_id: uuid.UUID) -> Subscription:
    """The door to a subscription: its subscriber's alone; for all others there is none."""
    row = session.get(Subscription, subscription_id, populate_existing=True)
    if row is None or row.user_id != actor.person():
        raise NotFound
    return row
