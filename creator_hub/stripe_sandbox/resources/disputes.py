"""Disputes: opened by a card or the control plane, answered with evidence, won or lost."""

from __future__ import annotations

from creator_hub.stripe_sandbox import fees
from creator_hub.stripe_sandbox.billing import DAY
from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, merge_metadata
from creator_hub.stripe_sandbox.resources import fraud_warnings
from creator_hub.stripe_sandbox.resources.balance import book
from creator_hub.stripe_sandbox.resources.charges import settle
from creator_hub.stripe_sandbox.routes import listing, retrieval, route
from creator_hub.stripe_sandbox.scope import Scope, new_id, public
from creator_hub.stripe_sandbox.store import Obj
from creator_hub.stripe_sandbox.timers import timer

EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)


REASONS = (
    "bank_cannot_process",
    "credit_not_processed",
    "customer_initiated",
    "duplicate",
    "fraudulent",
    "general",
    "noncompliant",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
)
RESPOND_WITHIN = 9 * DAY
OVER = ("lost", "prevented", "warning_closed", "won")


@timer("dispute")
def dispute_fraud(scope: Scope, charge: str) -> None:
    open_dispute(scope, charge, "fraudulent")


@timer("dispute_not_received")
def dispute_not_received(scope: Scope, charge: str) -> None:
    open_dispute(scope, charge, "product_not_received")


@timer("inquiry")
def inquire(scope: Scope, charge: str) -> None:
    open_dispute(scope, charge, "fraudulent", inquiry=True)


def open_dispute(scope: Scope, charge_id: str, reason: str, *, inquiry: bool = False, amount: int | None = None) -> Obj:
    """The cardholder's bank takes the money back for now: amount and fee leave the balance. An inquiry only asks."""
    if reason not in REASONS:
        raise invalid(f"reason must be one of {', '.join(REASONS)}", param="reason")
    settle(scope, charge_id)
    charge = scope.get("charge", charge_id, "charge")
    left = charge["amount"] - charge["amount_refunded"]
    amount = left if amount is None else amount
    if charge["status"] != "succeeded" or charge["disputed"] or not 0 < amount <= left:
        raise invalid("This charge cannot be disputed (any more), or not by this amount.", param="charge")
    dispute = scope.add(_blank(scope, charge, amount, reason, inquiry))
    with scope.changing(charge, "charge.updated"):
        charge["disputed"] = True
    fraud_warnings.settled(scope, charge_id)
    clock = scope.test_clock_of(charge["customer"])
    scope.timer("dispute_due", dispute["id"], dispute["evidence_details"]["due_by"], clock)
    scope.emit("charge.dispute.created", dispute)
    if not inquiry:
        _withdraw(scope, dispute)
    return dispute


def _blank(scope: Scope, charge: Obj, amount: int, reason: str, inquiry: bool) -> Obj:
    code = {"fraudulent": "10.4", "product_not_received": "13.1", "subscription_canceled": "13.2"}.get(reason, "13.3")
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": scope.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(EVIDENCE) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": scope.now + RESPOND_WITHIN,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "network_reason_code": code,
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "type": "card",
            "card": {
                "brand": "visa",
                "case_type": "inquiry" if inquiry else "chargeback",
                "network": "visa",
                "network_reason_code": code,
            },
        },
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }


def _withdraw(scope: Scope, dispute: Obj) -> None:
    _book(scope, dispute, -dispute["amount"], fees.dispute_fee(dispute["currency"]), "dispute")
    scope.emit("charge.dispute.funds_withdrawn", dispute)


def _book(scope: Scope, dispute: Obj, amount: int, fee: int, category: str) -> None:
    row = book(
        scope,
        "adjustment",
        amount,
        dispute["currency"],
        dispute["id"],
        fee=fee,
        category=category,
        description=f"Chargeback {'withdrawal' if amount < 0 else 'reversal'} for {dispute['charge']}",
    )
    dispute["balance_transactions"].append(public(row))
    scope.save(dispute)


