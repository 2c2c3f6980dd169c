"""What the house keeps of Stripe: counterparts, checkouts, subscriptions, payments, refunds, and the inbox of events.

A row is written before the call it belongs to; its id is the idempotency key, so that a repeated call is the same call.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from creator_hub.core.base import Base
from creator_hub.core.money import Money
from creator_hub.money.splits import Split


class StripeCustomer(Base):
    """A person's one customer at Stripe, bound by our id in its metadata, never by e-mail."""

    __tablename__ = "stripe_customers"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), unique=True)
    email: Mapped[str]
    stripe_id: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class StripePrice(Base):
    """A tier's price as Stripe knows it. A new price is a new row: nobody's running price ever changes."""

    __tablename__ = "stripe_prices"
    __table_args__ = (UniqueConstraint("tier_id", "amount_minor", "currency", "interval"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    tier_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tiers.id"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    interval: Mapped[str]
    stripe_id: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime]

    @property
    def price(self) -> Money:
        return Money(self.amount_minor, self.currency)


class Checkout(Base):
    """One visit to the hosted Checkout page. At most one is open per person and group, so nobody pays twice."""

    __tablename__ = "checkouts"
    __table_args__ = (
        CheckConstraint("state IN ('creating', 'open', 'complete', 'expired')", name="known_state"),
        Index(
            "uq_checkouts_one_open",
            "user_id",
            "group_id",
            unique=True,
            postgresql_where="state IN ('creating', 'open')",
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"))
    tier_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tiers.id"))
    price_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("stripe_prices.id"))
    stripe_id: Mapped[str | None] = mapped_column(unique=True)
    url: Mapped[str | None]
    state: Mapped[str]
    created_at: Mapped[datetime]


class Subscription(Base):
    """A paid membership that renews. Its id is that of the checkout it came from.

    `pending_tier_id` is the tier it changes to at the period's end. A pause keeps `paid_left_s` seconds of paid time.
    `fetched_at` is when Stripe was asked for what the row says: an answer asked for earlier never overwrites it.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (
        CheckConstraint(
            "state IN ('trialing', 'active', 'past_due', 'paused', 'cancelled', 'ended')", name="known_state"
        ),
        Index("uq_subscriptions_one_alive", "user_id", "group_id", unique=True, postgresql_where="state <> 'ended'"),
    )

    id: Mapped[uuid.UUID] = mapped_column(ForeignKey("checkouts.id"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"), index=True)
    tier_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tiers.id"))
    stripe_id: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    price_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    interval: Mapped[str]
    started_at: Mapped[datetime]
    current_period_start: Mapped[datetime]
    current_period_end: Mapped[datetime]
    cancel_at_period_end: Mapped[bool]
    pending_tier_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("tiers.id"))
    paused_at: Mapped[datetime | None]
    paid_left_s: Mapped[int | None] = mapped_column(BigInteger)
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None]
    fetched_at: Mapped[datetime]

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.currency)


class Payment(Base):
    """One paid invoice and how it was shared, minor units of `currency`; the parts sum to the gross.

    `credit_minor` of the gross was paid from the fan's credit, the rest by card. Of a period longer than a month the
    `unearned_*` parts are still paid ahead; `next_earning_at` ends the month that is earned next. What the tax place
    was decided by is kept as evidence.
    """

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("gross_minor = tax_minor + fee_minor + creator_minor", name="parts_sum"),
        CheckConstraint("refunded_minor BETWEEN 0 AND gross_minor", name="refund_cap"),
        CheckConstraint("credit_minor BETWEEN 0 AND gross_minor", name="credit_cap"),
        CheckConstraint("unearned_fee_minor >= 0 AND unearned_creator_minor >= 0", name="unearned_not_negative"),
        CheckConstraint("months_earned BETWEEN 0 AND months", name="months_in_order"),
        CheckConstraint(
            "(unearned_fee_minor + unearned_creator_minor > 0) = (next_earning_at IS NOT NULL)",
            name="unearned_is_earned_later",
        ),
        Index("ix_payments_group", "group_id", "id"),
        Index("ix_payments_next_earning", "next_earning_at", postgresql_where="next_earning_at IS NOT NULL"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    subscription_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subscriptions.id"), index=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"))
    tier_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tiers.id"))
    creator_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    invoice_id: Mapped[str] = mapped_column(unique=True)
    charge_id: Mapped[str | None] = mapped_column(unique=True)
    currency: Mapped[str]
    gross_minor: Mapped[int] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    fee_minor: Mapped[int] = mapped_column(BigInteger)
    creator_minor: Mapped[int] = mapped_column(BigInteger)
    refunded_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    tax_place: Mapped[str]
    tax_bps: Mapped[int] = mapped_column(default=0)
    billing_country: Mapped[str | None]
    card_country: Mapped[str | None]
    credit_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    unearned_fee_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    unearned_creator_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    months: Mapped[int] = mapped_column(SmallInteger, default=0)
    months_earned: Mapped[int] = mapped_column(SmallInteger, default=0)
    next_earning_at: Mapped[datetime | None]
    period_start: Mapped[datetime]
    period_end: Mapped[datetime]
    paid_at: Mapped[datetime]

    @property
    def amount(self) -> Money:
        return Money(self.gross_minor, self.currency)

    @property
    def refunded(self) -> Money:
        return Money(self.refunded_minor, self.currency)

    @property
    def unearned(self) -> int:
        return self.unearned_fee_minor + self.unearned_creator_minor

    @property
    def refundable_minor(self) -> int:
        """What can still go back to the card."""
        return max(0, self.gross_minor - self.credit_minor - self.refunded_minor)

    @property
    def split(self) -> Split:
        return Split(self.tax_minor, self.fee_minor, self.creator_minor)


class Refund(Base):
    """Money given back. `requested` is written before Stripe is asked; `succeeded` once it is in the ledger. The
    `unearned_*` parts came out of what was still paid ahead."""

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("state IN ('requested', 'succeeded', 'failed')", name="known_state"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        UniqueConstraint("payment_id", "request_key"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("payments.id"), index=True)
    request_key: Mapped[str | None]  # the HTTP request that asked for it (`Actor.request_key`)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    reason: Mapped[str]
    requested_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    stripe_id: Mapped[str | None] = mapped_column(unique=True)
    state: Mapped[str]
    unearned_fee_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    unearned_creator_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime]

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class Decline(Base):
    """Why the latest attempt to collect an invoice failed, and when Stripe tries again; gone once it is paid."""

    __tablename__ = "declines"

    invoice_id: Mapped[str] = mapped_column(primary_key=True)
    subscription_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subscriptions.id"), index=True)
    attempts: Mapped[int]
    next_attempt_at: Mapped[datetime | None]
    pay_url: Mapped[str | None]
    at: Mapped[datetime]


class Dispute(Base):
    """What a bank took back for its customer, and until when evidence can be given."""

    __tablename__ = "disputes"
    __table_args__ = (Index("ix_disputes_group", "group_id", "id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    stripe_id: Mapped[str] = mapped_column(unique=True)
    payment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("payments.id"), index=True)
    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    reason: Mapped[str]
    state: Mapped[str]
    due_by: Mapped[datetime | None]
    opened_at: Mapped[datetime]

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class StripeEvent(Base):
    """One event as it came in, by webhook or by the poller; the same event is stored once."""

    __tablename__ = "stripe_events"

    id: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str]  # empty: the platform's own
    type: Mapped[str] = mapped_column(index=True)
    object_id: Mapped[str]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    received_at: Mapped[datetime]


class StripeCursor(Base):
    """How far the poller has read an account's events: Stripe's `created` of the newest, unix seconds."""

    __tablename__ = "stripe_cursors"

    account: Mapped[str] = mapped_column(primary_key=True)
    created: Mapped[int] = mapped_column(BigInteger)
