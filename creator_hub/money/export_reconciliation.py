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

from creator_hub.accounts.models import User
from creator_hub.core.db import unit_of_work
from creator_hub.core.money import Money, to_major
from creator_hub.core.schemas import rfc3339
from creator_hub.groups.models import Group, Tier
from creator_hub.money.billing_models import Payment, Subscription
from creator_hub.money.export_files import defused
from creator_hub.money.export_models import BalanceTransaction, BankPayout, Export
from creator_hub.money.ledger_models import LedgerAccount, LedgerTransaction, Posting
from creator_hub.money.matching import STRIPES_OWN, ledger_moved
from creator_hub.money.payout_models import Payout

COLUMNS = (
    "payout_id",
    "payout_effective_at",
    "entry_id",
    "created_utc",
    "available_on_utc",
    "currency",
    "gross",
    "fee",
    "net",
    "category",
    "source_id",
    "description",
    "creator_id",
    "creator_handle",
    "group_handle",
    "tier",
    "subscription_id",
    "invoice_id",
    "charge_id",
    "transfer_id",
    "dispute_reason",
)
CHUNK = 500
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


def count(session: Session, export: Export) -> int:
    """How many rows the file will have before it is narrowed to a creator."""
    fees = func.count().filter(BalanceTransaction.fee_minor != 0)
    return int(
        session.scalar(
            select(func.count() + fees)
            .select_from(BalanceTransaction)
            .join(BankPayout, BankPayout.id == BalanceTransaction.payout_id)
            .where(*_payouts_within(export), BalanceTransaction.type != "payout")
        )
        or 0
    )


def add_payouts(session: Session, export: Export, totals: Totals) -> None:
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


def unexplained(session: Session, export: Export) -> list[str]:
    """The bank payouts of the period whose rows Stripe has not told: new ones, and those that somebody made by hand."""
    found = select(BankPayout.id).where(*_payouts_within(export), ~BankPayout.itemised)
    return list(session.scalars(found.order_by(BankPayout.effective_at, BankPayout.id)))


def difference(totals: Totals) -> int:
    """By how much Stripe's rows disagree: with the bank payouts, then with the ledger's bank and processor accounts."""
    return (
        totals.net - totals.payouts
        or totals.uneven
        or totals.payouts - totals.bank
        or totals.net - totals.kept_back - totals.ledger
        or totals.astray
    )


def _query(export: Export, after: tuple[Any, ...]) -> Any:
    order = (BankPayout.effective_at, BankPayout.id, BalanceTransaction.created_at, BalanceTransaction.id)
    creator = func.coalesce(Payment.creator_id, Payout.creator_id)
    return (
        select(
            BalanceTransaction,
            BankPayout,
            Payment,
            Payout,
            User.id.label("creator_id"),
            User.handle.label("creator_handle"),
            Group.handle.label("group_handle"),
            Tier.name.label("tier"),
            Subscription.stripe_id.label("subscription_id"),
            case((BalanceTransaction.type.in_(STRIPES_OWN), 0), else_=ledger_moved(export.position)).label("moved"),
        )
        .join(BankPayout, BankPayout.id == BalanceTransaction.payout_id)
        .outerjoin(Payment, Payment.charge_id == BalanceTransaction.charge_id)
        .outerjoin(Payout, Payout.transfer_id == BalanceTransaction.source_id)
        .outerjoin(User, User.id == creator)
        .outerjoin(Group, Group.id == Payment.group_id)
        .outerjoin(Tier, Tier.id == Payment.tier_id)
        .outerjoin(Subscription, Subscription.id == Payment.subscription_id)
        .where(
            *_payouts_within(export),
            BalanceTransaction.type != "payout",
            BankPayout.effective_at >= after[0],  # what the index can begin at
            tuple_(*order) > tuple_(*after),
        )
        .order_by(*order)
        .limit(CHUNK)
    )


def chunks(export: Export, totals: Totals) -> Iterator[list[list[str]]]:
    """The file's rows by bank payout and time. Each chunk is read in a unit of work of its own, which is over when the
    chunk is yielded. The totals cover every row, also those of other creators."""
    after: tuple[Any, ...] = FIRST
    while True:
        with unit_of_work() as session:
            found: Sequence[Any] = session.execute(_query(export, after)).all()
        if not found:
            return
        rows: list[list[str]] = []
        for row in found:
            entry: BalanceTransaction = row[0]
            kept_back = entry.net_minor if entry.type in STRIPES_OWN else 0
            totals.net += entry.net_minor
            totals.kept_back += kept_back
            totals.ledger += int(row.moved)
            totals.astray += abs(entry.net_minor - kept_back - int(row.moved))
            if export.creator_id in (None, row.creator_id):
                rows += _rows(row)
        yield rows
        last, payout = found[-1][0], found[-1][1]
        after = (payout.effective_at, payout.id, last.created_at, last.id)


def _rows(row: Any) -> list[list[str]]:
    entry: BalanceTransaction = row[0]
    made = [_row(row, entry.id, entry.amount_minor, 0, entry.category)]
    if entry.fee_minor:
        made.append(_row(row, f"{entry.id}_fee", 0, entry.fee_minor, "fee"))
    return made


def _row(row: Any, entry_id: str, gross: int, fee: int, category: str) -> list[str]:
    entry: BalanceTransaction = row[0]
    payout: BankPayout = row[1]
    payment: Payment | None = row[2]
    transfer: Payout | None = row[3]
    creator: uuid.UUID | None = row.creator_id
    return [
        defused(payout.id),
        rfc3339(payout.effective_at),
        defused(entry_id),
        rfc3339(entry.created_at),
        rfc3339(entry.available_on),
        entry.currency,
        *(to_major(Money(minor, entry.currency)) for minor in (gross, fee, gross - fee)),
        defused(category),
        defused(entry.source_id),
        defused(entry.description),
        str(creator or ""),
        defused(row.creator_handle),
        defused(row.group_handle),
        defused(row.tier),
        defused(row.subscription_id),
        defused(payment.invoice_id if payment else None),
        defused(entry.charge_id),
        defused(transfer.transfer_id if transfer else None),
        defused(entry.dispute_reason),
    ]
