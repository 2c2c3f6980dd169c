"""The `ledger` export: every posting of a period, as the ledger stood at one position."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session

from creator_hub.accounts.queries import people
from creator_hub.core.db import unit_of_work
from creator_hub.core.money import Money, to_major
from creator_hub.core.schemas import rfc3339
from creator_hub.money.export_files import defused
from creator_hub.money.export_models import Export
from creator_hub.money.ledger_models import LedgerAccount, LedgerTransaction, Posting

COLUMNS = (
    "position",
    "transaction_id",
    "line",
    "occurred_utc",
    "recorded_utc",
    "source",
    "kind",
    "account",
    "owner_id",
    "owner_handle",
    "place",
    "currency",
    "debit",
    "credit",
    "memo",
)
CHUNK = 1000


@dataclass(slots=True)
class Totals:
    """What the file holds, in minor units: added up while it is written."""

    debit: int = 0
    credit: int = 0
    rows: int = 0

    def as_json(self) -> dict[str, int]:
        return {"debit_minor": self.debit, "credit_minor": self.credit, "rows": self.rows}


def _within(export: Export) -> list[ColumnElement[bool]]:
    parts = [
        LedgerTransaction.position <= export.position,
        LedgerTransaction.currency == export.currency,
        LedgerTransaction.occurred_at >= export.period_from,
        LedgerTransaction.occurred_at < export.period_to,
    ]
    if export.creator_id is not None:
        parts.append(LedgerAccount.owner_id == export.creator_id)
    return parts


def in_ledger(session: Session, export: Export) -> Totals:
    """What the database says the file must add up to."""
    debits = func.sum(Posting.amount_minor).filter(Posting.amount_minor > 0)
    credits = func.sum(-Posting.amount_minor).filter(Posting.amount_minor < 0)
    row = session.execute(
        select(func.coalesce(debits, 0), func.coalesce(credits, 0), func.count())
        .select_from(Posting)
        .join(LedgerTransaction, LedgerTransaction.id == Posting.transaction_id)
        .join(LedgerAccount, LedgerAccount.id == Posting.account_id)
        .where(*_within(export))
    ).one()
    return Totals(int(row[0]), int(row[1]), row[2])


def difference(export: Export, written: Totals, expected: Totals) -> int:
    """By how much the file disagrees: with the ledger, and, over all accounts, debits with credits."""
    net = written.debit - written.credit
    off = net - (expected.debit - expected.credit) if export.creator_id else net
    return off or written.debit - expected.debit


def chunks(export: Export, totals: Totals) -> Iterator[list[list[str]]]:
    """The file's rows in the ledger's order. Each chunk is read in a unit of work of its own, which is over when the
    chunk is yielded."""
    after = (0, 0)
    while True:
        with unit_of_work() as session:
            found = session.execute(
                select(LedgerTransaction, Posting, LedgerAccount)
                .join(Posting, Posting.transaction_id == LedgerTransaction.id)
                .join(LedgerAccount, LedgerAccount.id == Posting.account_id)
                .where(
                    *_within(export),
                    LedgerTransaction.position >= after[0],  # what the index of positions can begin at
                    tuple_(LedgerTransaction.position, Posting.line) > after,
                )
                .order_by(LedgerTransaction.position, Posting.line)
                .limit(CHUNK)
            ).all()
            owners = people(session, [row[2].owner_id for row in found if row[2].owner_id])
        if not found:
            return
        rows = []
        for entry, posting, account in found:
            owner = owners[account.owner_id].handle if account.owner_id else ""
            rows.append(_row(entry, posting, account, owner))
            totals.debit += max(0, posting.amount_minor)
            totals.credit += max(0, -posting.amount_minor)
        totals.rows += len(rows)
        yield rows
        after = (found[-1][0].position, found[-1][1].line)


def _row(entry: LedgerTransaction, posting: Posting, account: LedgerAccount, owner: str) -> list[str]:
    amount = to_major(Money(abs(posting.amount_minor), posting.currency))
    is_debit = posting.amount_minor > 0
    return [
        str(entry.position),
        str(entry.id),
        str(posting.line),
        rfc3339(entry.occurred_at),
        rfc3339(entry.recorded_at),
        defused(entry.source),
        defused(entry.kind),
        account.kind,
        str(account.owner_id or ""),
        defused(owner),
        defused(account.place),
        posting.currency,
        amount if is_debit else "",
        "" if is_debit else amount,
        defused(entry.memo),
    ]
