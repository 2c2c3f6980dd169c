"""Corrections of the ledger: one recorded transaction reversed, leg by leg, in the open month. Two people of finance
make one, or it is not made; nothing else can be written by hand."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from creator_hub.core import clock
from creator_hub.core.access import Actor
from creator_hub.core.errors import Conflict, NotFound
from creator_hub.core.ids import new_id
from creator_hub.money import ledger
from creator_hub.money.ledger import Leg
from creator_hub.money.ledger_models import LedgerAccount, LedgerAdjustment, LedgerTransaction, Posting

KIND = "reversal"


def propose(session: Session, actor: Actor, transaction_id: uuid.UUID, reason: str) -> LedgerAdjustment:
    """Ask for one transaction to be reversed. Raises Conflict `reversed_already`, `not_reversible` for a reversal."""
    original = session.get(LedgerTransaction, transaction_id)
    if original is None:
        raise NotFound
    if original.kind == KIND:
        raise Conflict("A reversal is not reversed again: its original can be posted anew.", code="not_reversible")
    adjustment = LedgerAdjustment(
        id=new_id(),
        reverses=original.id,
        reason=reason,
        state="draft",
        requested_by=actor.person(),
        created_at=clock.now(),
    )
    try:
        with session.begin_nested():
            session.add(adjustment)
    except IntegrityError:
        raise Conflict("This entry is reversed already, or waits for approval.", code="reversed_already") from None
    return adjustment


def approve(session: Session, actor: Actor, adjustment_id: uuid.UUID) -> LedgerAdjustment:
    """Approve what somebody else proposed; the reversing entry is posted at once. Raises Conflict `same_person`."""
    adjustment = _waiting(session, adjustment_id)
    if adjustment.requested_by == actor.person():
        raise Conflict("Whoever asked for a correction cannot approve it. Ask a colleague.", code="same_person")
    at = clock.now()
    original = session.get_one(LedgerTransaction, adjustment.reverses)
    ledger.post(
        session,
        source=f"adjustment:{adjustment.id}",
        kind=KIND,
        currency=original.currency,
        occurred_at=at,
        memo=adjustment.reason,
        payment_id=original.payment_id,
        legs=[leg for item in legs_of(session, original) for leg in _reversed(session, item)],
    )
    adjustment.state, adjustment.approved_by, adjustment.approved_at = "approved", actor.person(), at
    session.flush()
    return adjustment


def withdraw(session: Session, adjustment_id: uuid.UUID) -> LedgerAdjustment:
    """Take a proposal back, whoever made it; the entry can be proposed again."""
    adjustment = _waiting(session, adjustment_id)
    adjustment.state = "withdrawn"
    return adjustment


def legs_of(session: Session, entry: LedgerTransaction) -> list[Leg]:
    rows = session.execute(
        select(LedgerAccount, Posting.amount_minor)
        .join(Posting, Posting.account_id == LedgerAccount.id)
        .where(Posting.transaction_id == entry.id)
        .order_by(Posting.line)
    ).all()
    return [Leg(ledger.ref_of(row[0]), row[1]) for row in rows]


def _reversed(session: Session, leg: Leg) -> list[Leg]:
    """The opposite leg. What a creator was paid already is not taken from their balance but owed by them."""
    account = leg.account
    if account.kind != "creator_payable" or leg.amount > 0 or account.owner_id is None:
        return [Leg(account, -leg.amount)]
    ledger.lock_account(session, account)
    covered = min(-leg.amount, max(0, -ledger.balance(session, account)))
    owed = ledger.creator_receivable(account.currency, account.owner_id)
    return [Leg(account, covered), Leg(owed, -leg.amount - covered)]


def _waiting(session: Session, adjustment_id: uuid.UUID) -> LedgerAdjustment:
    adjustment = session.get(LedgerAdjustment, adjustment_id, with_for_update=True, populate_existing=True)
    if adjustment is None:
        raise NotFound
    if adjustment.state != "draft":
        raise Conflict("This correction is not waiting for approval any more.", code="not_a_draft")
    return adjustment
