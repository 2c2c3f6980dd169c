"""What the calendar does to a subscription: renewals, trial ends, planned cancellations, pauses that end."""

from __future__ import annotations

from creator_hub.stripe_sandbox.billing import period_at
from creator_hub.stripe_sandbox.resources.dunning import end, method_of
from creator_hub.stripe_sandbox.resources.invoices import draft, hold_back
from creator_hub.stripe_sandbox.resources.schedules import enter_phase
from creator_hub.stripe_sandbox.resources.subscriptions import (
    discounts_of,
    lines_for,
    period_of,
    remember_debits,
    rhythm,
    schedule,
    set_period,
    spend_discounts,
)
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj
from creator_hub.stripe_sandbox.timers import timer

DRAFT_SECONDS = 3600


RENEWABLE = ("active", "past_due", "trialing", "unpaid")


@timer("renew")
def renew(scope: Scope, identifier: str) -> None:
    """The period is over: end it if so planned, else open the next period and its invoice."""
    subscription = scope.get("subscription", identifier)
    if subscription["status"] not in RENEWABLE:
        return
    enter_phase(scope, subscription)
    if subscription["status"] == "canceled":
        return
    if is_over(scope, subscription):
        end(scope, subscription, None)
        return
    if subscription["status"] == "trialing" and not _after_trial(scope, subscription):
        return
    with scope.changing(subscription, "customer.subscription.updated"):
        invoice = open_period(scope, subscription)
        subscription["latest_invoice"] = invoice["id"]
        if subscription["status"] == "trialing":
            subscription["status"] = "active"
    _send_on(scope, subscription, invoice)
    schedule(scope, subscription)


def is_over(scope: Scope, subscription: Obj) -> bool:
    """Whether the end that was planned has come with the end of this period."""
    planned = subscription["cancel_at"]
    return bool(subscription["cancel_at_period_end"] or (planned and planned <= period_of(subscription)[1]))


def _after_trial(scope: Scope, subscription: Obj) -> bool:
    """A trial without a card ends as its settings say; True when billing goes on."""
    rule = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if rule == "create_invoice" or method_of(scope, subscription, subscription["customer"]):
        return True
    if rule == "cancel":
        end(scope, subscription, None)
        return False
    before, subscription["status"] = dict(subscription), "paused"
    scope.save(subscription)
    scope.emit("customer.subscription.paused", subscription, before)
    return False


def open_period(scope: Scope, subscription: Obj) -> Obj:
    """Move to the next period, or to the part of it before a planned end, and draft its invoice."""
    anchor, first = subscription["billing_cycle_anchor"], subscription["items"]["data"][0]
    start, stop = period_at(anchor, *rhythm(first["price"]), period_of(subscription)[1])
    planned = subscription["cancel_at"]
    set_period(subscription, (start, min(stop, planned) if planned else stop))
    lines = subscription["_pending_lines"] + lines_for(scope, subscription)
    subscription["_pending_lines"] = []
    invoice = draft(
        scope,
        scope.get("customer", subscription["customer"]),
        lines,
        "subscription_cycle",
        subscription=subscription,
        discounts=discounts_of(scope, subscription),
        period_start=start,
        period_end=stop,
        automatically_finalizes_at=scope.now + DRAFT_SECONDS,
    )
    remember_debits(subscription, invoice)
    spend_discounts(scope, subscription)
    return invoice


def _send_on(scope: Scope, subscription: Obj, invoice: Obj) -> None:
    pause = subscription["pause_collection"]
    if pause is None and subscription["status"] != "unpaid":
        scope.timer("finalize", invoice["id"], scope.now + DRAFT_SECONDS, invoice["test_clock"] or "")
    else:
        hold_back(scope, invoice, pause)


@timer("cancel")
def cancel_as_planned(scope: Scope, identifier: str) -> None:
    subscription = scope.get("subscription", identifier)
    if subscription["status"] not in ("canceled", "incomplete_expired") and subscription["cancel_at"]:
        end(scope, subscription, None)


@timer("trial_will_end")
def announce_trial_end(scope: Scope, identifier: str) -> None:
    subscription = scope.get("subscription", identifier)
    if subscription["status"] == "trialing":
        scope.emit("customer.subscription.trial_will_end", subscription)


@timer("unpause")
def end_pause(scope: Scope, identifier: str) -> None:
    subscription = scope.get("subscription", identifier)
    pause = subscription["pause_collection"]
    if pause and pause["resumes_at"] and pause["resumes_at"] <= scope.now:
        with scope.changing(subscription, "customer.subscription.updated"):
            subscription["pause_collection"] = None
