"""What payments brought and to whom: `revenue`, `tax` and the `creator_tax_report`, read off the ledger's entries."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, select
from sqlalchemy.orm import Session

from creator_hub.core.db import unit_of_work
from creator_hub.money.anchors import months_after
from creator_hub.money.billing_models import Payment
from creator_hub.money.export_ledger import utc_text
from creator_hub.money.export_models import Export
from creator_hub.money.export_table import Column, Row, Verdict, major
from creator_hub.money.ledger_models import LedgerAccount, LedgerTransaction, Posting
from creator_hub.money.names import Names

CHUNK = 2000
CREATORS = ("creator_payable", "creator_receivable")
SHARED = ("tax_payable", "platform_fee", *CREATORS, "deferred_revenue")
# Entries that move what a creator has earned already, or tax that was collected already.
NO_EARNINGS = (
    "payout_approved",
    "payout_refused",
    "payout_reversed",
    "receivable_netted",
    "receivable_written_off",
    "tax_remitted",
)


def minor_of(*kinds: str) -> Any:
    """What was credited to accounts of these kinds, in minor units."""
    return func.coalesce(func.sum(-Posting.amount_minor).filter(LedgerAccount.kind.in_(kinds)), 0)


def within(export: Export) -> list[ColumnElement[bool]]:
    """The entries of the export's period and currency, as the ledger stood at its position."""
    return [
        LedgerTransaction.position <= export.position,
        LedgerTransaction.currency == export.currency,
        LedgerTransaction.occurred_at >= export.period_from,
        LedgerTransaction.occurred_at < export.period_to,
    ]


def moved(session: Session, export: Export, *kinds: str) -> int:
    """What earnings credited to accounts of these kinds in the period, counted past every join."""
    query = (
        select(func.coalesce(func.sum(-Posting.amount_minor), 0))
        .join(LedgerAccount, LedgerAccount.id == Posting.account_id)
        .join(LedgerTransaction, LedgerTransaction.id == Posting.transaction_id)
        .where(*within(export), LedgerAccount.kind.in_(kinds), LedgerTransaction.kind.not_in(NO_EARNINGS))
    )
    if export.creator_id is not None:
        touched = (
            select(Posting.transaction_id)
            .join(LedgerAccount, LedgerAccount.id == Posting.account_id)
            .where(LedgerAccount.owner_id == export.creator_id, LedgerAccount.kind.in_(CREATORS))
        )
        paid = select(Payment.id).where(Payment.creator_id == export.creator_id)
        query = query.where(LedgerTransaction.payment_id.in_(paid) | LedgerTransaction.id.in_(touched))
    return int(session.scalar(query) or 0)


class _Shares:
    """The common ground: earnings of the period with the payment that they are about."""

    export: Export
    names: Names

    def __init__(self, export: Export) -> None:
        self.export, self.names = export, Names()
        self.totals: dict[str, int] = {}

    def _earnings(self, *columns: Any) -> Any:
        """One row per entry before grouping; `creator` is whose payment, or whose account, it is."""
        return (
            select(*columns)
            .select_from(LedgerTransaction)
            .join(Posting, Posting.transaction_id == LedgerTransaction.id)
            .join(LedgerAccount, LedgerAccount.id == Posting.account_id)
            .outerjoin(Payment, Payment.id == LedgerTransaction.payment_id)
            .where(
                *within(self.export),
                LedgerAccount.kind.in_(SHARED),
                LedgerTransaction.kind.not_in(NO_EARNINGS),
            )
        )

    def _per_entry(self) -> Any:
        """Each entry of the period with its shares and its creator."""
        owner = func.max(cast(LedgerAccount.owner_id, String)).filter(LedgerAccount.kind.in_(CREATORS))
        creator = func.coalesce(func.max(cast(Payment.creator_id, String)), owner)
        query = self._earnings(
            LedgerTransaction.id,
            LedgerTransaction.position,
            LedgerTransaction.kind,
            LedgerTransaction.occurred_at,
            LedgerTransaction.recorded_at,
            LedgerTransaction.payment_id,
            func.max(LedgerAccount.place).label("account_place"),
            creator.label("creator"),
            minor_of("tax_payable").label("tax"),
            minor_of("platform_fee").label("fee"),
            minor_of(*CREATORS).label("share"),
            minor_of(*SHARED).label("gross"),
        ).group_by(LedgerTransaction.id)
        if self.export.creator_id is not None:
            query = query.having(creator == str(self.export.creator_id))
        return query

    def _add(self, **minor: int) -> None:
        for name, amount in minor.items():
            self.totals[name] = self.totals.get(name, 0) + amount

    def _compare(self, session: Session, **accounts: tuple[str, ...]) -> Verdict:
        ledger = {name: moved(session, self.export, *kinds) for name, kinds in accounts.items()}
        written = {name: self.totals.get(name, 0) for name in accounts}
        off = next((written[name] - ledger[name] for name in accounts if written[name] != ledger[name]), 0)
        return Verdict(off, {"file": written, "ledger": ledger})

    def _until(self, bucket_end: datetime) -> datetime:
        return min(bucket_end, self.export.period_to)


