"""`/v1/payment_intents`."""

from __future__ import annotations

from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, Spec, merge_metadata
from creator_hub.stripe_sandbox.resources.dunning import collect
from creator_hub.stripe_sandbox.resources.methods import attach, resolve
from creator_hub.stripe_sandbox.resources.payments import Outcome, abandon, attempt, card_error, make_intent
from creator_hub.stripe_sandbox.routes import listing, retrieval, route
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj

INTENT_DATA: Spec = {
    "application_fee_amount": int,
    "description": str,
    "metadata": META,
    "receipt_email": str,
    "setup_future_usage": ("off_session", "on_session"),
    "statement_descriptor": str,
    "statement_descriptor_suffix": str,
    "transfer_group": str,
}
_FIELDS: Spec = {**INTENT_DATA, "customer": str, "payment_method": str}


@route(
    "POST",
    "/v1/payment_intents",
    {
        "amount*": int,
        "currency*": str,
        "confirm": bool,
        "off_session": bool,
        "return_url": str,
        "automatic_payment_methods": {"enabled*": bool, "allow_redirects": ("always", "never")},
        "error_on_requires_action": bool,
        **_FIELDS,
    },
)
def create_intent(scope: Scope, params: Obj) -> Obj:
    customer = params.get("customer")
    refuse_platform_fee(scope, params)
    if customer:
        scope.get("customer", customer, "customer")
    fields = {name: params[name] for name in _FIELDS if name in params and name not in ("customer", "payment_method")}
    fields["metadata"] = merge_metadata(None, params.get("metadata"))
    intent = make_intent(scope, params["amount"], params["currency"].lower(), customer, **fields)
    if params.get("automatic_payment_methods"):
        intent["automatic_payment_methods"] = params["automatic_payment_methods"]
    if params.get("payment_method"):
        intent |= {"payment_method": resolve(scope, params["payment_method"])["id"], "status": "requires_confirmation"}
    scope.save(intent)
    return _confirm(scope, intent, params) if params.get("confirm") else intent


def refuse_platform_fee(scope: Scope, params: Obj) -> None:
    """An application fee is what a platform takes from a charge on a connected account."""
    fee = params.get("application_fee_amount")
    if fee is not None and not scope.account:
        raise invalid(
            "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment (using an "
            "OAuth key or Stripe-Account header) or destination payment (using `transfer_data[destination]`).",
            param="application_fee_amount",
        )


@route("POST", "/v1/payment_intents/{id}", {"amount": int, **_FIELDS})
def update_intent(scope: Scope, params: Obj, identifier: str) -> Obj:
    intent = scope.get("payment_intent", identifier)
    if intent["status"] in ("succeeded", "canceled"):
        raise invalid(
            f"This PaymentIntent cannot be updated because it is {intent['status']}.",
            code="payment_intent_unexpected_state",
        )
    intent["metadata"] = merge_metadata(intent["metadata"], params.pop("metadata", None))
    if params.get("payment_method"):
        params["payment_method"] = resolve(scope, params["payment_method"])["id"]
        intent["status"] = "requires_confirmation"
    intent |= {name: value for name, value in params.items() if name != "expand"}
    return scope.save(intent)


@route(
    "POST",
    "/v1/payment_intents/{id}/confirm",
    {
        "payment_method": str,
        "off_session": bool,
        "return_url": str,
        "error_on_requires_action": bool,
    },
)
def confirm_intent(scope: Scope, params: Obj, identifier: str) -> Obj:
    intent = scope.get("payment_intent", identifier)
    if params.get("payment_method"):
        intent["payment_method"] = resolve(scope, params["payment_method"])["id"]
    return _confirm(scope, intent, params)


def _confirm(scope: Scope, intent: Obj, params: Obj) -> Obj:
    if intent["status"] in ("succeeded", "canceled", "requires_action"):
        raise invalid(
            f"This PaymentIntent cannot be confirmed because it is {intent['status']}.",
            code="payment_intent_unexpected_state",
        )
    if not intent["payment_method"]:
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    method = scope.get("payment_method", intent["payment_method"])
    intent["_return_url"] = params.get("return_url")
    outcome = try_intent(scope, intent, method, present=not params.get("off_session"))
    if outcome.decline:
        raise card_error(outcome.decline, intent)
    if outcome.paid and intent["setup_future_usage"] and intent["customer"]:
        attach(scope, method, intent["customer"])
    return intent


def try_intent(scope: Scope, intent: Obj, method: Obj, *, present: bool, approved: bool = False) -> Outcome:
    """Attempt an intent; the intent of an invoice settles its invoice and its subscription too."""
    invoice = scope.find("invoice", intent["_invoice"])
    if invoice is None or invoice["status"] != "open":
        return attempt(scope, intent, method, present=present, approved=approved)
    outcome = collect(scope, invoice, method, present=present, approved=approved)
    intent |= scope.get("payment_intent", intent["id"])
    return outcome


@route(
    "POST",
    "/v1/payment_intents/{id}/cancel",
    {
        "cancellation_reason": ("abandoned", "duplicate", "fraudulent", "requested_by_customer"),
    },
)
def cancel_intent(scope: Scope, params: Obj, identifier: str) -> Obj:
    intent = scope.get("payment_intent", identifier)
    if intent["status"] in ("succeeded", "canceled"):
        raise invalid(
            f"You cannot cancel this PaymentIntent because it is {intent['status']}.",
            code="payment_intent_unexpected_state",
        )
    return abandon(scope, intent, params.get("cancellation_reason"))


retrieval("/v1/payment_intents/{id}", "payment_intent")
listing("/v1/payment_intents", "payment_intent", {"created": CREATED, "customer": str})
