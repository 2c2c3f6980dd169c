"""The tables of the double-entry ledger. What they refuse is written as database law in migration 0006."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from creator_hub.core.base import Base

KINDS = (
    "processor",
    "bank",
    "dispute_hold",
    "creator_receivable",
    "creator_payable",
    "payout_clearing",
    "tax_payable",
    "fan_credit",
    "gift_deferred",
    "deferred_revenue",
    "platform_fee",
    "processor_fee",
    "dispute_fee",
    "goodwill",
    "bad_debt",
    "fx",
)


class LedgerAccount(Base):
    """One account of one currency; `owner_id` is a creator, `place` a tax place, where the kind has one."""

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        UniqueConstraint("id", "currency"),
        UniqueConstraint("kind", "currency", "owner_id", "place", postgresql_nulls_not_distinct=True),
        CheckConstraint(f"kind IN ({', '.join(repr(kind) for kind in KINDS)})", name="known_kind"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_form"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    currency: Mapped[str]
    owner_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    place: Mapped[str | None]


class LedgerTransaction(Base):
    """One balanced movement. (source, kind) says what caused it; the same cause is recorded once.

    `position` orders the ledger as recorded; `created_in` is the database transaction that made the row, so that no leg
    can be added later. `payment_id` is the payment that it is about, if it is about one: its refunds, disputes and
    months too.
    """

    __tablename__ = "ledger_transactions"
    __table_args__ = (UniqueConstraint("id", "currency"), UniqueConstraint("source", "kind"))

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    source: Mapped[str]
    kind: Mapped[str]
    currency: Mapped[str]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    memo: Mapped[str]
    payment_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    created_in: Mapped[int] = mapped_column(BigInteger, server_default=text("txid_current()"))


class Posting(Base):
    """One leg: `amount_minor` > 0 debits the account, < 0 credits it."""

    __tablename__ = "postings"
    __table_args__ = (
        ForeignKeyConstraint(
            ["transaction_id", "currency"], ["ledger_transactions.id", "ledger_transactions.currency"]
        ),
        ForeignKeyConstraint(["account_id", "currency"], ["ledger_accounts.id", "ledger_accounts.currency"]),
        CheckConstraint("amount_minor <> 0", name="amount_not_zero"),
    )

    transaction_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    account_id: Mapped[uuid.UUID] = mapped_column(index=True)
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)


class LedgerAdjustment(Base):
    """A correction: one recorded transaction reversed, leg by leg, in the open month. Two people make it."""

    __tablename__ = "ledger_adjustments"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'approved', 'withdrawn')", name="known_state"),
        CheckConstraint("requested_by <> approved_by", name="two_people"),
        CheckConstraint("(state = 'approved') = (approved_by IS NOT NULL)", name="approved_by_somebody"),
        Index("uq_ledger_adjustments_once", "reverses", unique=True, postgresql_where="state <> 'withdrawn'"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    reverses: Mapped[uuid.UUID] = mapped_column(ForeignKey("ledger_transactions.id"))
    reason: Mapped[str]
    state: Mapped[str]
    requested_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    approved_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]


class LedgerPeriod(Base):
    """A closed month, by its first day (UTC). Nothing that occurred in it can be posted any more."""

    __tablename__ = "ledger_periods"
    __table_args__ = (CheckConstraint("extract(day from month) = 1", name="first_of_month"),)

    month: Mapped[date] = mapped_column(primary_key=True)
    closed_at: Mapped[datetime]
    closed_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
