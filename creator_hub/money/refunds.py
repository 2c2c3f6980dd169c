"""Refunds: asked for here or at Stripe, posted once Stripe says that the money went back.

Tax and fee go back by cumulative share (`splits.split_refund`), the creator gives the rest; what the creator no longer
has is owed (`creator_receivable`). The processing fee stays lost.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import stripe
from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub.core import clock
from creator_hub.core.access import Actor, Permission
from creator_hub.core.db import unit_of_work
from creator_hub.core.errors import Conflict, Invalid, NotFound
from creator_hub.core.ids import new_id
from creator_hub.core.money import Money
from creator_hub.groups import doors
from creator_hub.money import gateway, ledger, payments, recognition, subscriptions
from creator_hub.money.billing_models import Payment, Refund, Subscription
from creator_hub.money.ledger import Leg
from creator_hub.money.shares import take_back_payment
from creator_hub.money.splits import split_refund

# After this Stripe no longer knows the idempotency key: what has not come back as an event by then never happened.
KEY_LIVES = timedelta(hours=23)


def issue(actor: Actor, payment_id: uuid.UUID, amount: Money | None, reason: str) -> Refund:
    """Give a payment back, whole or in part. Raises Invalid for a wrong amount, Conflict `not_refundable`."""
    with unit_of_work() as session:
        payment = _door(session, actor, payment_id)
        refund = _of_this_request(session, payment, actor.request_key)
        if refund is None:
            refund = request(session, payment, amount, reason, actor.person())
            refund.request_key = refund.request_key or actor.request_key
    if refund.state == "requested":
        send(refund.id)
    with unit_of_work() as session:
        return session.get_one(Refund, refund.id)


def _of_this_request(session: Session, payment: Payment, request_key: str | None) -> Refund | None:
    """What an earlier try of this very request wrote before its process died. A failed one makes way for a new one."""
    if request_key is None:
        return None
    found = session.scalars(
        select(Refund).where(Refund.payment_id == payment.id, Refund.request_key == request_key)
    ).one_or_none()
    if found is None or found.state != "failed":
        return found
    found.request_key = None
    session.flush()
    return None


def _door(session: Session, actor: Actor, payment_id: uuid.UUID) -> Payment:
    """The payment, locked, for the group's owner and finance. Strangers hold no lock and learn nothing."""
    actor.person()
    payment = session.get(Payment, payment_id)
    if payment is None:
        actor.proved.add(Permission.ISSUE_REFUND)
        raise NotFound
    doors.group_behind(session, actor, payment.group_id, Permission.ISSUE_REFUND)
    session.refresh(payment, with_for_update=True)
    return payment


def request(
    session: Session, payment: Payment, amount: Money | None, reason: str, requested_by: uuid.UUID | None
) -> Refund:
    """Write the refund before Stripe is asked. A repeat of what still waits for its answer is the same refund."""
    minor = _amount(payment, amount)
    waiting = _waiting(session, payment)
    for refund in waiting:
        if refund.amount_minor == minor:
            return refund
    if minor > payment.refundable_minor - sum(row.amount_minor for row in waiting):
        raise Invalid(errors={"amount": ["That is more than is left of this payment."]})
    refund = Refund(
        id=new_id(),
        payment_id=payment.id,
        amount_minor=minor,
        currency=payment.currency,
        reason=reason,
        requested_by=requested_by,
        stripe_id=None,
        state="requested",
        created_at=clock.now(),
    )
    session.add(refund)
    return refund


def _amount(payment: Payment, amount: Money | None) -> int:
    left = payment.refundable_minor
    if left == 0 or payment.charge_id is None:
        raise Conflict("This payment has been given back already.", code="not_refundable")
    if amount is None:
        return left
    if amount.currency != payment.currency:
        raise Invalid(errors={"amount": [f"This payment was in {payment.currency}."]})
    return amount.minor


def _waiting(session: Session, payment: Payment) -> list[Refund]:
    """Refunds whose answer is still out; those that never came back are given up."""
    rows = session.scalars(
        select(Refund).where(Refund.payment_id == payment.id, Refund.state == "requested").with_for_update()
    ).all()
    for row in rows:
        if clock.now() - row.created_at > KEY_LIVES:
            row.state = "failed"
    return [row for row in rows if row.state == "requested"]


