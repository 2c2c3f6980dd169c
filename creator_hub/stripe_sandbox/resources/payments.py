"""Payment intents and the one function that charges a card."""

from __future__ import annotations

from dataclasses import dataclass

from creator_hub.stripe_sandbox.cards import Decline, decline_for
from creator_hub.stripe_sandbox.errors import ApiError, invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, Spec, merge_metadata
from creator_hub.stripe_sandbox.resources.charges import make_charge
from creator_hub.stripe_sandbox.resources.methods import attach, card_of, resolve
from creator_hub.stripe_sandbox.routes import listing, retrieval, route
from creator_hub.stripe_sandbox.scope import Scope, new_id, public
from creator_hub.stripe_sandbox.store import Obj


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: exactly one of paid, needing approval (3-D Secure) or declined."""

    paid: bool = False
    needs_approval: bool = False
    decline: Decline | None = None


def judge(scope: Scope, method: Obj, *, present: bool, approved: bool = False) -> Outcome:
    """What the issuer says to a charge now. `present` tells whether the cardholder can approve it on a page."""
    forced = scope.store.meta("decline_next", [])
    if forced:
        scope.store.set_meta("decline_next", forced[1:])
        return Outcome(decline=decline_for(forced[0]))
    card = card_of(method)
    if card.decline:
        return Outcome(decline=decline_for(card.decline))
    if card.authenticates and not approved:
        return Outcome(needs_approval=True) if present else Outcome(decline=decline_for("authentication_required"))
    return Outcome(paid=True)


def make_intent(scope: Scope, amount: int, currency: str, customer: str | None, **fields: object) -> Obj:
    if amount < 1:
        raise invalid(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount"
        )
    identifier = new_id("pi")
    intent: Obj = {
        "id": identifier,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic",
        "client_secret": f"{identifier}_secret_{new_id('s')[2:]}",
        "confirmation_method": "automatic",
        "created": scope.now,
        "currency": currency,
        "customer": customer,
        "description": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": None,
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
        "_invoice": None,
    }
    intent |= fields
    scope.add(intent)
    scope.emit("payment_intent.created", intent)
    return intent


def attempt(scope: Scope, intent: Obj, method: Obj, *, present: bool, approved: bool = False) -> Outcome:
    """Try to collect an intent with a card; writes the charge and every event of the attempt."""
    outcome = judge(scope, method, present=present, approved=approved)
    intent |= {"payment_method": method["id"], "next_action": None}
    if outcome.needs_approval:
        url = f"{scope.base_url}/c/3ds/{intent['id']}"
        intent |= {
            "status": "requires_action",
            "next_action": {
                "type": "redirect_to_url",
                "redirect_to_url": {"url": url, "return_url": intent.get("_return_url")},
            },
        }
        scope.save(intent)
        scope.emit("payment_intent.requires_action", intent)
        return outcome
    charge = make_charge(scope, intent, method, outcome.decline, approved)
    intent["latest_charge"] = charge["id"]
    if outcome.decline:
        intent |= {
            "status": "requires_payment_method",
            "payment_method": None,
            "last_payment_error": error_of(outcome.decline, charge, method),
            "_refused_method": method["id"],
        }
    else:
        intent |= {"status": "succeeded", "amount_received": intent["amount"], "last_payment_error": None}
    scope.save(intent)
    scope.emit("payment_intent.succeeded" if outcome.paid else "payment_intent.payment_failed", intent)
    return outcome


def error_of(decline: Decline, charge: Obj, method: Obj) -> Obj:
    return {
        "type": "card_error",
        "code": decline.code,
        "decline_code": decline.decline_code,
        "message": decline.message,
        "charge": charge["id"],
        "payment_method": public(method),
    }


def card_error(decline: Decline, intent: Obj) -> ApiError:
    """402 for a declined charge; what was written about the attempt stays."""
    return ApiError(
        402,
        "card_error",
        decline.message,
        code=decline.code,
        decline_code=decline.decline_code,
        keep=True,
        charge=intent["latest_charge"],
        payment_intent=public(intent),
    )


_FIELDS: Spec = {
    "customer": str,
    "description": str,
    "metadata": META,
    "payment_method": str,
    "receipt_email": str,
    "setup_future_usage": ("off_session", "on_session"),
    "statement_descriptor": str,
    "statement_descriptor_suffix": str,
    "transfer_group": str,
}


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
    outcome = attempt(scope, intent, method, present=not params.get("off_session"))
    if outcome.decline:
        raise card_error(outcome.decline, intent)
    if outcome.paid and intent["setup_future_usage"] and intent["customer"]:
        attach(scope, method, intent["customer"])
    return intent


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


def abandon(scope: Scope, intent: Obj, reason: str | None) -> Obj:
    intent |= {"status": "canceled", "canceled_at": scope.now, "cancellation_reason": reason, "next_action": None}
    scope.save(intent)
    scope.emit("payment_intent.canceled", intent)
    return intent


retrieval("/v1/payment_intents/{id}", "payment_intent")
listing("/v1/payment_intents", "payment_intent", {"created": CREATED, "customer": str})
