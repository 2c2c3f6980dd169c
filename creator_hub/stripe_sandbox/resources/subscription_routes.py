"""`/v1/subscriptions` and `/v1/subscription_items`."""

from __future__ import annotations

from copy import deepcopy

from creator_hub.stripe_sandbox.billing import period_at
from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, PAGE, Either, Spec, merge_metadata
from creator_hub.stripe_sandbox.resources.discounts import redeem
from creator_hub.stripe_sandbox.resources.dunning import collect, end, method_of
from creator_hub.stripe_sandbox.resources.invoices import draft, finalize
from creator_hub.stripe_sandbox.resources.methods import attach, resolve
from creator_hub.stripe_sandbox.resources.payments import Outcome, card_error
from creator_hub.stripe_sandbox.resources.prices import INTERVALS, TAX_BEHAVIORS
from creator_hub.stripe_sandbox.resources.subscriptions import (
    INCOMPLETE_FOR,
    build,
    change_items,
    discounts_of,
    lines_for,
    period_of,
    restart_cycle_if_changed,
    rhythm,
    schedule,
    set_period,
    spend_discounts,
)
from creator_hub.stripe_sandbox.routes import Page, created_range, retrieval, route
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj

ITEM_PRICE_DATA: Spec = {
    "currency*": str,
    "product*": str,
    "recurring*": {"interval*": INTERVALS, "interval_count": int},
    "tax_behavior": TAX_BEHAVIORS,
    "unit_amount": int,
}
ITEM: Spec = {"price": str, "price_data": ITEM_PRICE_DATA, "quantity": int, "metadata": META, "tax_rates": [str]}
CHANGED_ITEM: Spec = {**ITEM, "id": str, "deleted": bool}
PRORATION = ("always_invoice", "create_prorations", "none")
DISCOUNT: Spec = {"coupon": str, "promotion_code": str}
ANCHOR: Spec = {"type*": ("now", "unchanged")}
TRIAL_SETTINGS: Spec = {"end_behavior*": {"missing_payment_method*": ("cancel", "create_invoice", "pause")}}
_COMMON: Spec = {
    "cancel_at_period_end": bool,
    "collection_method": ("charge_automatically",),
    "default_payment_method": str,
    "default_tax_rates": [str],
    "description": str,
    "discounts": [DISCOUNT],
    "metadata": META,
    "off_session": bool,
    "payment_behavior": ("allow_incomplete", "default_incomplete", "error_if_incomplete"),
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
        "cancel_at": int,
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
        intent = scope.get("payment_intent", invoice["_intent"])
        if outcome.decline:
            error = card_error(outcome.decline, intent)
            error.keep = False
            raise error
        raise invalid("Payment for this subscription requires additional user action.")
    return scope.get("subscription", subscription["id"])


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


@route(
    "POST",
    "/v1/subscriptions/{id}",
    {
        "billing_cycle_anchor": ANCHOR,
        "cancel_at": Either(("min_period_end", "max_period_end"), plain=int),
        "cancellation_details": {
            "comment": str,
            "feedback": (
                "customer_service",
                "low_quality",
                "missing_features",
                "other",
                "switched_service",
                "too_complex",
                "too_expensive",
                "unused",
            ),
        },
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
        raise invalid("A canceled subscription can only update its cancellation_details and metadata.")
    invoice: Obj | None = None
    with scope.changing(subscription, "customer.subscription.updated"):
        if params.get("default_payment_method"):
            method = resolve(scope, params["default_payment_method"], "default_payment_method")
            params["default_payment_method"] = attach(scope, method, subscription["customer"])["id"]
        _set_fields(scope, subscription, params)
        lines, restarted = apply_changes(scope, subscription, params)
        invoice = _bill_changes(scope, subscription, params, lines, restarted)
        schedule(scope, subscription)
    if invoice is not None:
        finalize(scope, invoice)
        if invoice["status"] == "open":
            outcome = collect(scope, invoice, method_of(scope, subscription, subscription["customer"]), present=True)
            if params.get("payment_behavior") == "error_if_incomplete" and outcome.decline:
                error = card_error(outcome.decline, scope.get("payment_intent", invoice["_intent"]))
                error.keep = False
                raise error
    return scope.get("subscription", identifier)


def _set_fields(scope: Scope, subscription: Obj, params: Obj) -> None:
    for name in ("default_payment_method", "description", "trial_settings"):
        if name in params:
            subscription[name] = params[name]
    subscription["metadata"] = merge_metadata(subscription["metadata"], params.get("metadata"))
    subscription["cancellation_details"] |= params.get("cancellation_details") or {}
    if params.get("payment_settings"):
        subscription["payment_settings"] |= params["payment_settings"]
    if "default_tax_rates" in params:
        subscription["default_tax_rates"] = [scope.get("tax_rate", rate) for rate in params["default_tax_rates"]]
    if "discounts" in params:
        made = redeem(scope, params["discounts"], customer=subscription["customer"], subscription=subscription["id"])
        subscription["discounts"] = [scope.add(discount)["id"] for discount in made]
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


def apply_changes(scope: Scope, subscription: Obj, params: Obj) -> tuple[list[Obj], bool]:
    """Items, trial end and anchor, on the object alone: the same for a change and for its preview.

    Returns the proration lines and whether a new billing cycle begins now.
    """
    moment = params.get("proration_date") or scope.now
    behavior = params.get("proration_behavior") or "create_prorations"
    before = rhythm(subscription["items"]["data"][0]["price"])
    lines = change_items(scope, subscription, params.get("items", []), behavior, moment)
    restarted = restart_cycle_if_changed(scope, subscription, before, moment)
    trial_end = params.get("trial_end")
    if trial_end == "now" or (params.get("billing_cycle_anchor") or {}).get("type") == "now":
        if subscription["status"] == "trialing":
            subscription |= {"status": "active", "trial_end": moment}
        if not restarted:
            _restart(subscription, moment)
        return lines, True
    if isinstance(trial_end, int):
        if trial_end <= moment:
            raise invalid("trial_end must be a timestamp in the future.", param="trial_end")
        subscription |= {
            "status": "trialing",
            "trial_end": trial_end,
            "billing_cycle_anchor": trial_end,
            "trial_start": subscription["trial_start"] or moment,
        }
        set_period(subscription, (moment, trial_end))
    return lines, restarted


def _restart(subscription: Obj, moment: int) -> None:
    from_now = rhythm(subscription["items"]["data"][0]["price"])
    subscription["billing_cycle_anchor"] = moment
    set_period(subscription, period_at(moment, *from_now, moment))


def _bill_changes(scope: Scope, subscription: Obj, params: Obj, lines: list[Obj], restarted: bool) -> Obj | None:
    """An invoice now when a cycle begins or the caller asked; else the lines wait for the next renewal."""
    if restarted:
        credits = [line for line in lines if line["amount"] < 0]
        lines = subscription["_pending_lines"] + credits + lines_for(scope, subscription)
    elif params.get("proration_behavior") != "always_invoice":
        subscription["_pending_lines"] += lines
        return None
    if not lines:
        return None
    subscription["_pending_lines"] = [] if restarted else subscription["_pending_lines"]
    customer = scope.get("customer", subscription["customer"])
    invoice = draft(
        scope,
        customer,
        lines,
        "subscription_update",
        subscription=subscription,
        discounts=discounts_of(scope, subscription) if restarted else [],
        period_start=scope.now,
        period_end=scope.now,
    )
    subscription["latest_invoice"] = invoice["id"]
    return invoice


@route(
    "DELETE",
    "/v1/subscriptions/{id}",
    {
        "cancellation_details": {
            "comment": str,
            "feedback": (
                "customer_service",
                "low_quality",
                "missing_features",
                "other",
                "switched_service",
                "too_complex",
                "too_expensive",
                "unused",
            ),
        },
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
    return end(scope, subscription, "cancellation_requested")


@route(
    "POST",
    "/v1/subscriptions/{id}/resume",
    {
        "billing_cycle_anchor": ANCHOR,
        "proration_behavior": PRORATION,
    },
)
def resume_subscription(scope: Scope, params: Obj, identifier: str) -> Obj:
    subscription = scope.get("subscription", identifier)
    if subscription["status"] != "paused":
        raise invalid("This subscription is not paused.")
    before = deepcopy(subscription)
    _restart(subscription, scope.now)
    invoice = _bill_changes(scope, subscription, {}, [], True)
    subscription["status"] = "active"
    scope.save(subscription)
    scope.emit("customer.subscription.resumed", subscription, before)
    schedule(scope, subscription)
    if invoice is not None:
        finalize(scope, invoice)
        if invoice["status"] == "open":
            collect(scope, invoice, method_of(scope, subscription, subscription["customer"]))
    return scope.get("subscription", identifier)


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
