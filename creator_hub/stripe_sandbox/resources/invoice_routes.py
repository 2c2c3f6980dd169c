"""`/v1/invoices` and `/v1/invoice_payments`."""

from __future__ import annotations

from copy import deepcopy

from creator_hub.stripe_sandbox.billing import period_at
from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, PAGE, Either, merge_metadata
from creator_hub.stripe_sandbox.resources.discounts import redeem
from creator_hub.stripe_sandbox.resources.dunning import finalize_and_collect, pay_now, recover
from creator_hub.stripe_sandbox.resources.invoices import (
    close_unpaid,
    draft,
    finalize,
    mark_paid,
    subscription_of,
)
from creator_hub.stripe_sandbox.resources.payments import card_error
from creator_hub.stripe_sandbox.resources.subscription_routes import (
    ANCHOR,
    CHANGED_ITEM,
    DISCOUNT,
    PRORATION,
    apply_changes,
)
from creator_hub.stripe_sandbox.resources.subscriptions import (
    build,
    discounts_of,
    lines_for,
    period_of,
    rhythm,
    set_period,
)
from creator_hub.stripe_sandbox.routes import Page, created_range, listing, retrieval, route
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj

retrieval("/v1/invoices/{id}", "invoice")


@route(
    "GET",
    "/v1/invoices",
    {
        **PAGE,
        "created": CREATED,
        "customer": str,
        "status": ("draft", "open", "paid", "uncollectible", "void"),
        "subscription": str,
    },
)
def list_invoices(scope: Scope, params: Obj) -> Page:
    equal = {name: params[name] for name in ("customer", "status") if params.get(name)}
    if params.get("subscription"):
        equal["parent.subscription_details.subscription"] = params["subscription"]
    return Page("invoice", equal, created_range(params))


@route("POST", "/v1/invoices/{id}", {"auto_advance": bool, "description": str, "footer": str, "metadata": META})
def update_invoice(scope: Scope, params: Obj, identifier: str) -> Obj:
    with scope.changing(scope.get("invoice", identifier), "invoice.updated") as invoice:
        metadata = merge_metadata(invoice["metadata"], params.pop("metadata", None))
        invoice |= {name: value for name, value in params.items() if name != "expand"} | {"metadata": metadata}
    return invoice


