"""Paid invoices into the ledger: the payment's split once, the processing fee once it is known, declines remembered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from creator_hub import settings
from creator_hub.accounts.models import User
from creator_hub.core import clock, mail
from creator_hub.core.ids import new_id
from creator_hub.core.money import Money
from creator_hub.groups.models import Group
from creator_hub.money import gateway, ledger
from creator_hub.money.billing_models import Decline, Payment, Subscription
from creator_hub.money.ledger import Leg
from creator_hub.money.splits import split_payment


@dataclass(frozen=True, slots=True)
class Bill:
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


def fetch(invoice_id: str) -> Bill:
    """Ask Stripe for an invoice and what paid it."""
    invoice = gateway.ask(lambda at: at.v1.invoices.retrieve(invoice_id, {"expand": ["payments"]}))
    paid = [row["payment"] for row in invoice["payments"]["data"] if row["status"] == "paid"]
    intents = [payment["payment_intent"] for payment in paid if payment["type"] == "payment_intent"]
    if not intents:
        return Bill(invoice, None)
    expand: list[str] = ["latest_charge.balance_transaction"]
    intent = gateway.ask(lambda at: at.v1.payment_intents.retrieve(intents[0], {"expand": expand}))
    return Bill(invoice, intent["latest_charge"])


def record(session: Session, subscription: Subscription, bill: Bill) -> None:
    """Keep a paid invoice and post it: processor ← tax, platform fee, creator. Once per invoice.

    The creator's share of a yearly payment is payable at once; what can be paid out is for the payout run to hold back.
    """
    session.execute(delete(Decline).where(Decline.invoice_id == bill.invoice["id"]))
    gross = bill.invoice["amount_paid"]
    if gross > 0:
        payment = _keep(session, subscription, bill)
        _post(session, payment)
    if bill.charge is not None:
        record_fee(session, bill.charge)


def _keep(session: Session, subscription: Subscription, bill: Bill) -> Payment:
    invoice, config = bill.invoice, settings.current()
    split = split_payment(invoice["amount_paid"], tax_bps=config.tax_bps, fee_bps=config.platform_fee_bps)
    period = invoice["lines"]["data"][0]["period"]
    session.execute(
        insert(Payment)
        .values(
            id=new_id(),
            subscription_id=subscription.id,
            user_id=subscription.user_id,
            group_id=subscription.group_id,
            tier_id=subscription.tier_id,
            creator_id=session.get_one(Group, subscription.group_id).owner_id,
            invoice_id=invoice["id"],
            charge_id=bill.charge["id"] if bill.charge else None,
            currency=invoice["currency"].upper(),
            gross_minor=split.gross,
            tax_minor=split.tax,
            fee_minor=split.fee,
            creator_minor=split.creator,
            refunded_minor=0,
            tax_place=_place(bill),
            period_start=gateway.moment(period["start"]),
            period_end=gateway.moment(period["end"]),
            paid_at=gateway.moment(invoice["status_transitions"]["paid_at"]),
        )
        .on_conflict_do_nothing(index_elements=["invoice_id"])
    )
    return session.scalars(select(Payment).where(Payment.invoice_id == invoice["id"])).one()


def _place(bill: Bill) -> str:
    """The country whose tax applies: the billing address, else the card's."""
    address = bill.invoice["customer_address"] or (bill.charge or {}).get("billing_details", {}).get("address") or {}
    card = ((bill.charge or {}).get("payment_method_details") or {}).get("card") or {}
    return str(address.get("country") or card.get("country") or "unknown")


def _post(session: Session, payment: Payment) -> None:
    currency = payment.currency
    ledger.post(
        session,
        source=payment.invoice_id,
        kind="payment",
        currency=currency,
        occurred_at=payment.paid_at,
        legs=[
            Leg(ledger.processor(currency), payment.gross_minor),
            Leg(ledger.tax_payable(currency, payment.tax_place), -payment.tax_minor),
            Leg(ledger.platform_fee(currency), -payment.fee_minor),
            Leg(ledger.creator_payable(currency, payment.creator_id), -payment.creator_minor),
        ],
    )


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
        legs=[Leg(ledger.processor_fee(currency), row["fee"]), Leg(ledger.processor(currency), -row["fee"])],
    )


def record_decline(session: Session, subscription: Subscription, bill: Bill) -> None:
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
