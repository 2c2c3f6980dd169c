"""What Stripe's events about payouts mean here. An event is a hint: each verb asks Stripe and applies what it says.

The inbox hands over the event's type, the connected account it came from (None: the platform) and its object's id.
Everything is safe to repeat and to receive in any order.
"""

from __future__ import annotations

from typing import Any

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
MOST_ARRIVALS = 100


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
    there: stripe.RequestOptions = {"stripe_account": account_id}
    bank_payout = gateway.ask(lambda client: client.v1.payouts.retrieve(payout_id, {}, there))
    arrived = gateway.ask(
        lambda client: client.v1.balance_transactions.list(
            {"payout": payout_id, "type": "payment", "limit": MOST_ARRIVALS}, there
        )
    )
    arrivals = [row["source"] for row in arrived["data"]]
    with unit_of_work() as session:
        for payout in session.scalars(
            select(Payout).where(Payout.arrival_id.in_(arrivals)).order_by(Payout.id).with_for_update()
        ):
            _show_bank(payout, bank_payout)


def _show_bank(payout: Payout, bank_payout: dict[str, Any]) -> None:
    payout.bank_state = bank_payout["status"]
    if bank_payout["status"] == "paid":
        payout.reason = None  # an earlier try that the bank refused is over
        payout.state = "confirmed" if payout.state == "sent" else payout.state
    if bank_payout["status"] in BACK:
        payout.reason = bank_payout["failure_message"] or "The bank payout was cancelled."


def _follow_platforms_bank(payout_id: str) -> None:
    bank_payout = gateway.ask(lambda client: client.v1.payouts.retrieve(payout_id))
    with unit_of_work() as session:
        post_bank_payout(session, bank_payout)


def post_bank_payout(session: Session, bank_payout: dict[str, Any]) -> None:
    """The platform's own money on its way to its bank (bank ← processor), and back when the bank refused it."""
    currency, amount = bank_payout["currency"].upper(), bank_payout["amount"]
    bank, processor = AccountRef("bank", currency), ledger.processor(currency)
    at = gateway.moment(bank_payout["created"])
    away, back = [Leg(bank, amount), Leg(processor, -amount)], [Leg(processor, amount), Leg(bank, -amount)]
    source = bank_payout["id"]
    ledger.post(session, source=source, kind="bank_payout", currency=currency, occurred_at=at, legs=away)
    if bank_payout["status"] in BACK:
        ledger.post(session, source=source, kind="bank_payout_failed", currency=currency, occurred_at=at, legs=back)
