"""How a subscription begins: its first invoice and the first attempt to collect it."""

from __future__ import annotations

from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.resources.dunning import collect, method_of
from creator_hub.stripe_sandbox.resources.invoices import draft, finalize
from creator_hub.stripe_sandbox.resources.payments import Outcome
from creator_hub.stripe_sandbox.resources.subscriptions import (
    INCOMPLETE_FOR,
    discounts_of,
    lines_for,
    period_of,
    remember_debits,
    schedule,
    spend_discounts,
)
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj


def begin(
    scope: Scope,
    subscription: Obj,
    behavior: str,
    *,
    present: bool,
    method: Obj | None = None,
    approved: bool = False,
) -> Outcome | None:
    """The first invoice and the first attempt. None when nothing had to be collected."""
    customer = scope.get("customer", subscription["customer"])
    trial = subscription["status"] == "trialing"
    short = period_of(subscription)[0] if subscription["billing_cycle_anchor"] > scope.now and not trial else None
    lines = lines_for(scope, subscription, trial=trial, share_from=short)
    invoice = draft(
        scope,
        customer,
        lines,
        "subscription_create",
        subscription=subscription,
        discounts=discounts_of(scope, subscription),
        period_start=scope.now,
        period_end=scope.now,
    )
    remember_debits(subscription, invoice)
    if not trial:
        spend_discounts(scope, subscription)
    subscription["latest_invoice"] = invoice["id"]
    scope.save(subscription)
    scope.emit("customer.subscription.created", subscription)
    finalize(scope, invoice)
    if invoice["status"] == "paid":
        if not trial:
            with scope.changing(subscription, "customer.subscription.updated"):
                subscription["status"] = "active"
        schedule(scope, subscription)
        return None
    outcome = None
    scope.timer("incomplete", subscription["id"], scope.now + INCOMPLETE_FOR, subscription["test_clock"] or "")
    if behavior != "default_incomplete":
        payer = method or method_of(scope, subscription, customer["id"])
        if payer is None:
            raise invalid(
                "This customer has no attached payment source or default payment method. Please consider "
                "adding a default payment method.",
                code="resource_missing",
            )
        outcome = collect(scope, invoice, payer, present=present, approved=approved)
        subscription |= scope.get("subscription", subscription["id"])
    return outcome
