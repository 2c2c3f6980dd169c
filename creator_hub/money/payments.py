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
from creator_hub.money import bills, gateway, ledger, recognition
from creator_hub.money.billing_models import Decline, Payment, StripePrice, Subscription
from creator_hub.money.bills import Bill
from creator_hub.money.ledger import Leg
from creator_hub.money.shares import take_back
from creator_hub.money.splits import Split, split_payment, split_refund


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
    """Keep a paid invoice and post it, once: processor and spent credit ← tax, platform fee, creator. What is paid for
    more than a month ahead is earned month by month; unused time that the invoice gives back is taken from where it
    went."""
    session.execute(delete(Decline).where(Decline.invoice_id == paid.invoice["id"]))
    bill = bills.read(paid.invoice)
    known = select(Payment.id).where(Payment.invoice_id == paid.invoice["id"])
    if bill.total > 0 and session.scalar(known) is None:
        _post(session, subscription, paid, bill)
    elif bill.credit_given:
        _post_credit(session, subscription, paid, bill)
    if paid.charge is not None:
        record_fee(session, paid.charge)


def _post(session: Session, subscription: Subscription, paid: PaidBill, bill: Bill) -> None:
    """The new time's split is credited, the old time's debited; their difference is the payment's own split."""
    rates = _rates()
    new, own = (split_payment(amount, **rates) for amount in (bill.new, bill.total))
    old_legs = _give_back_old(session, subscription, paid, new - own)
    payment = _keep(session, subscription, paid, bill, own)
    ahead = split_refund(new, refunded_before=0, refund=bill.main.amount)
    now = new - ahead
    at_once = recognition.defer(payment, ahead)
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
            Leg(ledger.processor(currency), bill.due),
            Leg(ledger.fan_credit(currency, payment.user_id), bill.credit_spent),
            *old_legs,
            Leg(ledger.tax_payable(currency, payment.tax_place), -new.tax),
            Leg(ledger.platform_fee(currency), -now.fee - at_once.fee),
            Leg(ledger.creator_payable(currency, payment.creator_id), -now.creator - at_once.creator),
            Leg(ledger.deferred_revenue(currency), -deferred.fee - deferred.creator),
        ],
    )


def _post_credit(session: Session, subscription: Subscription, paid: PaidBill, bill: Bill) -> None:
    """More unused time than new time: the rest becomes the fan's credit."""
    given = split_payment(bill.credit_given, **_rates())
    ledger.post(
        session,
        source=paid.invoice["id"],
        kind="credit_given",
        currency=bill.currency,
        occurred_at=gateway.moment(paid.invoice["created"]),
        legs=[
            *_give_back_old(session, subscription, paid, given),
            Leg(ledger.fan_credit(bill.currency, subscription.user_id), -bill.credit_given),
        ],
    )


def _rates() -> dict[str, int]:
    config = settings.current()
    return {"tax_bps": config.tax_bps, "fee_bps": config.platform_fee_bps}


def _give_back_old(session: Session, subscription: Subscription, paid: PaidBill, share: Split) -> list[Leg]:
    """The debits for unused time; the payments that still hold unearned months of the subscription give it first."""
    if share.gross == 0:
        return []
    ahead = session.scalars(
        select(Payment)
        .where(Payment.subscription_id == subscription.id, Payment.next_earning_at.is_not(None))
        .order_by(Payment.period_end.desc(), Payment.id)
        .with_for_update()
    ).all()
    creator_id = session.get_one(Group, subscription.group_id).owner_id
    place = _evidence(paid)["tax_place"] or "unknown"
    currency = paid.invoice["currency"].upper()
    return take_back(session, share, currency=currency, creator_id=creator_id, tax_place=place, ahead=ahead)


def _keep(session: Session, subscription: Subscription, paid: PaidBill, bill: Bill, own: Split) -> Payment:
    invoice, main = paid.invoice, bill.main
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
        gross_minor=own.gross,
        tax_minor=own.tax,
        fee_minor=own.fee,
        creator_minor=own.creator,
        credit_minor=bill.credit_spent,
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
    return session.scalar(select(StripePrice.tier_id).where(StripePrice.stripe_id == price_id))


def _evidence(paid: PaidBill) -> dict[str, str | None]:
    """What says whose tax applies: the country of the billing address, else that of the card."""
    charge = paid.charge or {}
    address = paid.invoice["customer_address"] or charge.get("billing_details", {}).get("address") or {}
    card = (charge.get("payment_method_details") or {}).get("card") or {}
    billing, issued = address.get("country"), card.get("country")
    return {"billing_country": billing, "card_country": issued, "tax_place": billing or issued or "unknown"}


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
