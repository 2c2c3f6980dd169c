"""The `payouts` export: one row per payout approved in the period, in the state it had when the period ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import String, cast, func, literal, select
from sqlalchemy.orm import Session

from creator_hub.core.db import unit_of_work
from creator_hub.core.schemas import rfc3339
from creator_hub.money.export_models import Export
from creator_hub.money.export_shares import within
from creator_hub.money.export_table import Column, Row, Verdict
from creator_hub.money.ledger_models import LedgerAccount, LedgerTransaction, Posting
from creator_hub.money.names import Names
from creator_hub.money.payout_models import Payout, PayoutRun

CHUNK = 1000


class PayoutTable:
    """What the ledger says of each payout by the end of the period; what a bank says later changes no closed file."""

    columns = (
        Column("payout_id"),
        Column("run_id"),
        Column("approved_utc"),
        Column("creator_id"),
        Column("creator_handle", "text"),
        Column("currency"),
        Column("amount", "money"),
        Column("returned", "money"),
        Column("state"),
        Column("method"),
        Column("reason", "text"),
        Column("sent_utc"),
        Column("transfer_id", "text"),
        Column("requested_by", "text"),
        Column("approved_by", "text"),
    )

    def __init__(self, export: Export) -> None:
        self.export, self.names = export, Names()
        self.total = 0

    def _later(self, kind: str, column: Any, source: Any) -> Any:
        """What a later entry about the payout says, if it came before the period ended."""
        entry = LedgerTransaction.__table__.alias()
        return (
            select(entry.c[column])
            .where(
                entry.c.source == source,
                entry.c.kind == kind,
                entry.c.position <= self.export.position,
                entry.c.occurred_at < self.export.period_to,
            )
            .scalar_subquery()
        )

    def _approved(self) -> Any:
        source = LedgerTransaction.source
        query = (
            select(
                LedgerTransaction.position,
                LedgerTransaction.occurred_at,
                LedgerTransaction.recorded_at,
                Payout,
                PayoutRun,
                self._later("payout_sent", "occurred_at", source).label("sent_at"),
                self._later("payout_refused", "memo", source).label("refused"),
                self._returned(Payout.id).label("returned"),
            )
            .join(Payout, literal("payout:") + cast(Payout.id, String) == source)
            .join(PayoutRun, PayoutRun.id == Payout.run_id)
            .where(*within(self.export), LedgerTransaction.kind == "payout_approved")
        )
        if self.export.creator_id is not None:
            query = query.where(Payout.creator_id == self.export.creator_id)
        return query

    def _returned(self, payout_id: Any) -> Any:
        """What came back of its transfer by the end of the period."""
        entry = LedgerTransaction.__table__.alias()
        leg, account = Posting.__table__.alias(), LedgerAccount.__table__.alias()
        return (
            select(func.coalesce(func.sum(leg.c.amount_minor), 0))
            .select_from(entry)
            .join(leg, leg.c.transaction_id == entry.c.id)
            .join(account, account.c.id == leg.c.account_id)
            .where(
                entry.c.kind == "payout_reversed",
                entry.c.memo == literal("payout:") + cast(payout_id, String),
                account.c.kind == "processor",
                entry.c.position <= self.export.position,
                entry.c.occurred_at < self.export.period_to,
            )
            .scalar_subquery()
        )

    def count(self, session: Session) -> int:
        return int(session.scalar(select(func.count()).select_from(self._approved().subquery())) or 0)

    def chunks(self) -> Iterator[list[Row]]:
        after = 0
        while True:
            position = LedgerTransaction.position
            with unit_of_work() as session:
                page = self._approved().where(position > after).order_by(position).limit(CHUNK)
                found = session.execute(page).all()
                people = {i for row in found for i in (row.Payout.creator_id, row.PayoutRun.requested_by)}
                self.names.read(session, people | {row.PayoutRun.approved_by for row in found})
            if not found:
                return
            yield [self._row(row) for row in found]
            after = found[-1].position

    def _row(self, row: Any) -> Row:
        payout: Payout = row.Payout
        run: PayoutRun = row.PayoutRun
        self.total += payout.amount_minor
        name, returned = self.names.at, int(row.returned)
        state = "sent" if row.sent_at else "approved"
        if row.refused is not None:
            state = "failed"
        elif returned == payout.amount_minor:
            state = "reversed"
        return (
            str(payout.id),
            str(run.id),
            rfc3339(row.occurred_at),
            str(payout.creator_id),
            name(payout.creator_id, row.recorded_at),
            payout.currency,
            payout.amount_minor,
            returned,
            state,
            run.method,
            row.refused,
            rfc3339(row.sent_at) if row.sent_at else None,
            payout.transfer_id if row.sent_at else None,
            name(run.requested_by, row.recorded_at),
            name(run.approved_by, row.recorded_at),
        )

    def verdict(self, session: Session) -> Verdict:
        """The payouts against what left the creators' balances for them."""
        query = (
            select(func.coalesce(func.sum(Posting.amount_minor), 0))
            .join(LedgerAccount, LedgerAccount.id == Posting.account_id)
            .join(LedgerTransaction, LedgerTransaction.id == Posting.transaction_id)
            .where(
                *within(self.export),
                LedgerTransaction.kind == "payout_approved",
                LedgerAccount.kind == "creator_payable",
            )
        )
        if self.export.creator_id is not None:
            query = query.where(LedgerAccount.owner_id == self.export.creator_id)
        booked = int(session.scalar(query) or 0)
        return Verdict(self.total - booked, {"file": {"amount_minor": self.total}, "ledger": {"amount_minor": booked}})
