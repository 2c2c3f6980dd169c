"""Stripe's own account of the platform's money, and the files finance takes away."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from creator_hub.core.base import Base
from creator_hub.core.money import Money

EXPORT_STATES = ("queued", "running", "ready", "refused", "failed")
# What can be asked for, and in which formats.
EXPORT_FORMATS = {
    "payout_reconciliation": ("csv", "xlsx"),
    "payouts": ("csv", "xlsx", "pain.001", "nacha"),
    "creator_statement": ("csv", "xlsx", "pdf"),
    "ledger": ("csv", "xlsx", "beancount"),
    "revenue": ("csv", "xlsx"),
    "deferred_revenue": ("csv", "xlsx"),
    "tax": ("csv", "xlsx"),
    "creator_tax_report": ("csv",),
}
EXPORT_KINDS = tuple(EXPORT_FORMATS)


class BankPayout(Base):
    """Stripe's payout of the platform's balance to the platform's bank."""

    __tablename__ = "bank_payouts"

    id: Mapped[str] = mapped_column(primary_key=True)
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str]
    effective_at: Mapped[datetime] = mapped_column(index=True)
    itemised: Mapped[bool]


class BalanceTransaction(Base):
    """One row of Stripe's balance, as Stripe tells it; signed minor units, `net = amount − fee`."""

    __tablename__ = "balance_transactions"
    __table_args__ = (CheckConstraint("net_minor = amount_minor - fee_minor", name="net_adds_up"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    payout_id: Mapped[str | None] = mapped_column(ForeignKey("bank_payouts.id"), index=True)
    type: Mapped[str]
    category: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    fee_minor: Mapped[int] = mapped_column(BigInteger)
    net_minor: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(index=True)
    available_on: Mapped[datetime]
    source_id: Mapped[str | None]
    charge_id: Mapped[str | None]
    dispute_reason: Mapped[str | None]
    description: Mapped[str]


class Export(Base):
    """A file asked for by finance. `difference_minor` says by how much a refused one disagrees with the ledger."""

    __tablename__ = "exports"
    __table_args__ = (
        CheckConstraint(f"kind IN ({', '.join(repr(kind) for kind in EXPORT_KINDS)})", name="known_kind"),
        CheckConstraint(f"state IN ({', '.join(repr(state) for state in EXPORT_STATES)})", name="known_state"),
        CheckConstraint("period_from < period_to", name="period_not_empty"),
        CheckConstraint("rows_done BETWEEN 0 AND rows_total", name="progress_within_bounds"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    format: Mapped[str]
    period_from: Mapped[datetime]
    period_to: Mapped[datetime]
    currency: Mapped[str]
    creator_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    state: Mapped[str]
    rows_total: Mapped[int] = mapped_column(BigInteger)
    rows_done: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None]
    difference_minor: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[str | None]
    requested_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    @property
    def progress(self) -> float:
        """0 to 1."""
        if self.state in ("ready", "refused"):
            return 1.0
        return self.rows_done / self.rows_total if self.rows_total else 0.0

    @property
    def difference(self) -> Money | None:
        """What a refused file has more than the ledger."""
        return None if self.difference_minor is None else Money(self.difference_minor, self.currency)
