"""The one function that charges a card, and what an intent becomes by it."""

from __future__ import annotations

from dataclasses import dataclass

from creator_hub.stripe_sandbox.cards import Decline, decline_for
from creator_hub.stripe_sandbox.errors import ApiError, invalid
from creator_hub.stripe_sandbox.resources.charges import make_charge
from creator_hub.stripe_sandbox.resources.methods import card_of
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
    known = card.off_session and bool(method.get("_approved"))
    if card.decline and (approved or not card.authenticates):
        return Outcome(decline=decline_for(card.decline))
    if card.authenticates and not approved and not known:
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
    if approved and not method.get("_approved"):
        scope.save(method | {"_approved": True})
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


def abandon(scope: Scope, intent: Obj, reason: str | None) -> Obj:
    intent |= {"status": "canceled", "canceled_at": scope.now, "cancellation_reason": reason, "next_action": None}
    scope.save(intent)
    scope.emit("payment_intent.canceled", intent)
    return intent
