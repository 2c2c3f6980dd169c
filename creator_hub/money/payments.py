"""Paid invoices into the ledger: the payment's split once, the processing fee once it is known, declines remembered."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from creator_hub import settings
from creator_hub.accounts.models import User
from creator_hub.core import clock, mail
from creator_hub.core.ids import new_id
from creator_hub.core.money import Money
from creator_hub.groups.models import Group
from creator_hub.money import bills, gateway, ledger, recognition, subscriptions
from creator_hub.money.billing_models import Decline, Payment, StripePrice, Subscription
from creator_hub.money.bills import Bill
from creator_hub.money.ledger import AccountRef, Leg
from creator_hub.money.ledger_models import LedgerTransaction
from creator_hub.money.shares import take_back_payment
from creator_hub.money.splits import split_payment, split_refund


@dataclass(frozen=True, slots=True)
class PaidBill:
    """An invoice as Stripe shows it, with the charge that paid it (None: not paid, or paid from credit)."""

    invoice: dict[str, Any]
    charge: dict[str, Any] | None

    @property
    def is_paid(self) -> bool:
        return bool(self.invoice["status"] == "paid")

    @property
    def subscription_id(self) -> str | None:
        details = (self.invoice["parent"] or {}).get("subscription_details")
        return details["subscription"] if details else None


def fetch(invoice_id: str) -> PaidBill:
    """Ask Stripe for an invoice and what paid it."""
    invoice = gateway.ask(lambda at: at.v1.invoices.retrieve(invoice_id, {"expand": ["payments"]}))
    paid = [row["payment"] for row in invoice["payments"]["data"] if row["status"] == "paid"]
    intents = [payment["payment_intent"] for payment in paid if payment["type"] == "payment_intent"]
    if not intents:
        return PaidBill(invoice, None)
    expand: list[str] = ["latest_charge.balance_transaction"]
    intent = gateway.ask(lambda at: at.v1.payment_intents.retrieve(intents[0], {"expand": expand}))
    return PaidBill(invoice, intent["latest_charge"])


def record(session: Session, subscription: Subscription, paid: PaidBill) -> None:
    """Keep a paid invoice and post it, once. Unused time that it gives back becomes the fan's credit; the new time is
    paid by card and from credit, and shared. What is paid for more than a month ahead is earned month by month."""
    session.execute(delete(Decline).where(Decline.invoice_id == paid.invoice["id"]))
    bill = bills.read(paid.invoice)
    if bill.old:
        _give_back_unused(session, subscription, paid, bill)
    known = select(Payment.id).where(Payment.invoice_id == paid.invoice["id"])
    if bill.new and session.scalar(known) is None:
        _post(session, _keep(session, subscription, paid, bill), bill)
    if paid.charge is not None:
        record_fee(session, paid.charge)


def _post(session: Session, payment: Payment, bill: Bill) -> None:
    """processor and fan_credit ← tax, platform_fee, creator; what is paid ahead waits in deferred_revenue."""
    ahead = split_refund(payment.split, refunded_before=0, refund=bill.main.amount)
    now, at_once = payment.split - ahead, recognition.defer(payment, ahead)
    currency, deferred = payment.currency, ahead - at_once
    session.flush()
    ledger.post(
        session,
        source=payment.invoice_id,
        kind="payment",
        currency=currency,
        occurred_at=payment.paid_at,
        payment_id=payment.id,
        legs=[
            Leg(ledger.processor(currency), payment.gross_minor - payment.credit_minor),
            Leg(ledger.fan_credit(currency, payment.user_id), payment.credit_minor),
            Leg(ledger.tax_payable(currency, payment.tax_place), -payment.tax_minor),
            Leg(ledger.platform_fee(currency), -now.fee - at_once.fee),
            Leg(ledger.creator_payable(currency, payment.creator_id), -now.creator - at_once.creator),
            Leg(ledger.deferred_revenue(currency), -deferred.fee - deferred.creator),
        ],
    )


def _give_back_unused(session: Session, subscription: Subscription, paid: PaidBill, bill: Bill) -> None:
    """Reverse the old split for the time that is not used: out of the payment that it was paid with, as a refund is.
    What Stripe credits beyond what is left of that payment nobody's share can bear: the platform gives it."""
    source, kind = paid.invoice["id"], "unused_time"
    posted = select(LedgerTransaction.id).filter_by(source=source, kind=kind)
    old = session.scalars(
        select(Payment)
        .where(Payment.subscription_id == subscription.id, Payment.invoice_id != source)
        .order_by((Payment.period_start <= bill.unused_from).desc(), Payment.period_start.desc(), Payment.id.desc())
        .limit(1)
        .with_for_update()
    ).one_or_none()
    if session.scalar(posted) is not None:
        return
    within, legs = 0, []
    if old is not None:
        within = min(bill.old, old.gross_minor - old.refunded_minor)
        share = split_refund(old.split, refunded_before=old.refunded_minor, refund=within)
        legs = take_back_payment(session, old, share)
        old.refunded_minor += within
    ledger.post(
        session,
        source=source,
        kind=kind,
        currency=bill.currency,
        occurred_at=gateway.moment(paid.invoice["created"]),
        payment_id=old.id if old is not None else None,
        legs=[
            *legs,
            Leg(AccountRef("goodwill", bill.currency), bill.old - within),
            Leg(ledger.fan_credit(bill.currency, subscription.user_id), -bill.old),
        ],
    )


