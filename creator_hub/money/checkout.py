"""Subscribing: the visit to Stripe's hosted Checkout page, up to the moment the person is sent there."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

import stripe
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from creator_hub import settings
from creator_hub.accounts.models import User
from creator_hub.core import clock
from creator_hub.core.access import Actor, Permission
from creator_hub.core.db import unit_of_work
from creator_hub.core.errors import Conflict, Gone
from creator_hub.core.ids import new_id
from creator_hub.groups import doors, entitlements
from creator_hub.groups.access_changes import lock_group
from creator_hub.groups.doors import TierDoor
from creator_hub.money import catalogue, gateway
from creator_hub.money.billing_models import Checkout, StripeCustomer, StripePrice, Subscription

# Stripe forgets an idempotency key after 24 hours, and an unpaid session expires by then.
KEY_LIVES = timedelta(hours=23)


@dataclass(frozen=True, slots=True)
class Visit:
    """Where to send the person."""

    url: str
    session_id: str


def start(actor: Actor, tier_id: uuid.UUID) -> Visit:
    """Open a Checkout page for the tier, or give back the one that is open: a double click is one visit.

    Raises Conflict `already_member`, `free_tier`, `tier_full`; Gone for a tier off sale; Unavailable without Stripe.
    """
    with unit_of_work() as session:
        door = doors.tier_by_id(session, actor, tier_id, Permission.JOIN)
        _refuse(session, door, actor.person())
        group_id = door.group.id
    price = catalogue.ensure_price(tier_id)
    customer = _ensure_customer(actor.person())
    with unit_of_work() as session:
        standing = _open_visit(session, actor.person(), group_id)
    if standing is not None and _is_stale(standing, price):
        _close(standing)
    return _open_at_stripe(_row(actor, tier_id, price), price, customer)


def _refuse(session: Session, door: TierDoor, user_id: uuid.UUID) -> None:
    tier, group = door.tier, door.group
    if group.owner_id == user_id:
        raise Conflict("This is your own group: you see every channel already.", code="already_member")
    if tier.is_free:
        raise Conflict("This tier is free: join the group instead.", code="free_tier")
    if tier.archived_at is not None:
        raise Gone("This tier is no longer on sale. Choose another one.", code="tier_archived")
    alive = select(Subscription.id).where(
        Subscription.user_id == user_id, Subscription.group_id == group.id, Subscription.state != "ended"
    )
    if session.scalar(alive) is not None:
        raise Conflict(
            "You subscribe to this group already. Cancel that under Billing; once it has ended, choose another tier.",
            code="already_member",
        )
    entitlements.take_seat(session, tier, user_id)


def _ensure_customer(user_id: uuid.UUID) -> StripeCustomer:
    """The person's customer at Stripe; our row comes first, its id is the idempotency key."""
    with unit_of_work() as session:
        email = session.get_one(User, user_id).email
        session.execute(
            insert(StripeCustomer)
            .values(id=new_id(), user_id=user_id, email=email, created_at=clock.now())
            .on_conflict_do_nothing()
        )
        row = session.scalars(select(StripeCustomer).where(StripeCustomer.user_id == user_id)).one()
    if row.stripe_id is not None:
        return row
    made = gateway.ask(
        lambda at: at.v1.customers.create(
            {"email": row.email, "metadata": {"hub_user": str(user_id)}}, {"idempotency_key": f"customer-{row.id}"}
        )
    )
    with unit_of_work() as session:
        stored = session.get_one(StripeCustomer, row.id)
        stored.stripe_id = made["id"]
    return stored


def _open_visit(session: Session, user_id: uuid.UUID, group_id: uuid.UUID) -> Checkout | None:
    return session.scalars(
        select(Checkout).where(
            Checkout.user_id == user_id, Checkout.group_id == group_id, Checkout.state.in_(("creating", "open"))
        )
    ).one_or_none()


def _is_stale(checkout: Checkout, price: StripePrice) -> bool:
    return checkout.price_id != price.id or clock.now() - checkout.created_at > KEY_LIVES


def _close(checkout: Checkout) -> None:
    """Expire a page for another tier, an old price or of yesterday, so that only one can ever be paid."""
    session_id = checkout.stripe_id
    if session_id is not None:
        try:
            gateway.ask(lambda at: at.v1.checkout.sessions.expire(session_id))
        except stripe.InvalidRequestError:
            _refuse_paid(session_id)
    with unit_of_work() as session:
        session.execute(
            update(Checkout)
            .where(Checkout.id == checkout.id, Checkout.state.in_(("creating", "open")))
            .values(state="expired")
        )


def _refuse_paid(session_id: str) -> None:
    if gateway.ask(lambda at: at.v1.checkout.sessions.retrieve(session_id))["status"] == "complete":
        raise Conflict("Your payment for this group is being confirmed. One moment, please.", code="already_member")


def _row(actor: Actor, tier_id: uuid.UUID, price: StripePrice) -> Checkout:
    """The open visit of this person and group, or a new one. Under the group's lock: seats and visits are counted."""
    with unit_of_work() as session:
        door = doors.tier_by_id(session, actor, tier_id, Permission.JOIN)
        lock_group(session, door.group.id)
        _refuse(session, door, actor.person())
        found = _open_visit(session, actor.person(), door.group.id)
        if found is None:
            found = Checkout(
                id=new_id(),
                user_id=actor.person(),
                group_id=door.group.id,
                tier_id=tier_id,
                price_id=price.id,
                stripe_id=None,
                url=None,
                state="creating",
                created_at=clock.now(),
            )
            session.add(found)
        elif found.price_id != price.id:
            raise Conflict("Another checkout for this group has just been opened. Finish or close that one.")
    return found


def _open_at_stripe(checkout: Checkout, price: StripePrice, customer: StripeCustomer) -> Visit:
    if checkout.url is not None and checkout.stripe_id is not None:
        return Visit(checkout.url, checkout.stripe_id)
    made = gateway.ask(
        lambda at: at.v1.checkout.sessions.create(
            _as_params(checkout, price, customer), {"idempotency_key": f"checkout-{checkout.id}"}
        )
    )
    with unit_of_work() as session:
        stored = session.get_one(Checkout, checkout.id, with_for_update=True)
        stored.stripe_id, stored.url = made["id"], made["url"]
        if stored.state == "creating":
            stored.state = "open"
    return Visit(made["url"], made["id"])


def _as_params(
    checkout: Checkout, price: StripePrice, customer: StripeCustomer
) -> stripe.params.checkout.SessionCreateParams:
    """The same for every retry of one row, or Stripe would refuse the repeated key. Our ids travel in the metadata."""
    ours = {
        "hub_checkout": str(checkout.id),
        "hub_user": str(checkout.user_id),
        "hub_group": str(checkout.group_id),
        "hub_tier": str(checkout.tier_id),
    }
    back = f"{settings.current().public_url}/billing/return"
    return {
        "mode": "subscription",
        "customer": customer.stripe_id or "",
        "line_items": [{"price": price.stripe_id or "", "quantity": 1}],
        "client_reference_id": str(checkout.id),
        "metadata": ours,
        "subscription_data": {"metadata": ours},
        "success_url": f"{back}?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{back}?checkout={checkout.id}",
    }
