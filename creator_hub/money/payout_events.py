"""What Stripe's events about payouts mean here. An event is a hint: each verb asks Stripe and applies what it says.

The inbox hands over the event's type, the connected account it came from (None: the platform) and its object's id.
Everything is safe to repeat and to receive in any order.
"""

from __future__ import annotations

from datetime import UTC, datetime

import stripe
from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub.core.db import unit_of_work
from creator_hub.money import gateway, ledger, payout_accounts, payout_transfers
from creator_hub.money.ledger import AccountRef, Leg
from creator_hub.money.payout_models import Payout

ACCOUNT_EVENTS = ("account.updated", "capability.updated", "account.external_account.created")
BANK_EVENTS = (
    "payout.created",
    "payout.updated",
    "payout.paid",
    "payout.failed",
    "payout.canceled",
    "payout.reconciliation_completed",
)
BACK = ("failed", "canceled")


def follow(kind: str, account_id: str | None, object_id: str) -> bool:
    """Do what an event asks for, outside of any unit of work; False when it is no event of payouts."""
    if kind in ACCOUNT_EVENTS and account_id is not None:
        payout_accounts.refresh(account_id)
    elif kind in BANK_EVENTS and account_id is not None:
        _follow_creators_bank(account_id, object_id)
    elif kind in BANK_EVENTS:
        _follow_platforms_bank(object_id)
    elif kind == "transfer.reversed":
        payout_transfers.follow_reversal(object_id)
    else:
        return False
    return True


def _follow_creators_bank(account_id: str, payout_id: str) -> None:
    """Show on each of our payouts what became of it on the way from Stripe to the creator's bank."""
    stripe_payout = gateway.client().v1.payouts.retrieve(payout_id, {}, {"stripe_account": account_id})
    arrived = gateway.client().v1.balance_transactions.list(
        {"payout": payout_id, "type": "payment", "limit": 100}, {"stripe_account": account_id}
    )
    arrivals = [str(row.source) for row in arrived.auto_paging_iter()]
    with unit_of_work() as session:
        for payout in session.scalars(
            select(Payout).where(Payout.arrival_id.in_(arrivals)).order_by(Payout.id).with_for_update()
        ):
            _show_bank(payout, stripe_payout)


def _show_bank(payout: Payout, stripe_payout: stripe.Payout) -> None:
    payout.bank_state = stripe_payout.status
    if stripe_payout.status == "paid" and payout.state == "sent":
        payout.state = "confirmed"
    if stripe_payout.status in BACK:
        payout.reason = stripe_payout.failure_message or "The bank payout was cancelled."


def _follow_platforms_bank(payout_id: str) -> None:
    stripe_payout = gateway.client().v1.payouts.retrieve(payout_id)
    with unit_of_work() as session:
        post_bank_payout(session, stripe_payout)


def post_bank_payout(session: Session, payout: stripe.Payout) -> None:
    """The platform's own money on its way to its bank (bank ← processor), and back when the bank refused it."""
    currency = payout.currency.upper()
    bank, processor = AccountRef("bank", currency), ledger.processor(currency)
    ledger.post(
        session,
        source=payout.id,
        kind="bank_payout",
        currency=currency,
        occurred_at=datetime.fromtimestamp(payout.created, UTC),
        legs=[Leg(bank, payout.amount), Leg(processor, -payout.amount)],
    )
    if payout.status in BACK:
        ledger.post(
            session,
            source=payout.id,
            kind="bank_payout_failed",
            currency=currency,
            occurred_at=datetime.fromtimestamp(payout.created, UTC),
            legs=[Leg(processor, payout.amount), Leg(bank, -payout.amount)],
            memo=payout.failure_message or "",
        )
