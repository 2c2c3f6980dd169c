"""The `creator_statement`: what a creator was owed, every movement of it, and what is owed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session

from creator_hub.core.db import unit_of_work
from creator_hub.core.schemas import rfc3339
from creator_hub.money.billing_models import Payment
from creator_hub.money.export_models import Export
from creator_hub.money.export_shares import CREATORS
from creator_hub.money.export_table import Column, Row, Verdict
from creator_hub.money.ledger_models import LedgerAccount, LedgerTransaction, Posting
from creator_hub.money.names import Names

CHUNK = 2000
OPENING, CLOSING = "opening_balance", "closing_balance"


class StatementTable:
    """Positive amounts are in the creator's favour. The first row is the opening balance, the last one the closing."""

    columns = (
        Column("occurred_utc"),
        Column("entry_id"),
        Column("kind"),
        Column("group_handle", "text"),
        Column("tier", "text"),
        Column("source", "text"),
        Column("note", "text"),
        Column("currency"),
        Column("amount", "money"),
        Column("balance", "money"),
    )

    def __init__(self, export: Export) -> None:
        self.export, self.names = export, Names()
        self.balance = self.opening = 0
        self.by_kind: dict[str, int] = {}

    def _mine(self) -> list[ColumnElement[bool]]:
        return [
            LedgerAccount.owner_id == self.export.creator_id,
            LedgerAccount.kind.in_(CREATORS),
            LedgerTransaction.currency == self.export.currency,
            LedgerTransaction.position <= self.export.position,
        ]

    def _sum(self, session: Session, before: datetime) -> int:
        query = (
            select(func.coalesce(func.sum(-Posting.amount_minor), 0))
            .join(LedgerAccount, LedgerAccount.id == Posting.account_id)
            .join(LedgerTransaction, LedgerTransaction.id == Posting.transaction_id)
            .where(*self._mine(), LedgerTransaction.occurred_at < before)
        )
        return int(session.scalar(query) or 0)

    def _moves(self) -> Any:
        entry = LedgerTransaction
        return (
            select(entry, func.sum(-Posting.amount_minor).label("minor"))
            .join(Posting, Posting.transaction_id == entry.id)
            .join(LedgerAccount, LedgerAccount.id == Posting.account_id)
            .where(
                *self._mine(),
                entry.occurred_at >= self.export.period_from,
                entry.occurred_at < self.export.period_to,
            )
            .group_by(entry.id)
            .having(func.sum(-Posting.amount_minor) != 0)
        )

    def count(self, session: Session) -> int:
        return 2 + int(session.scalar(select(func.count()).select_from(self._moves().subquery())) or 0)

    def chunks(self) -> Iterator[list[Row]]:
        with unit_of_work() as session:
            self.balance = self.opening = self._sum(session, self.export.period_from)
        yield [self._edge(OPENING, self.export.period_from)]
        after: tuple[Any, ...] = (datetime.min.replace(tzinfo=UTC), 0)
        while True:
            order = (LedgerTransaction.occurred_at, LedgerTransaction.position)
            page = self._moves().where(tuple_(*order) > after).order_by(*order).limit(CHUNK)
            with unit_of_work() as session:
                found = session.execute(page).all()
                ids = [row[0].payment_id for row in found if row[0].payment_id]
                payments = {row.id: row for row in session.scalars(select(Payment).where(Payment.id.in_(ids)))}
                self.names.read(session, {i for row in payments.values() for i in (row.group_id, row.tier_id)})
            if not found:
                break
            yield [self._row(row[0], int(row[1]), payments) for row in found]
            after = (found[-1][0].occurred_at, found[-1][0].position)
        yield [self._edge(CLOSING, self.export.period_to)]

    def _row(self, entry: LedgerTransaction, minor: int, payments: dict[Any, Payment]) -> Row:
        payment = payments.get(entry.payment_id)
        self.balance += minor
        self.by_kind[entry.kind] = self.by_kind.get(entry.kind, 0) + minor
        return (
            rfc3339(entry.occurred_at),
            str(entry.id),
            entry.kind,
            self.names.at(payment.group_id if payment else None, entry.recorded_at),
            self.names.at(payment.tier_id if payment else None, entry.recorded_at),
            entry.source,
            entry.memo,
            self.export.currency,
            minor,
            self.balance,
        )

    def _edge(self, kind: str, at: datetime) -> Row:
        return (rfc3339(at), None, kind, None, None, None, None, self.export.currency, None, self.balance)

    def verdict(self, session: Session) -> Verdict:
        closing = self._sum(session, self.export.period_to)
        controls = {
            "file": {"opening_minor": self.opening, "by_kind_minor": self.by_kind, "closing_minor": self.balance},
            "ledger": {"closing_minor": closing},
        }
        return Verdict(self.balance - closing, controls)
