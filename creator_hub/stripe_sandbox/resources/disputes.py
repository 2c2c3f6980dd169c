"""Disputes: opened by a card or the control plane, answered with evidence, won or lost."""

from __future__ import annotations

from creator_hub.stripe_sandbox import fees
from creator_hub.stripe_sandbox.billing import DAY
from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, merge_metadata
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


@timer("dispute")
def dispute_fraud(scope: Scope, charge: str) -> None:
    open_dispute(scope, charge, "fraudulent")


def open_dispute(scope: Scope, charge_id: str, reason: str) -> Obj:
    """The cardholder's bank takes the money back for now: amount and fee leave the balance."""
    settle(scope, charge_id)
    charge = scope.get("charge", charge_id, "charge")
    if charge["status"] != "succeeded" or charge["disputed"]:
        raise invalid("This charge cannot be disputed.", param="charge")
    amount, currency = charge["amount"] - charge["amount_refunded"], charge["currency"]
    dispute: Obj = {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge_id,
        "created": scope.now,
        "currency": currency,
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(EVIDENCE) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": scope.now + 9 * DAY,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "network_reason_code": "10.4",
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "type": "card",
            "card": {"brand": "visa", "case_type": "chargeback", "network": "visa", "network_reason_code": "10.4"},
        },
        "reason": reason,
        "status": "needs_response",
    }
    scope.add(dispute)
    charge["disputed"] = True
    scope.save(charge)
    scope.emit("charge.dispute.created", dispute)
    _book(scope, dispute, -amount, fees.dispute_fee(currency), "dispute")
    scope.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


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
    """The bank decides. A win brings the amount back, and the fee only where asked."""
    dispute = scope.get("dispute", identifier)
    if dispute["status"] in ("won", "lost"):
        raise invalid(f"This dispute is already {dispute['status']}.", param="dispute")
    with scope.changing(dispute, "charge.dispute.closed"):
        dispute["status"] = "won" if won else "lost"
    if won:
        fee = -fees.dispute_fee(dispute["currency"]) if return_fee else 0
        _book(scope, dispute, dispute["amount"], fee, "dispute_reversal")
        scope.emit("charge.dispute.funds_reinstated", dispute)
    return dispute


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
    with scope.changing(scope.get("dispute", identifier), "charge.dispute.updated") as dispute:
        dispute["evidence"] |= params.get("evidence") or {}
        dispute["metadata"] = merge_metadata(dispute["metadata"], params.get("metadata"))
        dispute["evidence_details"]["has_evidence"] = any(dispute["evidence"][name] for name in EVIDENCE)
        if params.get("submit", True) and params.get("evidence"):
            dispute["status"] = "under_review"
            dispute["evidence_details"] |= {
                "submission_count": dispute["evidence_details"]["submission_count"] + 1,
                "submission_method": "manual",
            }
    return dispute


@route("POST", "/v1/disputes/{id}/close")
def close_dispute(scope: Scope, params: Obj, identifier: str) -> Obj:
    return resolve_dispute(scope, identifier, won=False)


retrieval("/v1/disputes/{id}", "dispute")
listing("/v1/disputes", "dispute", {"charge": str, "created": CREATED, "payment_intent": str})