class RevenueTable(_Shares):
    """What was earned, by month, group and tier: the platform's fee and the creators' share."""

    columns = (
        Column("month"),
        Column("creator_id"),
        Column("creator_handle", "text"),
        Column("group_handle", "text"),
        Column("tier", "text"),
        Column("currency"),
        Column("payments", "count"),
        Column("platform_fee", "money"),
        Column("creator_share", "money"),
        Column("total", "money"),
    )

    def _query(self) -> Any:
        one = self._per_entry().subquery()
        month = func.to_char(func.timezone("UTC", one.c.occurred_at), "YYYY-MM")
        keys = (month, one.c.creator, Payment.group_id, Payment.tier_id)
        return (
            select(
                month.label("month"),
                one.c.creator,
                Payment.group_id,
                Payment.tier_id,
                func.count().filter(one.c.kind == "payment").label("payments"),
                func.sum(one.c.fee).label("fee"),
                func.sum(one.c.share).label("share"),
            )
            .select_from(one)
            .outerjoin(Payment, Payment.id == one.c.payment_id)
            .group_by(*keys)
            .having((func.sum(func.abs(one.c.fee) + func.abs(one.c.share)) > 0) | (func.count() > 0))
            .order_by(*keys)
        )

    def count(self, session: Session) -> int:
        return int(session.scalar(select(func.count()).select_from(self._query().subquery())) or 0)

    def chunks(self) -> Iterator[list[Row]]:
        with unit_of_work() as session:
            found = session.execute(self._query()).all()
            self.names.read(session, {i for row in found for i in (_uuid(row.creator), row.group_id, row.tier_id)})
        for start in range(0, len(found), CHUNK):
            yield [self._row(row) for row in found[start : start + CHUNK]]

    def _row(self, row: Any) -> Row:
        fee, share = int(row.fee), int(row.share)
        self._add(platform_fee=fee, creator_share=share)
        until = self._until(months_after(datetime.strptime(row.month, "%Y-%m").replace(tzinfo=UTC), 1))
        name = self.names.at
        return (
            row.month,
            row.creator,
            name(_uuid(row.creator), until),
            name(row.group_id, until),
            name(row.tier_id, until),
            self.export.currency,
            row.payments,
            fee,
            share,
            fee + share,
        )

    def verdict(self, session: Session) -> Verdict:
        return self._compare(session, platform_fee=("platform_fee",), creator_share=CREATORS)


