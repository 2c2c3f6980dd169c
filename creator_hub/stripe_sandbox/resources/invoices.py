"""Invoices as documents: lines, discounts, taxes, totals, and their states. Collecting money is dunning's part."""

from __future__ import annotations

from typing import Any

from creator_hub.stripe_sandbox import fees
from creator_hub.stripe_sandbox.billing import percent_of
from creator_hub.stripe_sandbox.render import list_object
from creator_hub.stripe_sandbox.resources.customers import move_balance
from creator_hub.stripe_sandbox.resources.lines import total_up
from creator_hub.stripe_sandbox.resources.payments import abandon, make_intent
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj


def draft(
    scope: Scope,
    customer: Obj,
    lines: list[Obj],
    reason: str,
    *,
    subscription: Obj | None = None,
    discounts: list[Obj] | None = None,
    preview: bool = False,
    **fields: Any,
) -> Obj:
    """A draft invoice; a preview is computed the same way but neither stored nor announced."""
    identifier = new_id("upcoming_in" if preview else "in")
    currency = lines[0]["currency"] if lines else (customer["currency"] or "usd")
    start = min((line["period"]["start"] for line in lines), default=scope.now)
    end = max((line["period"]["end"] for line in lines), default=scope.now)
    invoice: Obj = {
        "id": identifier,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Creator Hub",
        "account_tax_ids": None,
        "amount_due": 0,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": 0,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "automatically_finalizes_at": None,
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": scope.now,
        "currency": currency,
        "custom_fields": None,
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": None,
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": None,
        "ending_balance": None,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": list_object(f"/v1/invoices/{identifier}/lines", lines),
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": None,
        "on_behalf_of": None,
        "parent": None,
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        "period_end": end,
        "period_start": start,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": customer["balance"],
        "statement_descriptor": None,
        "status": "draft",
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subtotal": 0,
        "subtotal_excluding_tax": 0,
        "test_clock": customer["test_clock"],
        "total": 0,
        "total_discount_amounts": [],
        "total_excluding_tax": 0,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": None,
        "_intent": None,
    }
    if subscription is not None:
        invoice["parent"] = {
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {"metadata": dict(subscription["metadata"]), "subscription": subscription["id"]},
        }
    invoice |= fields
    for line in lines:
        line["invoice"] = identifier
    total_up(invoice, discounts or [])
    _settle_due(scope, invoice, customer["balance"])
    if not preview:
        scope.add(invoice)
        scope.emit("invoice.created", invoice)
    return invoice


def subscription_of(invoice: Obj) -> str | None:
    """The subscription an invoice belongs to (since API basil it sits under `parent`)."""
    details = (invoice["parent"] or {}).get("subscription_details")
    return details["subscription"] if details else None


def _settle_due(scope: Scope, invoice: Obj, balance: int) -> None:
    """What is to be collected after the customer's balance; the least a card is charged decides what is carried on."""
    due = max(invoice["total"] + balance, 0) if invoice["total"] > 0 else 0
    if due < fees.smallest_charge(invoice["currency"]):
        due = 0
    invoice |= {"starting_balance": balance, "amount_due": due, "amount_remaining": due}


def finalize(scope: Scope, invoice: Obj, **intent_fields: Any) -> Obj:
    """Draft → open: number it, spend the customer's credit, and make the intent that will collect the rest."""
    customer = scope.get("customer", invoice["customer"])
    scope.drop_timer("finalize", invoice["id"])
    number = customer["next_invoice_sequence"]
    customer |= {"next_invoice_sequence": number + 1, "currency": invoice["currency"]}
    scope.save(customer)
    _use_balance(scope, invoice, customer)
    invoice |= {
        "status": "open",
        "number": f"{customer['invoice_prefix']}-{number:04d}",
        "effective_at": scope.now,
        "automatically_finalizes_at": None,
        "hosted_invoice_url": f"{scope.base_url}/c/invoice/{invoice['id']}",
    }
    invoice["status_transitions"]["finalized_at"] = scope.now
    scope.save(invoice)
    scope.emit("invoice.finalized", invoice)
    if invoice["amount_due"] == 0:
        mark_paid(scope, invoice)
        return invoice
    intent = make_intent(
        scope,
        invoice["amount_due"],
        invoice["currency"],
        invoice["customer"],
        description="Subscription creation"
        if invoice["billing_reason"] == "subscription_create"
        else "Subscription update",
        application_fee_amount=_application_fee(scope, invoice),
        _invoice=invoice["id"],
        **intent_fields,
    )
    invoice["_intent"] = intent["id"]
    scope.save(invoice)
    scope.add(
        {
            "id": new_id("inpay"),
            "object": "invoice_payment",
            "amount_paid": None,
            "amount_requested": invoice["amount_due"],
            "created": scope.now,
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "livemode": False,
            "payment": {"type": "payment_intent", "payment_intent": intent["id"]},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        }
    )
    return invoice


