"""Pausing a subscription as a whole and resuming it: no time runs, nothing is billed while it is `paused`."""

from __future__ import annotations

from copy import deepcopy

from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.resources.changes import Change, bill, bill_rest, restart
from creator_hub.stripe_sandbox.resources.prorations import charge, credit
from creator_hub.stripe_sandbox.resources.subscription_params import ANCHOR, PRORATION
from creator_hub.stripe_sandbox.resources.subscription_routes import collect_change
from creator_hub.stripe_sandbox.resources.subscriptions import period_of, schedule
from creator_hub.stripe_sandbox.routes import route
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj


@route(
    "POST",
    "/v1/subscriptions/{id}/pause",
    {
        "bill_for": {
            "outstanding_usage_through": {"type*": ("none", "now")},
            "unused_time_from": {"type*": ("item_current_period_start", "none", "now")},
        },
        "invoicing_behavior": ("invoice", "pending_invoice_item"),
        "type": ("subscription",),
    },
)
def pause_subscription(scope: Scope, params: Obj, identifier: str) -> Obj:
    subscription = scope.get("subscription", identifier)
    if subscription["status"] not in ("active", "past_due", "trialing"):
        raise invalid(f"A subscription that is {subscription['status']} cannot be paused.")
    before = deepcopy(subscription)
    unused = ((params.get("bill_for") or {}).get("unused_time_from") or {}).get("type") or "now"
    moment = period_of(subscription)[0] if unused == "item_current_period_start" else scope.now
    if unused != "none" and subscription["status"] != "trialing":
        subscription["_pending_lines"] += [
            credit(scope, subscription, item, moment) for item in subscription["items"]["data"]
        ]
    now = params.get("invoicing_behavior") == "invoice"
    invoice = bill_rest(scope, subscription) if now else None
    subscription["status"] = "paused"
    scope.save(subscription)
    for action in ("renew", "trial_will_end"):
        scope.drop_timer(action, identifier)
    scope.emit("customer.subscription.paused", subscription, before)
    if invoice is not None:
        collect_change(scope, subscription, invoice, "allow_incomplete", present=False)
    return scope.get("subscription", identifier)


@route(
    "POST",
    "/v1/subscriptions/{id}/resume",
    {
        "billing_cycle_anchor": ANCHOR,
        "payment_behavior": ("resume_on_payment_attempt", "resume_on_payment_success"),
        "proration_behavior": PRORATION,
        "proration_date": int,
    },
)
def resume_subscription(scope: Scope, params: Obj, identifier: str) -> Obj:
    """A new period from now, or (anchor unchanged) the rest of the running one against a prorated charge."""
    subscription = scope.get("subscription", identifier)
    if subscription["status"] != "paused":
        raise invalid("This subscription is not paused.")
    before = deepcopy(subscription)
    change = _resumed(scope, subscription, params)
    subscription["status"] = "active"
    invoice = bill(scope, subscription, params, change)
    scope.save(subscription)
    scope.emit("customer.subscription.resumed", subscription, before)
    schedule(scope, subscription)
    if invoice is not None:
        collect_change(scope, subscription, invoice, "allow_incomplete", present=True)
    return scope.get("subscription", identifier)


def _resumed(scope: Scope, subscription: Obj, params: Obj) -> Change:
    unchanged = (params.get("billing_cycle_anchor") or {}).get("type") == "unchanged"
    if not unchanged or period_of(subscription)[1] <= scope.now:
        restart(scope, subscription)
        return Change(begins=True)
    if params.get("proration_behavior") == "none":
        return Change()
    moment = params.get("proration_date") or scope.now
    return Change([charge(scope, subscription, item, moment) for item in subscription["items"]["data"]])
