"""The `deferred_revenue` export: per payment and month what was paid ahead, earned, given back, and what is left."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from creator_hub.core.db import unit_of_work
from creator_hub.core.schemas import rfc3339
from creator_hub.money.anchors import months_after
from creator_hub.money.billing_models import Payment
from creator_hub.money.export_models import Export
from creator_hub.money.export_table import Column, Row, Verdict
from creator_hub.money.ledger_models import LedgerAccount, LedgerTransaction, Posting
from creator_hub.money.names import Names

CHUNK = 500
FIRST = uuid.UUID(int=0)


@dataclass(slots=True)
class Month:
    """Minor units; `given_back` and `recognised` lower what is left."""

    added: int = 0
    recognised: int = 0
    given_back: int = 0

    @property
    def net(self) -> int:
        return self.added - self.recognised - self.given_back


class DeferredTable:
    columns = (
        Column("month"),
        Column("invoice_id", "text"),
        Column("creator_id"),
        Column("creator_handle", "text"),
        Column("group_handle", "text"),
        Column("tier", "text"),
        Column("service_from_utc"),
        Column("service_until_utc"),
        Column("currency"),
        Column("opening", "money"),
        Column("added", "money"),
        Column("recognised", "money"),
        Column("given_back", "money"),
        Column("closing", "money"),
    )

    def __init__(self, export: Export) -> None:
        self.export, self.names = export, Names()
        self.opening = self.closing = 0
        self.sum = Month()

    def _moves(self) -> Any:
        """Every movement of the period and before it, by what it is about; null stands for before."""
        export, entry = self.export, LedgerTransaction
        month = case(
            (entry.occurred_at < export.period_from, None),
            else_=func.to_char(func.timezone("UTC", entry.occurred_at), "YYYY-MM"),
        )
        query = (
            select(
                func.coalesce(entry.payment_id, entry.id).label("about"),
                month.label("month"),
                entry.kind,
                (-Posting.amount_minor).label("minor"),
            )
            .join(Posting, Posting.transaction_id == entry.id)
            .join(LedgerAccount, LedgerAccount.id == Posting.account_id)
            .where(
                LedgerAccount.kind == "deferred_revenue",
                entry.currency == export.currency,
                entry.position <= export.position,
                entry.occurred_at < export.period_to,
            )
        )
        if export.creator_id is not None:
            query = query.where(entry.payment_id.in_(select(Payment.id).where(Payment.creator_id == export.creator_id)))
        return query

    def _open(self) -> Any:
        """What still had a balance when the period began, or moved in it."""
        moves = self._moves().subquery()
        return (
            select(moves.c.about)
            .group_by(moves.c.about)
            .having(
                (func.coalesce(func.sum(moves.c.minor).filter(moves.c.month.is_(None)), 0) != 0)
                | (func.count(moves.c.month) > 0)
            )
        )

    def count(self, session: Session) -> int:
        return int(session.scalar(select(func.count()).select_from(self._open().subquery())) or 0)

    def chunks(self) -> Iterator[list[Row]]:
        after = FIRST
        while True:
            with unit_of_work() as session:
                about = self._open().subquery()
                page = select(about.c.about).where(about.c.about > after).order_by(about.c.about).limit(CHUNK)
                ids = list(session.scalars(page))
                moves = self._moves().subquery()
                found = session.execute(
                    select(moves.c.about, moves.c.month, moves.c.kind, func.sum(moves.c.minor))
                    .where(moves.c.about.in_(ids))
                    .group_by(moves.c.about, moves.c.month, moves.c.kind)
                ).all()
                payments = {row.id: row for row in session.scalars(select(Payment).where(Payment.id.in_(ids)))}
                named = {i for row in payments.values() for i in (row.creator_id, row.group_id, row.tier_id)}
                self.names.read(session, named)
            if not ids:
                return
            by_subject: dict[uuid.UUID, list[Any]] = {subject: [] for subject in ids}
            for row in found:
                by_subject[row[0]].append(row)
            yield [row for subject in ids for row in self._rows(payments.get(subject), by_subject[subject])]
            after = ids[-1]

    def _rows(self, payment: Payment | None, moves: list[Any]) -> Iterator[Row]:
        left = sum(int(minor) for _, month, _, minor in moves if month is None)
        self.opening += left
        months: dict[str, Month] = {}
        for _, month, kind, minor in moves:
            if month is not None:
                _note(months.setdefault(month, Month()), kind, int(minor))
        for month in _months(self.export.period_from, self.export.period_to):
            movement = months.get(month, Month())
            if left == 0 and month not in months:
                continue
            yield self._row(payment, month, left, movement)
            left += movement.net
            self.sum.added += movement.added
            self.sum.recognised += movement.recognised
            self.sum.given_back += movement.given_back
        self.closing += left

    def _row(self, payment: Payment | None, month: str, opening: int, movement: Month) -> Row:
        until = min(months_after(_first(month), 1), self.export.period_to)
        name = self.names.at
        about: tuple[Any, ...] = (None, None, "", "", "", None, None)
        if payment is not None:
            about = (
                payment.invoice_id,
                str(payment.creator_id),
                name(payment.creator_id, until),
                name(payment.group_id, until),
                name(payment.tier_id, until),
                rfc3339(payment.period_start),
                rfc3339(payment.period_end),
            )
        figures = (opening, movement.added, movement.recognised, movement.given_back, opening + movement.net)
        return (month, *about, self.export.currency, *figures)

    def verdict(self, session: Session) -> Verdict:
        """Opening and closing against the account's balance at both ends of the period."""
        moves = self._moves().subquery()
        opening, closing = session.execute(
            select(
                func.coalesce(func.sum(moves.c.minor).filter(moves.c.month.is_(None)), 0),
                func.coalesce(func.sum(moves.c.minor), 0),
            )
        ).one()
        written = {
            "opening_minor": self.opening,
            "added_minor": self.sum.added,
            "recognised_minor": self.sum.recognised,
            "given_back_minor": self.sum.given_back,
            "closing_minor": self.closing,
        }
        ledger = {"opening_minor": int(opening), "closing_minor": int(closing)}
        off = self.closing - int(closing) or self.opening - int(opening)
        return Verdict(off, {"file": written, "ledger": ledger})


def _note(month: Month, kind: str, minor: int) -> None:
    if kind == "payment":
        month.added += minor
    elif kind == "earned":
        month.recognised -= minor
    else:
        month.given_back -= minor


def _first(month: str) -> datetime:
    return datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)


def _months(start: datetime, end: datetime) -> list[str]:
    """Every calendar month (UTC) that [start, end) touches."""
    first = start.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found: list[str] = []
    while (month := months_after(first, len(found))) < end:
        found.append(f"{month:%Y-%m}")
    return found