def _application_fee(scope: Scope, invoice: Obj) -> int | None:
    """On a connected account: the platform's percentage of the invoice, at most what is collected."""
    subscription = scope.find("subscription", subscription_of(invoice))
    percent = subscription and subscription["application_fee_percent"]
    return min(percent_of(invoice["total"], percent), invoice["amount_due"]) if percent else None


def _use_balance(scope: Scope, invoice: Obj, customer: Obj) -> None:
    """A negative total becomes credit; existing credit lowers what is due, debt or a carried sum raises the balance."""
    _settle_due(scope, invoice, customer["balance"])
    change = invoice["total"] - invoice["amount_due"]
    if change:
        kind = "applied_to_invoice"
        if 0 < invoice["total"] + customer["balance"] < fees.smallest_charge(invoice["currency"]):
            kind = "invoice_too_small"
        move_balance(scope, customer["id"], change, invoice["currency"], kind, invoice=invoice["id"])
    invoice["_from_balance"] = change
    invoice["ending_balance"] = scope.get("customer", customer["id"])["balance"]


def mark_paid(scope: Scope, invoice: Obj) -> None:
    """Open → paid, with the events that tell it."""
    invoice |= {
        "status": "paid",
        "attempted": True,
        "amount_paid": invoice["amount_due"],
        "amount_remaining": 0,
        "next_payment_attempt": None,
        "auto_advance": False,
    }
    invoice["status_transitions"]["paid_at"] = scope.now
    scope.save(invoice)
    for payment in scope.all("invoice_payment", invoice=invoice["id"], status="open"):
        payment |= {"status": "paid", "amount_paid": payment["amount_requested"]}
        payment["status_transitions"]["paid_at"] = scope.now
        scope.save(payment)
        scope.emit("invoice_payment.paid", payment)
    scope.emit("invoice.paid", invoice)
    scope.emit("invoice.payment_succeeded", invoice)


def hold_back(scope: Scope, invoice: Obj, pause: Obj | None) -> None:
    """A draft that is not to be collected: kept, or closed as the paused collection says."""
    if pause is None or pause["behavior"] == "keep_as_draft":
        invoice |= {"auto_advance": False, "automatically_finalizes_at": None}
        scope.save(invoice)
    else:
        close_unpaid(scope, invoice, "void" if pause["behavior"] == "void" else "uncollectible")


def close_unpaid(scope: Scope, invoice: Obj, status: str) -> Obj:
    """Draft or open → void or uncollectible; the intent goes with a void."""
    moment = {"void": "voided_at", "uncollectible": "marked_uncollectible_at"}[status]
    invoice |= {"status": status, "next_payment_attempt": None, "auto_advance": False}
    invoice["status_transitions"][moment] = scope.now
    scope.save(invoice)
    for action in ("finalize", "retry"):
        scope.drop_timer(action, invoice["id"])
    spent = invoice.get("_from_balance")
    if status == "void" and spent:
        about = {"invoice": invoice["id"]}
        move_balance(scope, invoice["customer"], -spent, invoice["currency"], "unapplied_from_invoice", **about)
    intent = scope.find("payment_intent", invoice["_intent"])
    if status == "void" and intent and intent["status"] != "canceled":
        abandon(scope, intent, "void_invoice")
        for payment in scope.all("invoice_payment", invoice=invoice["id"], status="open"):
            payment["status"] = "canceled"
            payment["status_transitions"]["canceled_at"] = scope.now
            scope.save(payment)
    scope.emit("invoice.voided" if status == "void" else "invoice.marked_uncollectible", invoice)
    return invoice