def resolve_dispute(scope: Scope, identifier: str, *, won: bool, return_fee: bool = False) -> Obj:
    """The bank decides. A win brings the amount back, and the fee only where asked; an inquiry just closes."""
    dispute = scope.get("dispute", identifier)
    if dispute["status"] in OVER:
        raise invalid(f"This dispute is already {dispute['status']}.", param="dispute")
    inquiry = dispute["status"].startswith("warning_")
    scope.drop_timer("dispute_due", identifier)
    with scope.changing(dispute, "charge.dispute.closed"):
        dispute["status"] = "warning_closed" if inquiry else "won" if won else "lost"
    if inquiry:
        charge = scope.get("charge", dispute["charge"])
        with scope.changing(charge, "charge.updated"):
            charge["disputed"] = False
    elif won:
        fee = -fees.dispute_fee(dispute["currency"]) if return_fee else 0
        _book(scope, dispute, dispute["amount"], fee, "dispute_reversal")
        scope.emit("charge.dispute.funds_reinstated", dispute)
    return dispute


def escalate(scope: Scope, identifier: str) -> Obj:
    """The bank turns its question into a chargeback."""
    dispute = scope.get("dispute", identifier)
    if not dispute["status"].startswith("warning_") or dispute["status"] == "warning_closed":
        raise invalid("Only an open inquiry can become a chargeback.", param="dispute")
    with scope.changing(dispute, "charge.dispute.updated"):
        dispute |= {"status": "needs_response", "is_charge_refundable": False}
        dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    _withdraw(scope, dispute)
    return dispute


@timer("dispute_due")
def run_out(scope: Scope, identifier: str) -> None:
    """Nobody answered in time."""
    dispute = scope.get("dispute", identifier)
    if dispute["status"] in ("needs_response", "warning_needs_response"):
        dispute["evidence_details"]["past_due"] = True
        scope.save(dispute)
        resolve_dispute(scope, identifier, won=False)


@route(
    "POST",
    "/v1/disputes/{id}",
    {
        "evidence": dict.fromkeys(EVIDENCE, str),
        "metadata": META,
        "submit": bool,
    },
)
def update_dispute(scope: Scope, params: Obj, identifier: str) -> Obj:
    """Evidence; the texts `winning_evidence` and `losing_evidence` decide the dispute, as in Stripe's test mode."""
    dispute = scope.get("dispute", identifier)
    if params.get("evidence") and dispute["status"] in OVER:
        raise invalid("This dispute is closed; no more evidence can be given.", code="dispute_closed")
    with scope.changing(dispute, "charge.dispute.updated"):
        dispute["evidence"] |= params.get("evidence") or {}
        dispute["metadata"] = merge_metadata(dispute["metadata"], params.get("metadata"))
        dispute["evidence_details"]["has_evidence"] = any(dispute["evidence"][name] for name in EVIDENCE)
        if params.get("submit", True) and params.get("evidence"):
            warned = dispute["status"].startswith("warning_")
            dispute["status"] = "warning_under_review" if warned else "under_review"
            dispute["evidence_details"] |= {
                "submission_count": dispute["evidence_details"]["submission_count"] + 1,
                "submission_method": "manual",
            }
    verdict = dispute["evidence"]["uncategorized_text"]
    if dispute["evidence_details"]["submission_count"] and verdict in ("winning_evidence", "losing_evidence"):
        return resolve_dispute(scope, identifier, won=verdict == "winning_evidence")
    return dispute


@route("POST", "/v1/disputes/{id}/close")
def close_dispute(scope: Scope, params: Obj, identifier: str) -> Obj:
    return resolve_dispute(scope, identifier, won=False)


retrieval("/v1/disputes/{id}", "dispute")
listing("/v1/disputes", "dispute", {"charge": str, "created": CREATED, "payment_intent": str})
