"""`/v1/invoices` and `/v1/invoice_payments`."""

from __future__ import annotations

from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, PAGE
from creator_hub.stripe_sandbox.resources.dunning import finalize_and_collect, pay_now, recover
from creator_hub.stripe_sandbox.resources.invoices import close_unpaid, finalize, mark_paid, subscription_of
from creator_hub.stripe_sandbox.resources.payments import card_error
from creator_hub.stripe_sandbox.routes import Page, created_range, listing, retrieval, route, updating
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


updating("/v1/invoices/{id}", "invoice", {"auto_advance": bool, "description": str, "footer": str, "metadata": META})


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