def send(refund_id: uuid.UUID) -> None:
    """Ask Stripe and settle its answer. Our row's id is the idempotency key."""
    with unit_of_work() as session:
        refund = session.get_one(Refund, refund_id)
        charge_id = session.get_one(Payment, refund.payment_id).charge_id or ""
    try:
        given_back = gateway.ask(
            lambda at: at.v1.refunds.create(
                {
                    "charge": charge_id,
                    "amount": refund.amount_minor,
                    "reason": "requested_by_customer",
                    "metadata": {"hub_refund": str(refund.id)},
                },
                {"idempotency_key": f"refund-{refund.id}"},
            )
        )
    except stripe.InvalidRequestError as refused:
        with unit_of_work() as session:
            session.get_one(Refund, refund_id).state = "failed"
        raise Conflict(
            "Stripe does not refund this payment: %(why)s",
            code="not_refundable",
            why=refused.user_message or "no reason given",
        ) from refused
    with unit_of_work() as session:
        settle(session, given_back)


def settle(session: Session, found: dict[str, Any]) -> None:
    """Take over a refund as Stripe shows it: succeeded ones are posted once, failed ones come back once."""
    locked = payments.of_charge(session, found["charge"])
    if locked is None:
        return
    subscription, payment = locked
    refund = _ours(session, payment, found)
    if found["status"] == "succeeded" and refund.state != "succeeded":
        _post(session, subscription, payment, refund, found)
    elif found["status"] in ("failed", "canceled") and refund.state == "succeeded":
        _post_back(session, payment, refund, found)
    elif found["status"] in ("failed", "canceled"):
        refund.state = "failed"


def _ours(session: Session, payment: Payment, found: dict[str, Any]) -> Refund:
    """The row of a refund: by Stripe's id, by ours in its metadata, or a new one for what was refunded at Stripe."""
    row = session.scalars(select(Refund).where(Refund.stripe_id == found["id"])).one_or_none()
    ours = found["metadata"].get("hub_refund")
    if row is None and ours is not None:
        row = session.scalars(
            select(Refund).where(Refund.id == uuid.UUID(ours), Refund.payment_id == payment.id)
        ).one_or_none()
    if row is None:
        row = Refund(
            id=new_id(),
            payment_id=payment.id,
            amount_minor=found["amount"],
            currency=payment.currency,
            reason="Refunded at Stripe",
            requested_by=None,
            state="requested",
            created_at=gateway.moment(found["created"]),
        )
        session.add(row)
    row.stripe_id = found["id"]
    return row


def _post(
    session: Session, subscription: Subscription, payment: Payment, refund: Refund, found: dict[str, Any]
) -> None:
    share = split_refund(payment.split, refunded_before=payment.refunded_minor, refund=refund.amount_minor)
    if payment.refundable_minor <= refund.amount_minor and payment.period_end > clock.now():
        subscriptions.end_at_once(session, subscription, "refunded")  # takes the group's lock: before any account's
    before = payment.unearned_fee_minor, payment.unearned_creator_minor
    legs = [*take_back_payment(session, payment, share), Leg(ledger.processor(payment.currency), -share.gross)]
    refund.unearned_fee_minor = before[0] - payment.unearned_fee_minor
    refund.unearned_creator_minor = before[1] - payment.unearned_creator_minor
    ledger.post(
        session,
        source=found["id"],
        kind="refund",
        currency=payment.currency,
        occurred_at=gateway.moment(found["created"]),
        legs=legs,
        memo=refund.reason,
        payment_id=payment.id,
    )
    refund.state = "succeeded"
    payment.refunded_minor += refund.amount_minor


def _post_back(session: Session, payment: Payment, refund: Refund, found: dict[str, Any]) -> None:
    """The bank refused the money: the shares are whole again. They are those of the last refund, so they reverse it."""
    before = payment.refunded_minor - refund.amount_minor
    share = split_refund(payment.split, refunded_before=before, refund=refund.amount_minor)
    fee, creator = recognition.put_back_unearned(payment, refund.unearned_fee_minor, refund.unearned_creator_minor)
    currency = payment.currency
    ledger.post(
        session,
        source=found["id"],
        kind="refund_failed",
        currency=currency,
        occurred_at=clock.now(),
        payment_id=payment.id,
        legs=[
            Leg(ledger.processor(currency), share.gross),
            Leg(ledger.tax_payable(currency, payment.tax_place), -share.tax),
            Leg(ledger.deferred_revenue(currency), -fee - creator),
            Leg(ledger.platform_fee(currency), fee - share.fee),
            Leg(ledger.creator_payable(currency, payment.creator_id), creator - share.creator),
        ],
    )
    refund.state = "failed"
    payment.refunded_minor = before