class TaxTable(_Shares):
    """Every entry that carries tax, with its place, its rate and what the place was decided by."""

    columns = (
        Column("occurred_utc"),
        Column("entry_id"),
        Column("kind"),
        Column("place", "text"),
        Column("rate_percent"),
        Column("currency"),
        Column("gross", "money"),
        Column("tax", "money"),
        Column("net", "money"),
        Column("billing_country", "text"),
        Column("card_country", "text"),
        Column("invoice_id", "text"),
        Column("charge_id", "text"),
        Column("creator_id"),
        Column("creator_handle", "text"),
        Column("group_handle", "text"),
    )

    def _taxed(self) -> Any:
        """Months that are earned carry no tax: it was due with the payment."""
        return self._per_entry().where(LedgerTransaction.kind != "earned").having(minor_of(*SHARED) != 0)

    def count(self, session: Session) -> int:
        return int(session.scalar(select(func.count()).select_from(self._taxed().subquery())) or 0)

    def chunks(self) -> Iterator[list[Row]]:
        after = 0
        while True:
            one = self._taxed().where(LedgerTransaction.position > after)
            one = one.order_by(LedgerTransaction.position).limit(CHUNK).subquery()
            with unit_of_work() as session:
                found = session.execute(
                    select(one, Payment, utc_text(one.c.occurred_at).label("occurred"))
                    .outerjoin(Payment, Payment.id == one.c.payment_id)
                    .order_by(one.c.position)
                ).all()
                creators = {_uuid(row.creator) for row in found}
                self.names.read(session, creators | {row.Payment.group_id for row in found if row.Payment})
            if not found:
                return
            yield [self._row(row) for row in found]
            after = found[-1].position

    def _row(self, row: Any) -> Row:
        payment: Payment | None = row.Payment
        gross, tax = int(row.gross), int(row.tax)
        self._add(tax=tax)
        return (
            row.occurred,
            str(row.id),
            row.kind,
            payment.tax_place if payment else row.account_place,
            major(payment.tax_bps, "EUR") if payment else None,
            self.export.currency,
            gross,
            tax,
            gross - tax,
            payment.billing_country if payment else None,
            payment.card_country if payment else None,
            payment.invoice_id if payment else None,
            payment.charge_id if payment else None,
            row.creator,
            self.names.at(_uuid(row.creator), row.recorded_at),
            self.names.at(payment.group_id if payment else None, row.recorded_at),
        )

    def verdict(self, session: Session) -> Verdict:
        return self._compare(session, tax=("tax_payable",))


class CreatorTaxTable(_Shares):
    """Per creator and quarter: what was credited to them, what was kept of it, how many payments it came from."""

    columns = (
        Column("quarter"),
        Column("creator_id"),
        Column("creator_handle", "text"),
        Column("currency"),
        Column("consideration", "money"),
        Column("fees", "money"),
        Column("tax", "money"),
        Column("payments", "count"),
    )

    def _query(self) -> Any:
        one = self._per_entry().subquery()
        quarter = func.to_char(func.timezone("UTC", one.c.occurred_at), 'YYYY"-Q"Q')
        start = func.date_trunc("quarter", func.timezone("UTC", func.min(one.c.occurred_at)))
        return (
            select(
                quarter.label("quarter"),
                one.c.creator,
                func.sum(one.c.share).label("share"),
                func.sum(one.c.fee).label("fee"),
                func.sum(one.c.tax).label("tax"),
                func.count().filter(one.c.kind == "payment").label("payments"),
                start.label("start"),
            )
            .where(one.c.creator.is_not(None))
            .group_by(quarter, one.c.creator)
            .order_by(quarter, one.c.creator)
        )

    def count(self, session: Session) -> int:
        return int(session.scalar(select(func.count()).select_from(self._query().subquery())) or 0)

    def chunks(self) -> Iterator[list[Row]]:
        with unit_of_work() as session:
            found = session.execute(self._query()).all()
            self.names.read(session, {_uuid(row.creator) for row in found})
        yield [self._row(row) for row in found]

    def _row(self, row: Any) -> Row:
        self._add(consideration=int(row.share))
        until = self._until(months_after(row.start.replace(tzinfo=UTC), 3))
        handle = self.names.at(_uuid(row.creator), until)
        figures = (int(row.share), int(row.fee), int(row.tax), row.payments)
        return (row.quarter, row.creator, handle, self.export.currency, *figures)

    def verdict(self, session: Session) -> Verdict:
        return self._compare(session, consideration=CREATORS)


def _uuid(text: str | None) -> uuid.UUID | None:
    return uuid.UUID(text) if text else None
