"""What a group's creator owes to those who wrote with them: a part of what the group earned in a span of time."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from creator_hub.groups.models import Group
from creator_hub.money import ledger
from creator_hub.money.billing_models import Payment
from creator_hub.money.ledger import Leg
from creator_hub.money.ledger_models import LedgerAccount, LedgerTransaction, Posting

KIND = "contribution_shares"


def earned(session: Session, group: Group, since: datetime, until: datetime) -> int:
    """What the group brought its creator from `since` on and before `until`, after tax, fees and refunds, minor units:
    the postings of its payments to the creator's account."""
    total = session.scalar(
        select(func.coalesce(func.sum(-Posting.amount_minor), 0))
        .join(LedgerAccount, LedgerAccount.id == Posting.account_id)
        .join(LedgerTransaction, LedgerTransaction.id == Posting.transaction_id)
        .join(Payment, Payment.id == LedgerTransaction.payment_id)
        .where(
            LedgerAccount.kind == "creator_payable",
            LedgerAccount.owner_id == group.owner_id,
            Payment.group_id == group.id,
            Posting.currency == group.currency,
            LedgerTransaction.occurred_at >= since,
            LedgerTransaction.occurred_at < until,
        )
    )
    return int(total or 0)


def owed_at_most(session: Session, group: Group) -> int:
    """What the creator's account holds now; it is locked, so that nothing else is taken from it meanwhile."""
    payable = ledger.creator_payable(group.currency, group.owner_id)
    ledger.lock_account(session, payable)
    return max(0, -ledger.balance(session, payable))


def post(session: Session, group: Group, source: str, amounts: Mapping[uuid.UUID, int], at: datetime) -> None:
    """Move each contributor's amount from the creator's account to their own, once per source."""
    others = {who: amount for who, amount in amounts.items() if amount and who != group.owner_id}
    if not others:
        return
    legs = [Leg(ledger.creator_payable(group.currency, who), -amount) for who, amount in others.items()]
    legs.append(Leg(ledger.creator_payable(group.currency, group.owner_id), sum(others.values())))
    ledger.post(
        session,
        source=source,
        kind=KIND,
        currency=group.currency,
        occurred_at=at,
        legs=legs,
        memo=f"Shares of a season's authors in @{group.handle}",
    )
