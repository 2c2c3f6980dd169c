"""Reads of the ledger for finance: balances, entries, months."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from creator_hub.accounts.queries import PublicUser, people
from creator_hub.core.money import Money
from creator_hub.core.paging import Page, PageRequest, paginate
from creator_hub.money import ledger, payouts
from creator_hub.money.ledger_models import LedgerAccount, LedgerAdjustment, LedgerPeriod, LedgerTransaction, Posting
from creator_hub.money.payout_models import PayoutAccount


@dataclass(frozen=True, slots=True)
class AccountBalance:
    kind: str
    owner: PublicUser | None
    place: str | None
    balance: Money


@dataclass(frozen=True, slots=True)
class CreatorDue:
    """What a creator is owed and what of it could be paid now; `account_state` says whether it can be sent."""

    creator: PublicUser
    payable: Money
    held: Money
    reserved: Money
    owed: Money
    available: Money
    account_state: str


@dataclass(frozen=True, slots=True)
class Balances:
    accounts: Sequence[AccountBalance]
    creators: Sequence[CreatorDue]
    problems: Sequence[str]


@dataclass(frozen=True, slots=True)
class LegView:
    account: str
    owner: PublicUser | None
    place: str | None
    amount: Money


@dataclass(frozen=True, slots=True)
class Entry:
    id: uuid.UUID
    position: int
    source: str
    kind: str
    occurred_at: datetime
    recorded_at: datetime
    memo: str
    legs: Sequence[LegView]


@dataclass(frozen=True, slots=True)
class AdjustmentView:
    id: uuid.UUID
    entry: Entry
    reason: str
    state: str
    requested_by: PublicUser
    approved_by: PublicUser | None
    created_at: datetime
    approved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Period:
    month: str
    state: str
    entries: int
    closed_at: datetime | None
    closed_by: PublicUser | None


def balances(session: Session) -> Balances:
    found = ledger.balances(session)
    named = people(session, [ref.owner_id for ref, _ in found if ref.owner_id is not None])
    accounts = [
        AccountBalance(ref.kind, named[ref.owner_id] if ref.owner_id else None, ref.place, Money(total, ref.currency))
        for ref, total in found
    ]
    return Balances(accounts, creators_due(session), ledger.check(session))


def creators_due(session: Session, *, creator_id: uuid.UUID | None = None) -> list[CreatorDue]:
    found = payouts.due(session, creator_id=creator_id)
    ids = [item.creator_id for item in found]
    named = people(session, ids)
    accounts = {
        row.user_id: row.state for row in session.scalars(select(PayoutAccount).where(PayoutAccount.user_id.in_(ids)))
    }
    return [
        CreatorDue(
            named[item.creator_id],
            Money(item.payable, item.currency),
            Money(item.held, item.currency),
            Money(item.reserved, item.currency),
            Money(item.owed, item.currency),
            Money(item.available, item.currency),
            accounts.get(item.creator_id, "none"),
        )
        for item in found
    ]


def entries(
    session: Session,
    asked: PageRequest,
    *,
    account: str | None = None,
    currency: str | None = None,
    creator: uuid.UUID | None = None,
    source: str | None = None,
) -> Page[Entry]:
    """Ledger transactions with their legs, newest first."""
    query = select(LedgerTransaction)
    if currency is not None:
        query = query.where(LedgerTransaction.currency == currency)
    if source is not None:
        query = query.where(LedgerTransaction.source == source)
    if account is not None or creator is not None:
        touched = select(Posting.transaction_id).join(LedgerAccount, LedgerAccount.id == Posting.account_id)
        if account is not None:
            touched = touched.where(LedgerAccount.kind == account)
        if creator is not None:
            touched = touched.where(LedgerAccount.owner_id == creator)
        query = query.where(LedgerTransaction.id.in_(touched))
    page = paginate(session, query, LedgerTransaction.id, asked)
    return Page(_with_legs(session, page.items), page.next)


def _with_legs(session: Session, rows: Sequence[LedgerTransaction]) -> list[Entry]:
    found = session.execute(
        select(Posting, LedgerAccount)
        .join(LedgerAccount, LedgerAccount.id == Posting.account_id)
        .where(Posting.transaction_id.in_([row.id for row in rows]))
        .order_by(Posting.transaction_id, Posting.line)
    ).all()
    pairs: list[tuple[Posting, LedgerAccount]] = [(row[0], row[1]) for row in found]
    named = people(session, [account.owner_id for _, account in pairs if account.owner_id is not None])
    legs: dict[uuid.UUID, list[LegView]] = {row.id: [] for row in rows}
    for posting, account in pairs:
        owner = named[account.owner_id] if account.owner_id else None
        amount = Money(posting.amount_minor, posting.currency)
        legs[posting.transaction_id].append(LegView(account.kind, owner, account.place, amount))
    return [Entry(r.id, r.position, r.source, r.kind, r.occurred_at, r.recorded_at, r.memo, legs[r.id]) for r in rows]


def adjustments(session: Session, asked: PageRequest) -> Page[AdjustmentView]:
    """Corrections, newest first."""
    page = paginate(session, select(LedgerAdjustment), LedgerAdjustment.id, asked)
    return Page(_adjustments(session, page.items), page.next)


def adjustment(session: Session, row: LedgerAdjustment) -> AdjustmentView:
    return _adjustments(session, [row])[0]


def _adjustments(session: Session, rows: Sequence[LedgerAdjustment]) -> list[AdjustmentView]:
    wanted = select(LedgerTransaction).where(LedgerTransaction.id.in_([row.reverses for row in rows]))
    found = {entry.id: entry for entry in _with_legs(session, session.scalars(wanted).all())}
    named = people(session, [i for row in rows for i in (row.requested_by, row.approved_by) if i is not None])
    return [
        AdjustmentView(
            row.id,
            found[row.reverses],
            row.reason,
            row.state,
            named[row.requested_by],
            named[row.approved_by] if row.approved_by else None,
            row.created_at,
            row.approved_at,
        )
        for row in rows
    ]


def periods(session: Session) -> list[Period]:
    """Every month the ledger knows (UTC), newest first: open or closed, with the number of its entries."""
    month: Any = func.date_trunc("month", func.timezone("UTC", LedgerTransaction.occurred_at))
    counted = {row[0].date(): row[1] for row in session.execute(select(month, func.count()).group_by(month)).all()}
    closed = {row.month: row for row in session.scalars(select(LedgerPeriod))}
    named = people(session, [row.closed_by for row in closed.values()])
    found = []
    for first in sorted({*counted, *closed}, reverse=True):
        row = closed.get(first)
        found.append(
            Period(
                f"{first:%Y-%m}",
                "closed" if row else "open",
                counted.get(first, 0),
                row.closed_at if row else None,
                named[row.closed_by] if row else None,
            )
        )
    return found
