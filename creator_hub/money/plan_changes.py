"""Changing the tier of a running subscription: up at once, down at the end of what is paid.

What a change costs is never reckoned here: Stripe's preview of the invoice is read by the same function as the invoice
that is then paid (`bills.read`), and the moment of the preview travels back with the change, so that the two agree.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import stripe

from creator_hub.core import clock
from creator_hub.core.access import Actor, Permission
from creator_hub.core.db import unit_of_work
from creator_hub.core.errors import Conflict, Gone, NotFound, PaymentDeclined
from creator_hub.core.money import Money
from creator_hub.groups import doors, entitlements
from creator_hub.groups.access_changes import lock_group
from creator_hub.groups.models import Group, Tier
from creator_hub.money import bills, catalogue, events, gateway, subscriptions
from creator_hub.money.billing_models import StripePrice, Subscription
from creator_hub.money.bills import Bill

RUNNING = ("active", "trialing")
PREVIEW_LIVES = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Change:
    """What a change means. `charge` goes to the card when it takes effect, after `unused` time and `credit_spent` were
    taken off; `credit_given` stays as credit. `as_of` is handed back to have exactly this."""

    group: Group
    tier: Tier
    old_tier: Tier
    is_now: bool
    effective_at: datetime
    charge: Money
    unused: Money
    credit_spent: Money
    credit_given: Money
    paid_until: datetime
    then: Money
    as_of: int | None


def preview(actor: Actor, subscription_id: uuid.UUID, tier_id: uuid.UUID) -> Change:
    """What changing to the tier would charge, credit and open, and when. Raises Conflict `same_tier`, `not_running`,
    `tier_full`; Gone for a tier off sale; NotFound for another group's tier."""
    row, old, new = _may_change(actor, subscription_id, tier_id)
    price = catalogue.ensure_price(tier_id)
    later = is_later(old, new)
    details: Any = {
        "items": [{"id": _item(row), "price": price.stripe_id}],
        "proration_behavior": "none" if later else "always_invoice",
    }
    found = gateway.ask(
        lambda at: at.v1.invoices.create_preview({"subscription": row.stripe_id, "subscription_details": details})
    )
    as_of = (found["parent"]["subscription_details"] or {}).get("subscription_proration_date")
    with unit_of_work() as session:
        group = session.get_one(Group, row.group_id)
    return _described(row, group, old, new, bills.read(found), None if later else as_of)


def change(actor: Actor, subscription_id: uuid.UUID, tier_id: uuid.UUID, as_of: int | None) -> Subscription:
    """Make the change that was previewed at `as_of`. Raises as `preview` does; PaymentDeclined when the card refuses
    (then nothing has changed), Conflict `preview_expired`. To choose the present tier takes a planned change back."""
    row, old, new = _may_change(actor, subscription_id, tier_id, undo=True)
    if as_of is not None and clock.now() - gateway.moment(as_of) > PREVIEW_LIVES:
        raise Conflict("Prices of a change move with time. Look at it again before you agree.", code="preview_expired")
    price = catalogue.ensure_price(tier_id)
    _release_plan(row)
    if old.id == new.id:
        return _plan(actor, row, None)
    if is_later(old, new):
        _schedule(row, price)
        return _plan(actor, row, new.id)
    _change_now(row, price, as_of)
    events.follow_subscription(row.stripe_id)
    return _plan(actor, row, None)


def is_later(old: Tier, new: Tier) -> bool:
    """Whether a change waits for the end of what is paid: fewer rights, or a month instead of a year of the same."""
    return new.rank < old.rank or (new.rank == old.rank and (old.interval, new.interval) == ("year", "month"))


def _may_change(
    actor: Actor, subscription_id: uuid.UUID, tier_id: uuid.UUID, *, undo: bool = False
) -> tuple[Subscription, Tier, Tier]:
    with unit_of_work() as session:
        row = subscriptions.own(session, actor, subscription_id)
        door = doors.tier_by_id(session, actor, tier_id, Permission.JOIN)
        old, new = session.get_one(Tier, row.tier_id), door.tier
        if new.group_id != row.group_id or new.is_free:
            raise NotFound
        if row.state not in RUNNING:
            raise Conflict("Only a running membership can change its tier. Resume it or pay first.", code="not_running")
        if old.id == new.id:
            if not (undo and row.pending_tier_id):
                raise Conflict("This is the tier you have.", code="same_tier")
        elif new.archived_at is not None:
            raise Gone("This tier is no longer on sale. Choose another one.", code="tier_archived")
        else:
            lock_group(session, row.group_id)
            entitlements.take_seat(session, new, row.user_id)
        return row, old, new


def _described(row: Subscription, group: Group, old: Tier, new: Tier, bill: Bill, as_of: int | None) -> Change:
    is_now = as_of is not None
    starts = gateway.moment(as_of) if as_of is not None else row.current_period_end

    def money(minor: int) -> Money:
        return Money(minor, bill.currency)

    return Change(
        group=group,
        tier=new,
        old_tier=old,
        is_now=is_now,
        effective_at=starts,
        charge=money(bill.due),
        unused=money(bill.old),
        credit_spent=money(bill.credit_spent),
        credit_given=money(bill.credit_given),
        paid_until=bill.main.end,
        then=new.price,
        as_of=as_of,
    )


def _item(row: Subscription) -> str:
    found = gateway.ask(lambda at: at.v1.subscriptions.retrieve(row.stripe_id))
    return str(found["items"]["data"][0]["id"])


def _change_now(row: Subscription, price: StripePrice, as_of: int | None) -> None:
    params: Any = {
        "items": [{"id": _item(row), "price": price.stripe_id}],
        "proration_behavior": "always_invoice",
        "payment_behavior": "error_if_incomplete",
    }
    if as_of is not None:
        params["proration_date"] = as_of
    key = f"change-{row.id}-{price.id}-{as_of or int(clock.now().timestamp())}"
    try:
        gateway.ask(lambda at: at.v1.subscriptions.update(row.stripe_id, params, {"idempotency_key": key}))
    except stripe.CardError as declined:
        raise PaymentDeclined(
            "Your bank declined the payment, so your tier stays as it is: %(why)s",
            why=declined.user_message or "no reason given",
        ) from declined


def _schedule(row: Subscription, price: StripePrice) -> None:
    """Have Stripe change the price when the running period ends, and not before."""
    schedule = gateway.ask(lambda at: at.v1.subscription_schedules.create({"from_subscription": row.stripe_id}))
    (running,) = schedule["phases"]
    kept = [{"price": item["price"], "quantity": item["quantity"]} for item in running["items"]]
    phases: Any = [
        {"items": kept, "start_date": running["start_date"], "end_date": running["end_date"]},
        {"items": [{"price": price.stripe_id, "quantity": 1}], "proration_behavior": "none"},
    ]
    gateway.ask(
        lambda at: at.v1.subscription_schedules.update(schedule["id"], {"phases": phases, "end_behavior": "release"})
    )


def _release_plan(row: Subscription) -> None:
    """Let go of a change that was planned earlier: the subscription runs on as it is."""
    schedule_id = gateway.ask(lambda at: at.v1.subscriptions.retrieve(row.stripe_id))["schedule"]
    if schedule_id is not None:
        gateway.ask(lambda at: at.v1.subscription_schedules.release(schedule_id))


def _plan(actor: Actor, row: Subscription, pending: uuid.UUID | None) -> Subscription:
    with unit_of_work() as session:
        stored = subscriptions.own(session, actor, row.id)
        stored.pending_tier_id = pending
        return stored
