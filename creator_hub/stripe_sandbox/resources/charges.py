"""Charges, their settlement, and refunds."""

from __future__ import annotations

from creator_hub.stripe_sandbox import fees
from creator_hub.stripe_sandbox.cards import Decline
from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, PAGE, merge_metadata
from creator_hub.stripe_sandbox.resources.balance import book
from creator_hub.stripe_sandbox.resources.methods import card_of
from creator_hub.stripe_sandbox.routes import Page, created_range, listing, retrieval, route
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj
from creator_hub.stripe_sandbox.timers import timer

SETTLES_AFTER = 1
DISPUTED_AFTER = 2


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
        if card_of(method).disputed:
            scope.timer("dispute", charge["id"], scope.now + DISPUTED_AFTER, clock)
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
    with scope.changing(charge, "charge.updated"):
        charge["balance_transaction"] = book(
            scope,
            "charge",
            charge["amount"],
            charge["currency"],
            charge["id"],
            fee=fee,
            description=charge["description"],
            settles=True,
        )["id"]


retrieval("/v1/charges/{id}", "charge")
listing("/v1/charges", "charge", {"created": CREATED, "customer": str, "payment_intent": str, "transfer_group": str})


@route("POST", "/v1/charges/{id}", {"description": str, "metadata": META, "receipt_email": str, "transfer_group": str})
def update_charge(scope: Scope, params: Obj, identifier: str) -> Obj:
    with scope.changing(scope.get("charge", identifier), "charge.updated") as charge:
        metadata = merge_metadata(charge["metadata"], params.pop("metadata", None))
        charge |= {name: value for name, value in params.items() if name != "expand"} | {"metadata": metadata}
    return charge


@route(
    "POST",
    "/v1/refunds",
    {
        "amount": int,
        "charge": str,
        "payment_intent": str,
        "metadata": META,
        "reason": ("duplicate", "fraudulent", "requested_by_customer"),
    },
)
def create_refund(scope: Scope, params: Obj) -> Obj:
    charge = _refundable(scope, params)
    left = charge["amount"] - charge["amount_refunded"]
    amount = params.get("amount") or left
    if left == 0 or charge["disputed"]:
        code = "charge_disputed" if charge["disputed"] else "charge_already_refunded"
        raise invalid(f"Charge {charge['id']} has already been {code.rpartition('_')[2]}.", code=code)
    if not 0 < amount <= left:
        raise invalid(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).", param="amount")
    settle(scope, charge["id"])
    charge = scope.get("charge", charge["id"])
    refund: Obj = {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": scope.now,
        "currency": charge["currency"],
        "destination_details": {
            "card": {
                "reference": None,
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        "metadata": merge_metadata(None, params.get("metadata")),
        "payment_intent": charge["payment_intent"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
    refund["balance_transaction"] = book(
        scope, "refund", -amount, charge["currency"], refund["id"], description="REFUND FOR CHARGE"
    )["id"]
    scope.add(refund)
    before = dict(charge)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    scope.save(charge)
    scope.emit("refund.created", refund)
    scope.emit("charge.refunded", charge, before)
    return refund


def _refundable(scope: Scope, params: Obj) -> Obj:
    identifier = params.get("charge")
    if params.get("payment_intent"):
        identifier = scope.get("payment_intent", params["payment_intent"], "payment_intent")["latest_charge"]
    if not identifier:
        raise invalid(
            "One of the following params should be provided for this request: payment_intent or charge.",
            code="parameter_missing",
        )
    charge = scope.get("charge", identifier, "charge")
    if charge["status"] != "succeeded":
        raise invalid("This charge did not succeed and cannot be refunded.", code="charge_not_refundable")
    return charge


@route("POST", "/v1/refunds/{id}", {"metadata": META})
def update_refund(scope: Scope, params: Obj, identifier: str) -> Obj:
    with scope.changing(scope.get("refund", identifier), "refund.updated") as refund:
        refund["metadata"] = merge_metadata(refund["metadata"], params.get("metadata"))
    return refund


retrieval("/v1/refunds/{id}", "refund")


@route("GET", "/v1/refunds", {**PAGE, "charge": str, "payment_intent": str, "created": CREATED})
def list_refunds(scope: Scope, params: Obj) -> Page:
    equal: Obj = {name: params[name] for name in ("charge", "payment_intent") if name in params}
    return Page("refund", equal, created_range(params))
