"""What the calendar does to a subscription: renewals, trial ends, planned cancellations, pauses that end."""

from __future__ import annotations

from creator_hub.stripe_sandbox.billing import period_at
from creator_hub.stripe_sandbox.resources.dunning import end, method_of
from creator_hub.stripe_sandbox.resources.invoices import close_unpaid, draft, finalize
from creator_hub.stripe_sandbox.resources.subscriptions import (
    discounts_of,
    lines_for,
    period_of,
    rhythm,
    schedule,
    set_period,
    spend_discounts,
)
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj
from creator_hub.stripe_sandbox.timers import timer

DRAFT_SECONDS = 3600


@timer("renew")
def renew(scope: Scope, identifier: str) -> None:
    """The period is over: end it if so planned, else open the next period and its invoice."""
    subscription = scope.get("subscription", identifier)
    if subscription["status"] not in ("active", "past_due", "trialing"):
        return
    if subscription["cancel_at_period_end"]:
        end(scope, subscription, None)
        return
    if subscription["status"] == "trialing" and not _after_trial(scope, subscription):
        return
    first = subscription["items"]["data"][0]
    with scope.changing(subscription, "customer.subscription.updated"):
        anchor = subscription["billing_cycle_anchor"]
        set_period(subscription, period_at(anchor, *rhythm(first["price"]), period_of(subscription)[1]))
        invoice = _cycle_invoice(scope, subscription)
        subscription["latest_invoice"] = invoice["id"]
        if subscription["status"] == "trialing":
            subscription["status"] = "active"
    _send_on(scope, subscription, invoice)
    schedule(scope, subscription)


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


def _cycle_invoice(scope: Scope, subscription: Obj) -> Obj:
    customer = scope.get("customer", subscription["customer"])
    lines = subscription["_pending_lines"] + lines_for(scope, subscription)
    subscription["_pending_lines"] = []
    start, stop = period_of(subscription)
    invoice = draft(
        scope,
        customer,
        lines,
        "subscription_cycle",
        subscription=subscription,
        discounts=discounts_of(scope, subscription),
        period_start=start,
        period_end=stop,
        automatically_finalizes_at=scope.now + DRAFT_SECONDS,
    )
    spend_discounts(scope, subscription)
    return invoice


def _send_on(scope: Scope, subscription: Obj, invoice: Obj) -> None:
    pause = subscription["pause_collection"]
    if pause is None:
        scope.timer("finalize", invoice["id"], scope.now + DRAFT_SECONDS, invoice["test_clock"] or "")
    elif pause["behavior"] == "keep_as_draft":
        invoice |= {"auto_advance": False, "automatically_finalizes_at": None}
        scope.save(invoice)
    else:
        finalize(scope, invoice)
        if invoice["status"] == "open":
            close_unpaid(scope, invoice, "void" if pause["behavior"] == "void" else "uncollectible")


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
