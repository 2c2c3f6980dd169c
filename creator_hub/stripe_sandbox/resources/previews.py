"""`/v1/invoices/create_preview`: the change or the renewal is really made and then rolled back by the server, so a
preview is computed by the very functions that charge later."""

from __future__ import annotations

from copy import deepcopy

from creator_hub.stripe_sandbox.errors import ApiError, invalid
from creator_hub.stripe_sandbox.forms import Either, Spec
from creator_hub.stripe_sandbox.render import Preview
from creator_hub.stripe_sandbox.resources.changes import Change, apply_changes, bill, bill_rest, restart
from creator_hub.stripe_sandbox.resources.invoices import draft
from creator_hub.stripe_sandbox.resources.prorations import credit
from creator_hub.stripe_sandbox.resources.renewals import is_over, open_period
from creator_hub.stripe_sandbox.resources.schedules import enter_phase
from creator_hub.stripe_sandbox.resources.subscription_params import (
    BILLING_MODE,
    CHANGED_ITEM,
    DISCOUNT,
    PRORATION,
)
from creator_hub.stripe_sandbox.resources.subscription_routes import set_fields
from creator_hub.stripe_sandbox.resources.subscriptions import (
    build,
    discounts_of,
    lines_for,
    period_of,
    set_discounts,
)
from creator_hub.stripe_sandbox.routes import route
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj

_DETAILS: Spec = {
    "billing_cycle_anchor": {"type*": ("now", "timestamp", "unchanged"), "timestamp": int},
    "billing_mode": BILLING_MODE,
    "cancel_at": Either(("max_period_end", "min_period_end"), plain=int),
    "cancel_at_period_end": bool,
    "cancel_now": bool,
    "default_tax_rates": [str],
    "items": [CHANGED_ITEM],
    "proration_behavior": PRORATION,
    "proration_date": int,
    "resume_at": ("now",),
    "trial_end": Either(("now",), plain=int),
}


@route(
    "POST",
    "/v1/invoices/create_preview",
    {
        "currency": str,
        "customer": str,
        "discounts": [DISCOUNT],
        "preview_mode": ("next", "recurring"),
        "schedule": str,
        "subscription": str,
        "subscription_details": _DETAILS,
    },
)
def preview_invoice(scope: Scope, params: Obj) -> Obj:
    details = params.get("subscription_details") or {}
    if params.get("schedule"):
        params["subscription"] = scope.get("subscription_schedule", params["schedule"], "schedule")["subscription"]
    if params.get("subscription"):
        subscription = scope.get("subscription", params["subscription"], "subscription")
        return _as_preview(_of_subscription(scope, subscription, details, params), details, scope)
    if not params.get("customer") or not details.get("items"):
        raise invalid(
            "You must pass `subscription`, or `customer` with `subscription_details[items]`.",
            code="parameter_missing",
            param="subscription",
        )
    return _as_preview(_of_new(scope, details, params), details, scope)


def _of_new(scope: Scope, details: Obj, params: Obj) -> Obj:
    customer = scope.get("customer", params["customer"], "customer")
    anchor = (details.get("billing_cycle_anchor") or {}).get("timestamp")
    wanted = {**details, "billing_cycle_anchor": anchor, "discounts": params.get("discounts", [])}
    subscription = build(scope, customer, wanted)
    trial = subscription["status"] == "trialing" and params.get("preview_mode") != "recurring"
    return draft(
        scope,
        customer,
        lines_for(scope, subscription, trial=trial),
        "upcoming",
        subscription=subscription,
        discounts=discounts_of(scope, subscription),
    )


def _of_subscription(scope: Scope, subscription: Obj, details: Obj, params: Obj) -> Obj:
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise _none()
    if "discounts" in params:
        set_discounts(scope, subscription, params["discounts"])
    if details.get("cancel_now"):
        return _last_invoice(scope, subscription, details)
    if subscription["status"] == "paused":
        if details.get("resume_at") != "now":
            raise _none()
        restart(scope, subscription)
        subscription["status"] = "active"
        return bill(scope, subscription, details, Change(begins=True)) or _next(scope, subscription)
    set_fields(scope, subscription, {name: details[name] for name in _SETTABLE if name in details})
    change = apply_changes(scope, subscription, details)
    invoice = None if params.get("preview_mode") == "recurring" else bill(scope, subscription, details, change)
    return invoice or _next(scope, subscription)


_SETTABLE = ("cancel_at", "cancel_at_period_end", "default_tax_rates")


def _last_invoice(scope: Scope, subscription: Obj, details: Obj) -> Obj:
    if details.get("proration_behavior") != "none":
        subscription["_pending_lines"] += [
            credit(scope, subscription, item, details.get("proration_date") or scope.now)
            for item in subscription["items"]["data"]
        ]
    invoice = bill_rest(scope, subscription)
    if invoice is None:
        raise _none()
    return invoice


def _next(scope: Scope, subscription: Obj) -> Obj:
    """The renewal's invoice, made at the moment of the renewal."""
    scope.save(subscription)
    with scope.clock.at(max(period_of(subscription)[1], scope.now)):
        enter_phase(scope, subscription)
        if is_over(scope, subscription) or subscription["status"] == "canceled":
            raise _none()
        return open_period(scope, subscription)


def _none() -> ApiError:
    return invalid("No upcoming invoices for customer", code="invoice_upcoming_none")


def _as_preview(invoice: Obj, details: Obj, scope: Scope) -> Preview:
    shown = deepcopy(invoice)
    shown |= {
        "id": invoice["id"].replace("in_", "upcoming_in_", 1),
        "automatically_finalizes_at": None,
        "created": scope.now,
    }
    shown["parent"]["subscription_details"]["subscription_proration_date"] = details.get("proration_date") or scope.now
    for line in shown["lines"]["data"]:
        line["invoice"] = shown["id"]
    shown["lines"]["url"] = f"/v1/invoices/{shown['id']}/lines"
    return Preview(shown)