def _rates() -> dict[str, int]:
    config = settings.current()
    return {"tax_bps": config.tax_bps, "fee_bps": config.platform_fee_bps}


def _keep(session: Session, subscription: Subscription, paid: PaidBill, bill: Bill) -> Payment:
    invoice, main = paid.invoice, bill.main
    split = split_payment(bill.new, **_rates())
    payment = Payment(
        id=new_id(),
        subscription_id=subscription.id,
        user_id=subscription.user_id,
        group_id=subscription.group_id,
        tier_id=_tier(session, main.price_id) or subscription.tier_id,
        creator_id=session.get_one(Group, subscription.group_id).owner_id,
        invoice_id=invoice["id"],
        charge_id=paid.charge["id"] if paid.charge else None,
        currency=bill.currency,
        gross_minor=split.gross,
        tax_minor=split.tax,
        fee_minor=split.fee,
        creator_minor=split.creator,
        credit_minor=bill.new - bill.due,
        refunded_minor=0,
        tax_bps=settings.current().tax_bps,
        **_evidence(paid),
        period_start=main.start,
        period_end=main.end,
        paid_at=gateway.moment(invoice["status_transitions"]["paid_at"]),
    )
    session.add(payment)
    return payment


def _tier(session: Session, price_id: str | None) -> uuid.UUID | None:
    """The tier that a price of Stripe's stands for; None for a price that is none of ours."""
    if price_id is None:
        return None
    return session.scalar(select(StripePrice.tier_id).where(StripePrice.stripe_id == price_id))


def _evidence(paid: PaidBill) -> dict[str, str | None]:
    """What says whose tax applies: the country of the billing address, else that of the card."""
    charge = paid.charge or {}
    address = paid.invoice["customer_address"] or charge.get("billing_details", {}).get("address") or {}
    card = (charge.get("payment_method_details") or {}).get("card") or {}
    billing, issued = address.get("country"), card.get("country")
    return {"billing_country": billing, "card_country": issued, "tax_place": billing or issued or "unknown"}


def of_charge(session: Session, charge_id: str) -> tuple[Subscription, Payment] | None:
    """The payment that a charge paid, and its subscription, both locked; None when it is none of ours."""
    payment = session.scalars(select(Payment).where(Payment.charge_id == charge_id)).one_or_none()
    if payment is None:
        return None
    subscription = subscriptions.lock(session, payment.subscription_id)
    session.refresh(payment, with_for_update=True)
    return subscription, payment


def record_fee(session: Session, charge: dict[str, Any]) -> None:
    """Post what the processor kept of a charge; nothing yet while its balance transaction is missing."""
    row = charge["balance_transaction"]
    if row is None or row["fee"] == 0:
        return
    currency = row["currency"].upper()
    ledger.post(
        session,
        source=charge["id"],
        kind="processor_fee",
        currency=currency,
        occurred_at=gateway.moment(row["created"]),
        payment_id=session.scalar(select(Payment.id).where(Payment.charge_id == charge["id"])),
        legs=[Leg(ledger.processor_fee(currency), row["fee"]), Leg(ledger.processor(currency), -row["fee"])],
    )


def record_decline(session: Session, subscription: Subscription, bill: PaidBill) -> None:
    """Remember that collecting failed and tell the fan what to do, once per attempt."""
    invoice = bill.invoice
    known = session.get(Decline, invoice["id"], with_for_update=True)
    if known is not None and known.attempts >= invoice["attempt_count"]:
        return
    next_try = invoice["next_payment_attempt"]
    session.merge(
        Decline(
            invoice_id=invoice["id"],
            subscription_id=subscription.id,
            attempts=invoice["attempt_count"],
            next_attempt_at=gateway.moment(next_try) if next_try else None,
            pay_url=invoice["hosted_invoice_url"],
            at=clock.now(),
        )
    )
    _tell_of_decline(session, subscription, Money(invoice["amount_due"], invoice["currency"].upper()))


def _tell_of_decline(session: Session, subscription: Subscription, amount: Money) -> None:
    group = session.get_one(Group, subscription.group_id)
    mail.send_later(
        session,
        to=session.get_one(User, subscription.user_id).email,
        subject=f"Your payment for {group.name} did not go through",
        text=(
            f"Your bank declined {amount} for {group.name}. You keep your access for now, and we try again.\n"
            f"To pay with another card, open {settings.current().public_url}/billing\n"
        ),
    )
