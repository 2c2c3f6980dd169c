"""`/v1/subscriptions` and `/v1/subscription_items`."""

from __future__ import annotations

from creator_hub.stripe_sandbox.errors import ApiError, invalid, missing
from creator_hub.stripe_sandbox.forms import CREATED, META, PAGE, Either, Spec, merge_metadata
from creator_hub.stripe_sandbox.resources.changes import apply_changes, bill, bill_rest
from creator_hub.stripe_sandbox.resources.dunning import collect, end, method_of
from creator_hub.stripe_sandbox.resources.first_invoice import begin
from creator_hub.stripe_sandbox.resources.invoices import finalize, hold_back
from creator_hub.stripe_sandbox.resources.methods import attach, resolve
from creator_hub.stripe_sandbox.resources.payments import Outcome, card_error
from creator_hub.stripe_sandbox.resources.pending_updates import update_when_paid
from creator_hub.stripe_sandbox.resources.prorations import credit
from creator_hub.stripe_sandbox.resources.subscription_params import (
    ANCHOR,
    BILLING_MODE,
    CANCELLATION,
    CHANGED_ITEM,
    DISCOUNT,
    ITEM,
    PRORATION,
    TRIAL_SETTINGS,
)
from creator_hub.stripe_sandbox.resources.subscriptions import (
    build,
    period_of,
    schedule,
    set_discounts,
)
from creator_hub.stripe_sandbox.routes import Page, created_range, retrieval, route
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj

_COMMON: Spec = {
    "application_fee_percent": float,
    "cancel_at_period_end": bool,
    "collection_method": ("charge_automatically",),
    "default_payment_method": str,
    "default_tax_rates": [str],
    "description": str,
    "discounts": [DISCOUNT],
    "metadata": META,
    "off_session": bool,
    "payment_behavior": ("allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"),
    "payment_settings": {"payment_method_types": [str], "save_default_payment_method": ("off", "on_subscription")},
    "proration_behavior": PRORATION,
    "trial_settings": TRIAL_SETTINGS,
}


@route(
    "POST",
    "/v1/subscriptions",
    {
        "customer*": str,
        "items*": [ITEM],
        "billing_cycle_anchor": int,
        "billing_mode": BILLING_MODE,
        "cancel_at": Either(("max_period_end", "min_period_end"), plain=int),
        "currency": str,
        "trial_end": Either(("now",), plain=int),
        "trial_period_days": int,
        **_COMMON,
    },
)
def create_subscription(scope: Scope, params: Obj) -> Obj:
    customer = scope.get("customer", params["customer"], "customer")
    if params.get("default_payment_method"):
        method = resolve(scope, params["default_payment_method"], "default_payment_method")
        params["default_payment_method"] = attach(scope, method, customer["id"])["id"]
    subscription = build(scope, customer, params)
    behavior = params.get("payment_behavior") or "allow_incomplete"
    outcome = begin(scope, subscription, behavior, present=not params.get("off_session"))
    if behavior == "error_if_incomplete" and outcome and not outcome.paid:
        invoice = scope.get("invoice", subscription["latest_invoice"])
        raise _undone(outcome, scope.get("payment_intent", invoice["_intent"]))
    return scope.get("subscription", subscription["id"])


@route(
    "POST",
    "/v1/subscriptions/{id}",
    {
        "billing_cycle_anchor": ANCHOR,
        "cancel_at": Either(("min_period_end", "max_period_end"), plain=int),
        "cancellation_details": CANCELLATION,
        "items": [CHANGED_ITEM],
        "pause_collection": {"behavior*": ("keep_as_draft", "mark_uncollectible", "void"), "resumes_at": int},
        "proration_date": int,
        "trial_end": Either(("now",), plain=int),
        **_COMMON,
    },
)
def update_subscription(scope: Scope, params: Obj, identifier: str) -> Obj:
    subscription = scope.get("subscription", identifier)
    if subscription["status"] in ("canceled", "incomplete_expired"):
        _only_words(params)
    if subscription["schedule"] and {"cancel_at", "cancel_at_period_end"} & set(params):
        raise invalid(
            f"The subscription is managed by the subscription schedule `{subscription['schedule']}`, and updating any "
            "cancelation behavior directly is not allowed. Please update the schedule instead."
        )
    behavior = params.get("payment_behavior") or "allow_incomplete"
    if behavior == "pending_if_incomplete":
        return update_when_paid(scope, subscription, params)
    with scope.changing(subscription, "customer.subscription.updated"):
        set_fields(scope, subscription, params)
        change = apply_changes(scope, subscription, params)
        invoice = bill(scope, subscription, params, change)
        schedule(scope, subscription)
    if invoice is not None:
        collect_change(scope, subscription, invoice, behavior, present=not params.get("off_session"))
    return scope.get("subscription", identifier)


def _only_words(params: Obj) -> None:
    """Of what is over only the story can be changed."""
    if set(params) - {"cancellation_details", "metadata", "expand"}:
        raise invalid("A canceled subscription can only update its cancellation_details and metadata.")


def collect_change(scope: Scope, subscription: Obj, invoice: Obj, behavior: str, *, present: bool) -> None:
    """Finalise a change's invoice and try to collect it now. Raises 402 (nothing happened) for error_if_incomplete."""
    if subscription["pause_collection"]:
        hold_back(scope, invoice, subscription["pause_collection"])
        return
    finalize(scope, invoice)
    if invoice["status"] != "open" or behavior == "default_incomplete":
        return
    outcome = collect(scope, invoice, method_of(scope, subscription, subscription["customer"]), present=present)
    if behavior == "error_if_incomplete" and not outcome.paid:
        raise _undone(outcome, scope.get("payment_intent", invoice["_intent"]))


