"""The `payout_reconciliation` export: what is inside each bank payout of the platform, held against the ledger.

One row per balance transaction, its fee in a row of its own. The payout's own row is left out: the others sum to it.
The rows of a minimum balance stay in, because the sum needs them; the ledger does not know them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select, tuple_
from sqlalchemy.orm import Session

from creator_hub.core.db import unit_of_work
from creator_hub.core.schemas import rfc3339
from creator_hub.money.billing_models import Payment, Subscription
from creator_hub.money.export_models import BalanceTransaction, BankPayout, Export
from creator_hub.money.export_table import Column, Row, Verdict
from creator_hub.money.ledger_models import LedgerAccount, LedgerTransaction, Posting
from creator_hub.money.matching import STRIPES_OWN, ledger_moved
from creator_hub.money.names import Names
from creator_hub.money.payout_models import Payout

CHUNK = 500
MOST_NAMED = 5
FIRST = (datetime.min.replace(tzinfo=UTC), "", datetime.min.replace(tzinfo=UTC), "")


@dataclass(slots=True)
class Totals:
    """What was read, in minor units. `ledger` is what the ledger moved on its processor account for the rows.

    `astray` and `uneven` add up by how much single rows disagree with the ledger, and payouts with their rows, whatever
    the sign: two errors that cancel out are still two errors.
    """

    net: int = 0
    kept_back: int = 0
    ledger: int = 0
    astray: int = 0
    payouts: int = 0
    uneven: int = 0
    bank: int = 0

    def as_json(self) -> dict[str, int]:
        return {
            "net_minor": self.net,
            "kept_back_minor": self.kept_back,
            "ledger_minor": self.ledger,
            "bank_payouts_minor": self.payouts,
            "ledger_bank_minor": self.bank,
        }


def _payouts_within(export: Export) -> list[ColumnElement[bool]]:
    return [
        BankPayout.currency == export.currency,
        BankPayout.effective_at >= export.period_from,
        BankPayout.effective_at < export.period_to,
    ]


class ReconciliationTable:
    """By bank payout and time. The totals cover every row, also those of other creators."""

    columns = (
        Column("payout_id", "text"),
        Column("payout_effective_at"),
        Column("entry_id", "text"),
        Column("created_utc"),
        Column("available_on_utc"),
        Column("currency"),
        Column("gross", "money"),
        Column("fee", "money"),
        Column("net", "money"),
        Column("category", "text"),
        Column("source_id", "text"),
        Column("description", "text"),
        Column("creator_id"),
        Column("creator_handle", "text"),
        Column("group_handle", "text"),
        Column("tier", "text"),
        Column("subscription_id", "text"),
        Column("invoice_id", "text"),
        Column("charge_id", "text"),
        Column("transfer_id", "text"),
        Column("dispute_reason", "text"),
    )

    def __init__(self, export: Export) -> None:
        self.export, self.totals, self.names = export, Totals(), Names()

    def count(self, session: Session) -> int:
        """Before the rows are narrowed to a creator."""
        fees = func.count().filter(BalanceTransaction.fee_minor != 0)
        return int(
            session.scalar(
                select(func.count() + fees)
                .select_from(BalanceTransaction)
                .join(BankPayout, BankPayout.id == BalanceTransaction.payout_id)
                .where(*_payouts_within(self.export), BalanceTransaction.type != "payout")
            )
            or 0
        )

    def chunks(self) -> Iterator[list[Row]]:
        after: tuple[Any, ...] = FIRST
        while True:
            with unit_of_work() as session:
                found: Sequence[Any] = session.execute(self._query(after)).all()
                payments = [row.Payment for row in found if row.Payment]
                named = {i for payment in payments for i in (payment.group_id, payment.tier_id)}
                self.names.read(session, named | {row.creator_id for row in found})
            if not found:
                return
            yield [made for row in found for made in self._rows(row)]
            last, payout = found[-1][0], found[-1][1]
            after = (payout.effective_at, payout.id, last.created_at, last.id)

    def verdict(self, session: Session) -> Verdict:
        _add_payouts(session, self.export, self.totals)
        unexplained = _unexplained(session, self.export)
        error = f"Stripe has not itemised {', '.join(unexplained[:MOST_NAMED])}." if unexplained else None
        return Verdict(_difference(self.totals), self.totals.as_json(), error)

    def _query(self, after: tuple[Any, ...]) -> Any:
        order = (BankPayout.effective_at, BankPayout.id, BalanceTransaction.created_at, BalanceTransaction.id)
        moved = case((BalanceTransaction.type.in_(STRIPES_OWN), 0), else_=ledger_moved(self.export.position))
        return (
            select(
                BalanceTransaction,
                BankPayout,
                Payment,
                Payout,
                func.coalesce(Payment.creator_id, Payout.creator_id).label("creator_id"),
                Subscription.stripe_id.label("subscription_id"),
                moved.label("moved"),
            )
            .join(BankPayout, BankPayout.id == BalanceTransaction.payout_id)
            .outerjoin(Payment, Payment.charge_id == BalanceTransaction.charge_id)
            .outerjoin(Payout, Payout.transfer_id == BalanceTransaction.source_id)
            .outerjoin(Subscription, Subscription.id == Payment.subscription_id)
            .where(
                *_payouts_within(self.export),
                BalanceTransaction.type != "payout",
                BankPayout.effective_at >= after[0],  # what the index can begin at
                tuple_(*order) > tuple_(*after),
            )
            .order_by(*order)
            .limit(CHUNK)
        )

    def _rows(self, row: Any) -> list[Row]:
        entry: BalanceTransaction = row[0]
        totals, moved = self.totals, int(row.moved)
        kept_back = entry.net_minor if entry.type in STRIPES_OWN else 0
        totals.net += entry.net_minor
        totals.kept_back += kept_back
        totals.ledger += moved
        totals.astray += abs(entry.net_minor - kept_back - moved)
        if self.export.creator_id not in (None, row.creator_id):
            return []
        made = [self._row(row, entry.id, entry.amount_minor, 0, entry.category)]
        if entry.fee_minor:
            made.append(self._row(row, f"{entry.id}_fee", 0, entry.fee_minor, "fee"))
        return made

    def _row(self, row: Any, entry_id: str, gross: int, fee: int, category: str) -> Row:
        entry: BalanceTransaction = row[0]
        payout: BankPayout = row[1]
        payment: Payment | None = row[2]
        transfer: Payout | None = row[3]
        creator: uuid.UUID | None = row.creator_id
        name, at = self.names.at, entry.created_at
        return (
            payout.id,
            rfc3339(payout.effective_at),
            entry_id,
            rfc3339(entry.created_at),
            rfc3339(entry.available_on),
            entry.currency,
            gross,
            fee,
            gross - fee,
            category,
            entry.source_id,
            entry.description,
            str(creator) if creator else None,
            name(creator, at),
            name(payment.group_id if payment else None, at),
            name(payment.tier_id if payment else None, at),
            row.subscription_id,
            payment.invoice_id if payment else None,
            entry.charge_id,
            transfer.transfer_id if transfer else None,
            entry.dispute_reason,
        )


def _add_payouts(session: Session, export: Export, totals: Totals) -> None:
    """What Stripe paid to the bank, and what the ledger has as paid to the bank for the same payouts."""
    inside = (
        select(func.coalesce(func.sum(BalanceTransaction.net_minor), 0))
        .where(BalanceTransaction.payout_id == BankPayout.id, BalanceTransaction.type != "payout")
        .scalar_subquery()
    )
    paid = func.coalesce(func.sum(BankPayout.amount_minor), 0)
    uneven = func.coalesce(func.sum(func.abs(BankPayout.amount_minor - inside)), 0)
    sums = session.execute(select(paid, uneven).where(*_payouts_within(export))).one()
    totals.payouts, totals.uneven = int(sums[0]), int(sums[1])
    totals.bank = int(
        session.scalar(
            select(func.coalesce(func.sum(Posting.amount_minor), 0))
            .select_from(BankPayout)
            .join(
                LedgerTransaction,
                and_(LedgerTransaction.source == BankPayout.id, LedgerTransaction.kind == "bank_payout"),
            )
            .join(Posting, Posting.transaction_id == LedgerTransaction.id)
            .join(LedgerAccount, LedgerAccount.id == Posting.account_id)
            .where(
                *_payouts_within(export), LedgerAccount.kind == "bank", LedgerTransaction.position <= export.position
            )
        )
        or 0
    )


def _unexplained(session: Session, export: Export) -> list[str]:
    """The bank payouts of the period whose rows Stripe has not told: new ones, and those that somebody made by hand."""
    found = select(BankPayout.id).where(*_payouts_within(export), ~BankPayout.itemised)
    return list(session.scalars(found.order_by(BankPayout.effective_at, BankPayout.id)))


def _difference(totals: Totals) -> int:
    """By how much Stripe's rows disagree: with the bank payouts, then with the ledger's bank and processor accounts."""
    return (
        totals.net - totals.payouts
        or totals.uneven
        or totals.payouts - totals.bank
        or totals.net - totals.kept_back - totals.ledger
        or totals.astray
    )
