"""Disputes: what the bank took is held apart until it decides; a loss is shared as a refund is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from creator_hub.core.ids import new_id
from creator_hub.money import gateway, ledger, payments, subscriptions
from creator_hub.money.billing_models import Dispute, Payment, Subscription
from creator_hub.money.ledger import AccountRef, Leg
from creator_hub.money.ledger_models import LedgerTransaction
from creator_hub.money.shares import take_back_payment
from creator_hub.money.splits import split_refund


def settle(session: Session, found: dict[str, Any]) -> None:
    """Take over a dispute as Stripe shows it. Its balance transactions are posted once each; a loss is shared once and
    ends the access."""
    locked = payments.of_charge(session, found["charge"])
    if locked is None:
        return
    subscription, payment = locked
    _keep(session, payment, found)
    for row in found["balance_transactions"]:
        _post(session, payment, row)
    if found["status"] == "lost":
        _share_loss(session, subscription, payment, found)


def _keep(session: Session, payment: Payment, found: dict[str, Any]) -> None:
    due_by = found["evidence_details"]["due_by"]
    values = {"state": found["status"], "due_by": gateway.moment(due_by) if due_by else None}
    session.execute(
        insert(Dispute)
        .values(
            id=new_id(),
            stripe_id=found["id"],
            payment_id=payment.id,
            group_id=payment.group_id,
            amount_minor=found["amount"],
            currency=found["currency"].upper(),
            reason=found["reason"],
            opened_at=gateway.moment(found["created"]),
            **values,
        )
        .on_conflict_do_update(index_elements=["stripe_id"], set_=values)
    )


def _post(session: Session, payment: Payment, row: dict[str, Any]) -> None:
    """processor ← dispute_hold, dispute_fee when the money is taken; the other way round when it comes back."""
    currency = row["currency"].upper()
    ledger.post(
        session,
        source=row["id"],
        kind="dispute",
        currency=currency,
        occurred_at=gateway.moment(row["created"]),
        payment_id=payment.id,
        legs=[
            Leg(ledger.processor(currency), row["net"]),
            Leg(AccountRef("dispute_hold", currency), -row["amount"]),
            Leg(AccountRef("dispute_fee", currency), row["fee"]),
        ],
    )


def _share_loss(session: Session, subscription: Subscription, payment: Payment, found: dict[str, Any]) -> None:
    currency, amount = payment.currency, found["amount"]
    shared = select(LedgerTransaction.id).filter_by(source=found["id"], kind="dispute_lost")
    if session.scalar(shared) is not None:  # the payment's row is locked: nobody shares it meanwhile
        return
    subscriptions.end_at_once(session, subscription, "disputed")
    # A refund that was under way when the bank took the whole amount has left less to share: nobody shares the rest.
    shared_amount = min(amount, payment.gross_minor - payment.refunded_minor)
    share = split_refund(payment.split, refunded_before=payment.refunded_minor, refund=shared_amount)
    ledger.post(
        session,
        source=found["id"],
        kind="dispute_lost",
        currency=currency,
        occurred_at=gateway.moment(found["created"]),
        payment_id=payment.id,
        legs=[
            *take_back_payment(session, payment, share),
            Leg(AccountRef("bad_debt", currency), amount - shared_amount),
            Leg(AccountRef("dispute_hold", currency), -amount),
        ],
        memo=found["reason"],
    )
    payment.refunded_minor += shared_amount
