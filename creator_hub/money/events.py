"""What Stripe's events mean here. An event is only a hint: the object is asked for anew, then applied.

Everything is safe to repeat and to receive in any order. Objects without our ids are ignored: an account may be
shared.
"""

from __future__ import annotations

import uuid

from sqlalchemy import select, update

from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from creator_hub.core.errors import Conflict, Unavailable
from creator_hub.money import disputes, gateway, payments, payout_events, refunds, subscriptions
from creator_hub.money.billing_models import Checkout, Payment, StripeCustomer, StripeEvent
from creator_hub.money.payments import PaidBill

GIVE_BACK = ("tier_full", "already_member")
NOUNS = ("checkout.session", "customer.subscription", "refund", "charge.dispute")
INVOICES = ("invoice.paid", "invoice.payment_failed", "invoice.payment_action_required", "invoice.voided")
CHARGES = ("charge.updated", "charge.refunded")


def concerns(kind: str) -> bool:
    """Whether there is work in an event of this type; most of Stripe's announcements mean nothing here."""
    return (
        kind in (*INVOICES, *CHARGES)
        or kind.rpartition(".")[0] in NOUNS
        or kind in (*payout_events.ACCOUNT_EVENTS, *payout_events.BANK_EVENTS, "transfer.reversed")
    )


def follow(event_id: str) -> None:
    """Do what one stored event asks for, outside of any unit of work."""
    with unit_of_work() as session:
        event = session.get_one(StripeEvent, event_id)
    if payout_events.follow(event.type, event.account or None, event.object_id) or event.account:
        return
    noun = event.type.rpartition(".")[0]
    if noun == "checkout.session":
        follow_checkout(event.object_id)
    elif noun == "customer.subscription":
        follow_subscription(event.object_id)
    elif event.type in INVOICES:
        _follow_invoice(event.object_id)
    elif event.type in CHARGES:
        _follow_charge(event.object_id)
    elif noun == "refund":
        refund = gateway.ask(lambda at: at.v1.refunds.retrieve(event.object_id))
        _follow_charge(refund["charge"])
    elif noun == "charge.dispute":
        _follow_dispute(event.object_id)


def follow_checkout(session_id: str) -> None:
    """A Checkout page was paid or ran out."""
    found = gateway.ask(lambda at: at.v1.checkout.sessions.retrieve(session_id))
    if subscriptions.checkout_id(found) is None:
        return
    if found["subscription"]:
        follow_subscription(found["subscription"])
    elif found["status"] == "expired":
        with unit_of_work() as session:
            session.execute(
                update(Checkout)
                .where(Checkout.stripe_id == session_id, Checkout.state.in_(("creating", "open")))
                .values(state="expired")
            )


def follow_subscription(stripe_id: str, bill: PaidBill | None = None) -> None:
    """Ask for a subscription and its latest invoice; state, payment and access change in one transaction."""
    asked_at = clock.now()
    found = gateway.ask(lambda at: at.v1.subscriptions.retrieve(stripe_id))
    if subscriptions.checkout_id(found) is None:
        return
    if bill is None and found["latest_invoice"]:
        bill = payments.fetch(found["latest_invoice"])
    try:
        with unit_of_work() as session:
            row = subscriptions.apply(session, found, asked_at)
            if row is not None and bill is not None:
                session.flush()
                if bill.is_paid:
                    payments.record(session, row, bill)
                elif bill.invoice["status"] == "open" and bill.invoice["attempted"]:
                    payments.record_decline(session, row, bill)
    except Conflict as refusal:
        if refusal.code not in GIVE_BACK:
            raise
        _give_back(stripe_id, bill, str(refusal.detail))


def _give_back(stripe_id: str, bill: PaidBill | None, why: str) -> None:
    """Two people paid for the last seat, or one person twice: stop charging and return what was paid."""
    subscriptions.cancel_at_stripe(stripe_id)
    follow_subscription(stripe_id, bill)
    if bill is None or not bill.is_paid or bill.charge is None:
        return
    with unit_of_work() as session:
        payment = session.scalars(select(Payment).where(Payment.invoice_id == bill.invoice["id"])).one_or_none()
        refund = refunds.request(session, payment, None, why, None) if payment is not None else None
    if refund is not None:
        refunds.send(refund.id)


def _follow_invoice(invoice_id: str) -> None:
    bill = payments.fetch(invoice_id)
    if bill.subscription_id is not None:
        follow_subscription(bill.subscription_id, bill)


def _follow_charge(charge_id: str) -> None:
    """The fee became known, or something was refunded."""
    charge = gateway.ask(lambda at: at.v1.charges.retrieve(charge_id, {"expand": ["balance_transaction"]}))
    if charge["status"] != "succeeded" or _payment_of(charge_id, charge["customer"]) is None:
        return
    given_back = gateway.ask(lambda at: at.v1.refunds.list({"charge": charge_id, "limit": 100}))["data"]
    with unit_of_work() as session:
        payments.record_fee(session, charge)
        for refund in reversed(given_back):  # oldest first: the shares are cumulative
            refunds.settle(session, refund)


def _follow_dispute(dispute_id: str) -> None:
    dispute = gateway.ask(lambda at: at.v1.disputes.retrieve(dispute_id))
    charge_id = dispute["charge"]
    charge = gateway.ask(lambda at: at.v1.charges.retrieve(charge_id))
    if _payment_of(charge_id, charge["customer"]) is None:
        return
    with unit_of_work() as session:
        disputes.settle(session, dispute)


def _payment_of(charge_id: str, customer_id: str | None) -> uuid.UUID | None:
    """Our payment of a charge; None when the charge is none of ours. A charge of our customer whose invoice has not
    been followed yet comes back later."""
    with unit_of_work() as session:
        payment_id = session.scalar(select(Payment.id).where(Payment.charge_id == charge_id))
        ours = session.scalar(select(StripeCustomer.id).where(StripeCustomer.stripe_id == customer_id))
    if payment_id is None and ours is not None:
        raise Unavailable(f"The invoice of charge {charge_id} has not been followed yet.")
    return payment_id