@route("POST", "/v1/invoices/{id}/finalize", {"auto_advance": bool})
def finalize_invoice(scope: Scope, params: Obj, identifier: str) -> Obj:
    invoice = scope.get("invoice", identifier)
    if invoice["status"] != "draft":
        raise invalid("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    if params.get("auto_advance", invoice["auto_advance"]):
        finalize_and_collect(scope, identifier)
    else:
        finalize(scope, invoice)
    return scope.get("invoice", identifier)


@route("POST", "/v1/invoices/{id}/pay", {"off_session": bool, "paid_out_of_band": bool, "payment_method": str})
def pay_invoice(scope: Scope, params: Obj, identifier: str) -> Obj:
    invoice = scope.get("invoice", identifier)
    if invoice["status"] == "draft":
        finalize(scope, invoice)
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid(f"This invoice can no longer be paid: it is {invoice['status']}.")
    if params.get("paid_out_of_band"):
        mark_paid(scope, invoice)
        subscription = scope.find("subscription", subscription_of(invoice))
        if subscription:
            recover(scope, subscription, invoice)
        return scope.get("invoice", identifier)
    outcome = pay_now(scope, invoice, params.get("payment_method"), present=not params.get("off_session"))
    if outcome.decline:
        raise card_error(outcome.decline, scope.get("payment_intent", invoice["_intent"]))
    return scope.get("invoice", identifier)


@route("POST", "/v1/invoices/{id}/void")
def void_invoice(scope: Scope, params: Obj, identifier: str) -> Obj:
    invoice = scope.get("invoice", identifier)
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid(f"You can only void open or uncollectible invoices; this one is {invoice['status']}.")
    return close_unpaid(scope, invoice, "void")


@route("POST", "/v1/invoices/{id}/mark_uncollectible")
def write_off_invoice(scope: Scope, params: Obj, identifier: str) -> Obj:
    invoice = scope.get("invoice", identifier)
    if invoice["status"] != "open":
        raise invalid(f"You can only mark open invoices uncollectible; this one is {invoice['status']}.")
    return close_unpaid(scope, invoice, "uncollectible")


@route("DELETE", "/v1/invoices/{id}")
def delete_invoice(scope: Scope, params: Obj, identifier: str) -> Obj:
    invoice = scope.get("invoice", identifier)
    if invoice["status"] != "draft" or subscription_of(invoice):
        raise invalid("You can only delete draft invoices that belong to no subscription.")
    scope.store.delete(scope.account, "invoice", identifier)
    scope.emit("invoice.deleted", invoice)
    return {"id": identifier, "object": "invoice", "deleted": True}


@route(
    "POST",
    "/v1/invoices/create_preview",
    {
        "currency": str,
        "customer": str,
        "discounts": [DISCOUNT],
        "subscription": str,
        "preview_mode": ("next",),
        "subscription_details": {
            "billing_cycle_anchor": ANCHOR,
            "cancel_at_period_end": bool,
            "default_tax_rates": [str],
            "items": [CHANGED_ITEM],
            "proration_behavior": PRORATION,
            "proration_date": int,
            "trial_end": Either(("now",), plain=int),
        },
    },
)
def preview_invoice(scope: Scope, params: Obj) -> Obj:
    """What the next invoice will be; computed by the same functions as the change itself, stored nowhere."""
    details = params.get("subscription_details") or {}
    if params.get("subscription"):
        subscription = deepcopy(scope.get("subscription", params["subscription"], "subscription"))
        return _preview_change(scope, subscription, details, params)
    if not params.get("customer") or not details.get("items"):
        raise invalid(
            "You must pass `subscription`, or `customer` with `subscription_details[items]`.",
            code="parameter_missing",
            param="subscription",
        )
    customer = scope.get("customer", params["customer"], "customer")
    subscription = build(
        scope, customer, {**details, "billing_cycle_anchor": None, "discounts": params.get("discounts", [])}
    )
    invoice = draft(
        scope,
        customer,
        lines_for(scope, subscription, trial=subscription["status"] == "trialing"),
        "upcoming",
        subscription=subscription,
        discounts=discounts_of(scope, subscription),
        preview=True,
    )
    return _unsaved(invoice)


def _preview_change(scope: Scope, subscription: Obj, details: Obj, params: Obj) -> Obj:
    customer = scope.get("customer", subscription["customer"])
    if subscription["status"] in ("canceled", "incomplete_expired") or (
        subscription["cancel_at_period_end"] and not details
    ):
        raise invalid("No upcoming invoices for customer", code="invoice_upcoming_none")
    lines, restarted = apply_changes(scope, subscription, details)
    discounts = discounts_of(scope, subscription)
    if params.get("discounts"):
        discounts = redeem(scope, params["discounts"], customer=customer["id"], subscription=subscription["id"])
    if restarted:
        lines = subscription["_pending_lines"] + [line for line in lines if line["amount"] < 0]
        lines += lines_for(scope, subscription)
    elif details.get("proration_behavior") != "always_invoice" or not details.get("items"):
        lines = subscription["_pending_lines"] + lines
        next_start = period_of(subscription)[1]
        anchor = subscription["billing_cycle_anchor"]
        set_period(subscription, period_at(anchor, *rhythm(subscription["items"]["data"][0]["price"]), next_start))
        lines += lines_for(scope, subscription)
    invoice = draft(scope, customer, lines, "upcoming", subscription=subscription, discounts=discounts, preview=True)
    invoice["parent"]["subscription_details"]["subscription_proration_date"] = (
        details.get("proration_date") or scope.now
    )
    return _unsaved(invoice)


class Preview(dict):  # type: ignore[type-arg]
    """An answer whose making must leave no trace: the server rolls the transaction back."""


def _unsaved(invoice: Obj) -> Obj:
    return Preview(invoice)


@route("GET", "/v1/invoices/{id}/lines", PAGE)
def list_lines(scope: Scope, params: Obj, identifier: str) -> Obj:
    lines: Obj = scope.get("invoice", identifier)["lines"]
    return lines


retrieval("/v1/invoice_payments/{id}", "invoice_payment")
listing(
    "/v1/invoice_payments",
    "invoice_payment",
    {"invoice": str, "status": ("canceled", "open", "paid"), "created": CREATED},
)