def _undone(outcome: Outcome, intent: Obj) -> ApiError:
    if outcome.decline is None:
        return ApiError(
            402,
            "card_error",
            "Payment for this subscription requires additional user action before it can be completed successfully.",
            code="subscription_payment_intent_requires_action",
        )
    error = card_error(outcome.decline, intent)
    error.keep = False
    return error


def set_fields(scope: Scope, subscription: Obj, params: Obj) -> None:
    if params.get("default_payment_method"):
        method = resolve(scope, params["default_payment_method"], "default_payment_method")
        params["default_payment_method"] = attach(scope, method, subscription["customer"])["id"]
    for name in ("application_fee_percent", "default_payment_method", "description", "trial_settings"):
        if name in params:
            subscription[name] = params[name]
    subscription["metadata"] = merge_metadata(subscription["metadata"], params.get("metadata"))
    subscription["cancellation_details"] |= params.get("cancellation_details") or {}
    if params.get("payment_settings"):
        subscription["payment_settings"] |= params["payment_settings"]
    if "default_tax_rates" in params:
        subscription["default_tax_rates"] = [scope.get("tax_rate", rate) for rate in params["default_tax_rates"]]
    if "discounts" in params:
        set_discounts(scope, subscription, params["discounts"])
    if "pause_collection" in params:
        pause = params["pause_collection"]
        subscription["pause_collection"] = pause and {
            "behavior": pause["behavior"],
            "resumes_at": pause.get("resumes_at"),
        }
        if not pause:
            scope.drop_timer("unpause", subscription["id"])
    _set_end(scope, subscription, params)


def _set_end(scope: Scope, subscription: Obj, params: Obj) -> None:
    if "cancel_at_period_end" in params:
        leaving = params["cancel_at_period_end"]
        subscription |= {
            "cancel_at_period_end": leaving,
            "canceled_at": scope.now if leaving else None,
            "cancel_at": period_of(subscription)[1] if leaving else None,
        }
        subscription["cancellation_details"]["reason"] = "cancellation_requested" if leaving else None
    elif "cancel_at" in params:
        moment = params["cancel_at"]
        if moment in ("min_period_end", "max_period_end"):
            moment = period_of(subscription)[1]
        subscription |= {"cancel_at": moment, "canceled_at": scope.now if moment else None}


@route(
    "DELETE",
    "/v1/subscriptions/{id}",
    {
        "cancellation_details": CANCELLATION,
        "expand": [str],
        "invoice_now": bool,
        "prorate": bool,
    },
)
def cancel_subscription(scope: Scope, params: Obj, identifier: str) -> Obj:
    subscription = scope.get("subscription", identifier)
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise invalid(f"No such subscription: '{identifier}'", code="resource_missing", param="id")
    subscription["cancellation_details"] |= params.get("cancellation_details") or {}
    if params.get("prorate") and subscription["status"] not in ("trialing", "paused", "incomplete"):
        subscription["_pending_lines"] += [
            credit(scope, subscription, item, scope.now) for item in subscription["items"]["data"]
        ]
    invoice = bill_rest(scope, subscription) if params.get("invoice_now") else None
    end(scope, subscription, "cancellation_requested")
    if invoice is not None:
        collect_change(scope, subscription, invoice, "allow_incomplete", present=False)
    return scope.get("subscription", identifier)


@route("DELETE", "/v1/subscriptions/{id}/discount")
def delete_discount(scope: Scope, params: Obj, identifier: str) -> Obj:
    subscription = scope.get("subscription", identifier)
    if not subscription["discounts"]:
        raise missing("discount", identifier)
    gone = scope.get("discount", subscription["discounts"][-1])
    with scope.changing(subscription, "customer.subscription.updated"):
        set_discounts(scope, subscription, [])
    return {**gone, "deleted": True}


@route("DELETE", "/v1/customers/{id}")
def delete_customer(scope: Scope, params: Obj, identifier: str) -> Obj:
    """A deleted customer's subscriptions end at once, so nothing is ever billed to nobody."""
    customer = scope.get("customer", identifier)
    for subscription in scope.all("subscription", customer=identifier):
        if subscription["status"] not in ("canceled", "incomplete_expired"):
            end(scope, subscription, None)
    scope.store.delete(scope.account, "customer", identifier)
    scope.emit("customer.deleted", customer)
    return {"id": identifier, "object": "customer", "deleted": True}


retrieval("/v1/subscriptions/{id}", "subscription")


@route(
    "GET",
    "/v1/subscriptions",
    {
        **PAGE,
        "created": CREATED,
        "customer": str,
        "price": str,
        "status": (
            "active",
            "all",
            "canceled",
            "ended",
            "incomplete",
            "incomplete_expired",
            "past_due",
            "paused",
            "trialing",
            "unpaid",
        ),
    },
)
def list_subscriptions(scope: Scope, params: Obj) -> Page:
    status, price = params.get("status"), params.get("price")

    def wanted(subscription: Obj) -> bool:
        gone = subscription["status"] in ("canceled", "incomplete_expired")
        right = {None: not gone, "all": True, "ended": gone}.get(status, subscription["status"] == status)
        return right and (not price or any(item["price"]["id"] == price for item in subscription["items"]["data"]))

    equal = {"customer": params["customer"]} if params.get("customer") else {}
    return Page("subscription", equal, created_range(params), wanted)
