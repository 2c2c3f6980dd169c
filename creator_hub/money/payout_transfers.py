"""Sending approved payouts: one Stripe transfer each, whatever is repeated, lost or refused on the way.

The payout's id is the idempotency key and the transfer group. A repeat finds the transfer that is there already, also
after Stripe has forgotten the key.
"""

from __future__ import annotations

import uuid
from typing import Any

import stripe
from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub.accounts.doors import rights_of
from creator_hub.core import clock
from creator_hub.core.access import Permission, allows
from creator_hub.core.db import unit_of_work
from creator_hub.money import gateway, ledger
from creator_hub.money.ledger import Leg
from creator_hub.money.payout_models import Payout, PayoutAccount, PayoutRun
from creator_hub.money.payouts import payout_clearing, settle_run, source_of


def send(payout_id: uuid.UUID) -> None:
    """Transfer one approved payout to its creator. Safe to repeat. Raises when Stripe is away: the job comes back.

    Rights are those of now: once whoever approved has lost theirs, what is not sent yet stays here.
    """
    with unit_of_work() as session:
        payout = session.get_one(Payout, payout_id)
        if payout.state != "draft":
            return
        account = session.scalars(select(PayoutAccount).where(PayoutAccount.user_id == payout.creator_id)).one()
        settle_run(session, payout.run_id)
        approver = session.get_one(PayoutRun, payout.run_id).approved_by
        may_send = approver is not None and allows(Permission.OPERATE_PAYOUTS, rights_of(session, approver))
    try:
        transfer = _find(payout) or (_create(payout, account) if may_send else None)
    except stripe.InvalidRequestError as refusal:
        take_over_refusal(payout_id, refusal.user_message or str(refusal))
        return
    if transfer is None:
        take_over_refusal(payout_id, "Whoever approved this may no longer approve payouts.")
        return
    take_over_transfer(payout_id, transfer)


def _find(payout: Payout) -> dict[str, Any] | None:
    """The transfer that an earlier try made; it is there whatever has become of anybody's rights."""
    group = str(payout.id)
    found = gateway.ask(lambda client: client.v1.transfers.list({"transfer_group": group, "limit": 1}))["data"]
    return dict(found[0]) if found else None


def _create(payout: Payout, account: PayoutAccount) -> dict[str, Any]:
    group = str(payout.id)
    return gateway.ask(
        lambda client: client.v1.transfers.create(
            {
                "amount": payout.amount_minor,
                "currency": payout.currency.lower(),
                "destination": str(account.stripe_account_id),
                "transfer_group": group,
                "metadata": {"payout_id": group},
            },
            {"idempotency_key": f"payout-{group}"},
        )
    )


def take_over_transfer(payout_id: uuid.UUID, transfer: dict[str, Any]) -> None:
    """Book a transfer that Stripe shows as made."""
    at = gateway.moment(transfer["created"])
    with unit_of_work() as session:
        payout = _locked(session, payout_id)
        if payout.state != "draft":
            return
        payout.state, payout.transfer_id, payout.sent_at = "sent", transfer["id"], at
        payout.arrival_id = transfer["destination_payment"]
        ledger.post(
            session,
            source=source_of(payout),
            kind="payout_sent",
            currency=payout.currency,
            occurred_at=at,
            legs=[
                Leg(payout_clearing(payout.currency), payout.amount_minor),
                Leg(ledger.processor(payout.currency), -payout.amount_minor),
            ],
        )
        session.flush()
        settle_run(session, payout.run_id)


def take_over_refusal(payout_id: uuid.UUID, reason: str) -> None:
    """Stripe, or the table of rights, said no for good: the money is payable again, and the payout says why."""
    with unit_of_work() as session:
        payout = _locked(session, payout_id)
        if payout.state != "draft":
            return
        payout.state, payout.reason = "failed", reason
        ledger.post(
            session,
            source=source_of(payout),
            kind="payout_refused",
            currency=payout.currency,
            occurred_at=clock.now(),
            legs=[
                Leg(payout_clearing(payout.currency), payout.amount_minor),
                Leg(ledger.creator_payable(payout.currency, payout.creator_id), -payout.amount_minor),
            ],
            memo=reason,
        )
        session.flush()
        settle_run(session, payout.run_id)


def follow_reversal(transfer_id: str) -> None:
    """Book what came back of a transfer: each reversal once, to the creator's payable account."""
    reversals = gateway.ask(lambda client: client.v1.transfers.reversals.list(transfer_id, {"limit": 100}))["data"]
    with unit_of_work() as session:
        take_over_reversals(session, transfer_id, reversals)


def take_over_reversals(session: Session, transfer_id: str, reversals: list[dict[str, Any]]) -> None:
    """Book what Stripe shows as taken back of a transfer of ours."""
    payout = session.scalars(select(Payout).where(Payout.transfer_id == transfer_id).with_for_update()).one_or_none()
    if payout is None:
        return
    for reversal in reversals:
        _reversed(session, payout, reversal)
    payout.reversed_minor = sum(reversal["amount"] for reversal in reversals)
    if payout.reversed_minor == payout.amount_minor:
        payout.state = "reversed"


def _reversed(session: Session, payout: Payout, reversal: dict[str, Any]) -> None:
    ledger.post(
        session,
        source=reversal["id"],
        kind="payout_reversed",
        currency=payout.currency,
        occurred_at=gateway.moment(reversal["created"]),
        legs=[
            Leg(ledger.processor(payout.currency), reversal["amount"]),
            Leg(ledger.creator_payable(payout.currency, payout.creator_id), -reversal["amount"]),
        ],
        memo=source_of(payout),
    )


def _locked(session: Session, payout_id: uuid.UUID) -> Payout:
    return session.get_one(Payout, payout_id, with_for_update=True, populate_existing=True)
