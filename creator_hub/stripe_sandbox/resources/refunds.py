"""Refunds: whole or in part, at once, pending, or failed days later."""

from __future__ import annotations

from fractions import Fraction

from creator_hub.stripe_sandbox.billing import DAY, round_half_up
from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, PAGE, merge_metadata
from creator_hub.stripe_sandbox.resources import fraud_warnings
from creator_hub.stripe_sandbox.resources.application_fees import refund_fee
from creator_hub.stripe_sandbox.resources.balance import book
from creator_hub.stripe_sandbox.resources.charges import settle
from creator_hub.stripe_sandbox.resources.methods import card_of
from creator_hub.stripe_sandbox.routes import Page, created_range, retrieval, route, updating
from creator_hub.stripe_sandbox.scope import PLATFORM, Scope, new_id
from creator_hub.stripe_sandbox.store import Obj
from creator_hub.stripe_sandbox.timers import timer

FAILURES = (
    "declined",
    "expired_or_canceled_card",
    "insufficient_funds",
    "lost_or_stolen_card",
    "merchant_request",
    "unknown",
)
BANK_TAKES = 3 * DAY


@route(
    "POST",
    "/v1/refunds",
    {
        "amount": int,
        "charge": str,
        "payment_intent": str,
        "metadata": META,
        "reason": ("duplicate", "fraudulent", "requested_by_customer"),
        "refund_application_fee": bool,
    },
)
def create_refund(scope: Scope, params: Obj) -> Obj:
    charge = _refundable(scope, params)
    left = charge["amount"] - charge["amount_refunded"]
    amount = left if params.get("amount") is None else params["amount"]
    if left == 0 or charge["disputed"]:
        code = "charge_disputed" if charge["disputed"] else "charge_already_refunded"
        text = "has been charged back; cannot issue a refund" if charge["disputed"] else "has already been refunded"
        raise invalid(f"Charge {charge['id']} {text}.", code=code)
    if not 0 < amount <= left:
        raise invalid(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).", param="amount")
    settle(scope, charge["id"])
    charge = scope.get("charge", charge["id"])
    refund = _make(scope, charge, amount, params)
    before = dict(charge)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    scope.save(charge)
    if params.get("refund_application_fee"):
        _refund_application_fee(scope, charge)
    scope.emit("refund.created", refund)
    scope.emit("charge.refunded", charge, before)
    if charge["refunded"]:
        fraud_warnings.settled(scope, charge["id"])
    _send_on(scope, refund, charge)
    return scope.get("refund", refund["id"])


def _make(scope: Scope, charge: Obj, amount: int, params: Obj) -> Obj:
    identifier = new_id("re")
    row = book(scope, "refund", -amount, charge["currency"], identifier, description="REFUND FOR CHARGE")
    refund: Obj = {
        "id": identifier,
        "object": "refund",
        "amount": amount,
        "balance_transaction": row["id"],
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
    return scope.add(refund)


def _refund_application_fee(scope: Scope, charge: Obj) -> None:
    """The platform's fee goes back in proportion to all that was refunded, so that parts never drift from the whole."""
    platform = scope.of(PLATFORM)
    fee = platform.find("application_fee", charge["application_fee"])
    if fee is None:
        raise invalid("There is no application fee on this charge to refund.", param="refund_application_fee")
    due = round_half_up(Fraction(fee["amount"] * charge["amount_refunded"], charge["amount"])) - fee["amount_refunded"]
    if due > 0:
        refund_fee(platform, fee, due, scope)


def _send_on(scope: Scope, refund: Obj, charge: Obj) -> None:
    """What the card makes of its refunds, or the control plane of the next one."""
    method = scope.find("payment_method", charge["payment_method"])
    fate = card_of(method).refund if method else None
    forced = scope.store.meta("refund_failure")
    clock = scope.test_clock_of(charge["customer"])
    if forced:
        scope.store.set_meta("refund_failure", None)
        refund["_failure"] = forced
        scope.save(refund)
    if forced or fate == "fails":
        scope.timer("refund_fails", refund["id"], scope.now + BANK_TAKES, clock)
    elif fate == "pending":
        refund["status"] = "pending"
        scope.save(refund)
        scope.timer("refund_arrives", refund["id"], scope.now + BANK_TAKES, clock)


@timer("refund_arrives")
def arrive(scope: Scope, identifier: str) -> None:
    refund = scope.get("refund", identifier)
    if refund["status"] == "pending":
        before, refund["status"] = dict(refund), "succeeded"
        scope.save(refund)
        _tell(scope, refund, before)


@timer("refund_fails")
def fail_later(scope: Scope, identifier: str) -> None:
    refund = scope.get("refund", identifier)
    if refund["status"] != "failed":
        fail(scope, refund, refund.get("_failure") or "expired_or_canceled_card")


def fail(scope: Scope, refund: Obj, reason: str) -> Obj:
    """The bank could not take the money: it is back on the balance, and the charge is no longer refunded."""
    if refund["status"] == "failed":
        raise invalid("This refund has already failed.", param="refund")
    charge = scope.get("charge", refund["charge"])
    back = book(
        scope, "refund_failure", refund["amount"], refund["currency"], refund["id"], description="REFUND FAILURE"
    )
    before = dict(refund)
    refund |= {"status": "failed", "failure_reason": reason, "failure_balance_transaction": back["id"]}
    scope.save(refund)
    scope.drop_timer("refund_arrives", refund["id"])
    scope.drop_timer("refund_fails", refund["id"])
    with scope.changing(charge, "charge.updated"):
        charge["amount_refunded"] -= refund["amount"]
        charge["refunded"] = False
    _tell(scope, refund, before)
    scope.emit("refund.failed", refund)
    return refund


def _tell(scope: Scope, refund: Obj, before: Obj) -> None:
    scope.emit("refund.updated", refund, before)
    scope.emit("charge.refund.updated", refund, before)


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


updating("/v1/refunds/{id}", "refund", {"metadata": META})
retrieval("/v1/refunds/{id}", "refund")


@route("GET", "/v1/refunds", {**PAGE, "charge": str, "payment_intent": str, "created": CREATED})
def list_refunds(scope: Scope, params: Obj) -> Page:
    equal: Obj = {name: params[name] for name in ("charge", "payment_intent") if name in params}
    return Page("refund", equal, created_range(params))
