"""The `ledger` export: every posting of a period, as the ledger stood at one position."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, select, tuple_
from sqlalchemy.orm import Session

from creator_hub.core.db import unit_of_work
from creator_hub.money.export_models import Export
from creator_hub.money.export_table import Column, Row, Sum, Verdict
from creator_hub.money.ledger_models import LedgerAccount, LedgerTransaction, Posting
from creator_hub.money.names import Names

CHUNK = 5000
UTC_TEXT = 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'


def utc_text(moment: Any) -> Any:
    """RFC 3339 in UTC, made by the database: a million times is too often for Python."""
    return func.to_char(func.timezone("UTC", moment), UTC_TEXT)


class LedgerTable:
    columns = (
        Column("position", "count"),
        Column("transaction_id"),
        Column("line", "count"),
        Column("occurred_utc"),
        Column("recorded_utc"),
        Column("source", "text"),
        Column("kind", "text"),
        Column("account"),
        Column("owner_id"),
        Column("owner_handle", "text"),
        Column("place", "text"),
        Column("currency"),
        Column("debit", "money"),
        Column("credit", "money"),
        Column("memo", "text"),
    )

    def __init__(self, export: Export) -> None:
        self.export, self.sum, self.names = export, Sum(), Names()

    def count(self, session: Session) -> int:
        return self._in_ledger(session)[2]

    def chunks(self) -> Iterator[list[Row]]:
        after = (0, 0)
        while True:
            with unit_of_work() as session:
                found = session.execute(self._query(after)).all()
                self.names.read(session, {row.owner for row in found})
            if not found:
                return
            yield [self._row(row) for row in found]
            after = (found[-1].position, found[-1].line)

    def verdict(self, session: Session) -> Verdict:
        """The file against the database, and, over all accounts, debits against credits."""
        debit, credit, rows = self._in_ledger(session)
        written = {"debit_minor": self.sum.minor.get("debit", 0), "credit_minor": self.sum.minor.get("credit", 0)}
        net = written["debit_minor"] - written["credit_minor"]
        off = net - (debit - credit) if self.export.creator_id else net
        controls = {
            "file": {**written, "rows": self.sum.rows},
            "ledger": {"debit_minor": debit, "credit_minor": credit, "rows": rows},
        }
        return Verdict(off or written["debit_minor"] - debit, controls)

    def _within(self) -> list[ColumnElement[bool]]:
        export = self.export
        parts = [
            LedgerTransaction.position <= export.position,
            LedgerTransaction.currency == export.currency,
            LedgerTransaction.occurred_at >= export.period_from,
            LedgerTransaction.occurred_at < export.period_to,
        ]
        if export.creator_id is not None:
            parts.append(LedgerAccount.owner_id == export.creator_id)
        return parts

    def _in_ledger(self, session: Session) -> tuple[int, int, int]:
        """What the database says the file must add up to: debits, credits, rows."""
        debits = func.sum(Posting.amount_minor).filter(Posting.amount_minor > 0)
        credits = func.sum(-Posting.amount_minor).filter(Posting.amount_minor < 0)
        row = session.execute(
            select(func.coalesce(debits, 0), func.coalesce(credits, 0), func.count())
            .select_from(Posting)
            .join(LedgerTransaction, LedgerTransaction.id == Posting.transaction_id)
            .join(LedgerAccount, LedgerAccount.id == Posting.account_id)
            .where(*self._within())
        ).one()
        return int(row[0]), int(row[1]), row[2]

    def _query(self, after: tuple[int, int]) -> Any:
        entry, account = LedgerTransaction, LedgerAccount
        return (
            select(
                entry.position,
                cast(entry.id, String).label("entry"),
                Posting.line,
                utc_text(entry.occurred_at).label("occurred"),
                utc_text(entry.recorded_at).label("recorded"),
                entry.source,
                entry.kind,
                account.kind.label("account"),
                account.owner_id.label("owner"),
                cast(account.owner_id, String).label("owner_text"),
                account.place,
                Posting.currency,
                Posting.amount_minor.label("minor"),
                entry.memo,
                entry.recorded_at,
            )
            .join(Posting, Posting.transaction_id == entry.id)
            .join(account, account.id == Posting.account_id)
            .where(
                *self._within(),
                entry.position >= after[0],  # what the index of positions can begin at
                tuple_(entry.position, Posting.line) > after,
            )
            .order_by(entry.position, Posting.line)
            .limit(CHUNK)
        )

    def _row(self, row: Any) -> Row:
        minor, owner = row[12], row[8]
        self.sum.rows += 1
        self.sum.add("debit" if minor > 0 else "credit", abs(minor))
        handle = self.names.at(owner, row[14]) if owner else None
        debit, credit = (minor, None) if minor > 0 else (None, -minor)
        return (*row[:8], row[9], handle, row[10], row[11], debit, credit, row[13])
