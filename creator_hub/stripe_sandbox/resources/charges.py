"""Charges and their settlement: the fee becomes known, the platform gets its application fee."""

from __future__ import annotations

from creator_hub.stripe_sandbox import fees
from creator_hub.stripe_sandbox.cards import Decline
from creator_hub.stripe_sandbox.forms import CREATED, META
from creator_hub.stripe_sandbox.resources.application_fees import APPLICATION, collect_fee
from creator_hub.stripe_sandbox.resources.balance import book
from creator_hub.stripe_sandbox.resources.methods import card_of
from creator_hub.stripe_sandbox.routes import listing, retrieval, updating
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj
from creator_hub.stripe_sandbox.timers import timer

SETTLES_AFTER = 1
TROUBLE_AFTER = 2


def blank_charge(scope: Scope, identifier: str, amount: int, currency: str) -> Obj:
    """A successful charge without a card; transfers arrive on connected accounts as one of these."""
    return {
        "id": identifier,
        "object": "charge",
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": {"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
        "calculated_statement_descriptor": "CREATOR HUB",
        "captured": True,
        "created": scope.now,
        "currency": currency,
        "customer": None,
        "description": None,
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "on_behalf_of": None,
        "outcome": None,
        "paid": True,
        "payment_intent": None,
        "payment_method": None,
        "payment_method_details": None,
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded",
        "transfer_data": None,
        "transfer_group": None,
    }


def make_charge(scope: Scope, intent: Obj, method: Obj, decline: Decline | None, approved: bool) -> Obj:
    """Charge an intent's card. A success has no balance transaction yet: `settle` brings it and `charge.updated`."""
    charge = blank_charge(scope, new_id("ch"), intent["amount"], intent["currency"])
    card = method["card"]
    charge |= {
        "billing_details": method["billing_details"],
        "application": APPLICATION if scope.account else None,
        "application_fee_amount": intent["application_fee_amount"],
        "customer": intent["customer"],
        "description": intent["description"],
        "metadata": dict(intent["metadata"]),
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "receipt_email": intent["receipt_email"],
        "transfer_group": intent["transfer_group"],
        "payment_method_details": {
            "type": "card",
            "card": {
                "amount_authorized": intent["amount"],
                "brand": card["brand"],
                "checks": card["checks"],
                "country": card["country"],
                "exp_month": card["exp_month"],
                "exp_year": card["exp_year"],
                "fingerprint": card["fingerprint"],
                "funding": card["funding"],
                "installments": None,
                "last4": card["last4"],
                "mandate": None,
                "network": card["brand"],
                "three_d_secure": {
                    "authentication_flow": "challenge",
                    "result": "authenticated",
                    "result_reason": None,
                    "version": "2.2.0",
                }
                if approved
                else None,
                "wallet": None,
            },
        },
        "outcome": {
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "risk_score": 12,
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
    }
    if decline:
        _decline(charge, decline)
    scope.add(charge)
    scope.emit("charge.failed" if decline else "charge.succeeded", charge)
    if not decline:
        clock = scope.test_clock_of(intent["customer"])
        scope.timer("settle", charge["id"], scope.now + SETTLES_AFTER, clock)
        later = card_of(method).later
        if later:
            scope.timer(later, charge["id"], scope.now + TROUBLE_AFTER, clock)
    return charge


def _decline(charge: Obj, decline: Decline) -> None:
    charge |= {
        "amount_captured": 0,
        "captured": False,
        "paid": False,
        "status": "failed",
        "failure_code": decline.code,
        "failure_message": decline.message,
        "outcome": {
            "network_status": "declined_by_network",
            "reason": decline.decline_code,
            "risk_level": "normal",
            "risk_score": 12,
            "seller_message": "The bank did not say why.",
            "type": "issuer_declined",
        },
    }


@timer("settle")
def settle(scope: Scope, identifier: str) -> None:
    """The fee becomes known: the charge gets its balance transaction."""
    charge = scope.get("charge", identifier)
    if charge["balance_transaction"]:
        return
    fee = fees.processing_fee(charge["amount"], charge["currency"])
    application_fee = charge["application_fee_amount"] or 0
    with scope.changing(charge, "charge.updated"):
        if application_fee:
            charge["application_fee"] = collect_fee(scope, charge)["id"]
        charge["balance_transaction"] = book(
            scope,
            "charge",
            charge["amount"],
            charge["currency"],
            charge["id"],
            fee=fee,
            application_fee=application_fee,
            description=charge["description"],
            settles=True,
        )["id"]


retrieval("/v1/charges/{id}", "charge")
listing("/v1/charges", "charge", {"created": CREATED, "customer": str, "payment_intent": str, "transfer_group": str})
updating(
    "/v1/charges/{id}",
    "charge",
    {"description": str, "metadata": META, "receipt_email": str, "transfer_group": str},
)
