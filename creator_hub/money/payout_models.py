"""Where creators are paid to, and the runs that pay them."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from creator_hub.core.base import Base

RUN_STATES = ("draft", "approved", "running", "done", "failed")
PAYOUT_STATES = ("draft", "sent", "confirmed", "failed", "reversed")


class PayoutAccount(Base):
    """A creator's connected Stripe account; one per person. The row is made before Stripe is asked."""

    __tablename__ = "payout_accounts"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), unique=True)
    stripe_account_id: Mapped[str | None] = mapped_column(unique=True)
    details_submitted: Mapped[bool]
    transfers_active: Mapped[bool]
    bank_payouts_enabled: Mapped[bool]
    created_at: Mapped[datetime]

    @property
    def state(self) -> str:
        """onboarding, active (can be paid), or restricted (Stripe wants something from the creator)."""
        if not self.details_submitted:
            return "onboarding"
        return "active" if self.transfers_active else "restricted"


class PayoutRun(Base):
    """One decision to pay creators in one currency. Two people make it, or it is not made. `method`: transfers through
    Stripe, or a file that the platform's bank executes."""

    __tablename__ = "payout_runs"
    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(state) for state in RUN_STATES)})", name="known_state"),
        CheckConstraint("requested_by <> approved_by", name="two_people"),
        CheckConstraint("(state = 'draft') = (approved_by IS NULL)", name="approved_by_somebody"),
        CheckConstraint("method IN ('stripe', 'bank')", name="known_method"),
        CheckConstraint("minimum_minor >= 0", name="minimum_not_negative"),
        UniqueConstraint("id", "currency"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    currency: Mapped[str]
    cut_off: Mapped[datetime]
    minimum_minor: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str]
    method: Mapped[str] = mapped_column(default="stripe")
    requested_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    approved_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]


class Payout(Base):
    """What one creator gets in one run: one transfer to the connected account.

    `bank_state` is what Stripe says of its own payout from there to the creator's bank; it moves nothing here.
    """

    __tablename__ = "payouts"
    __table_args__ = (
        UniqueConstraint("run_id", "creator_id"),
        CheckConstraint(f"state IN ({', '.join(repr(state) for state in PAYOUT_STATES)})", name="known_state"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("reversed_minor BETWEEN 0 AND amount_minor", name="reversed_within_amount"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("payout_runs.id"))
    creator_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    reversed_minor: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str]
    reason: Mapped[str | None]
    transfer_id: Mapped[str | None] = mapped_column(unique=True)
    arrival_id: Mapped[str | None] = mapped_column(unique=True)
    bank_state: Mapped[str | None]
    sent_at: Mapped[datetime | None]


class KeptBack(Base):
    """What Stripe was last told to leave in the platform's balance when it pays the platform's bank."""

    __tablename__ = "kept_back"

    currency: Mapped[str] = mapped_column(primary_key=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    told_at: Mapped[datetime]
