"""Promises, their periods, and what fans get for what did not come.

A promise is never changed: promising the same kind again makes the next version, and whoever bought under an earlier
one keeps it. A period is judged by evidence of a fixed stretch of time, so that it does not matter when, or how often,
the judge comes by.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from creator_hub.core.base import Base

KINDS = ("messages", "qa", "episode", "answer_time")
CADENCES = ("day", "week", "month")
REMEDIES = ("days", "refund")
OPEN_STATES = ("scheduled", "at_risk")


class Promise(Base):
    """One version of one kind of promise. `starts_on` is the local day its first whole period begins; `replaced_at` is
    when the next version took over for new buyers."""

    __tablename__ = "promises"
    __table_args__ = (
        UniqueConstraint("group_id", "kind", "version"),
        Index("uq_promises_current", "group_id", "kind", unique=True, postgresql_where=text("replaced_at IS NULL")),
        CheckConstraint("kind IN ('messages', 'qa', 'episode', 'answer_time')", name="known_kind"),
        CheckConstraint("every IN ('day', 'week', 'month')", name="known_cadence"),
        CheckConstraint("remedy IN ('days', 'refund')", name="known_remedy"),
        CheckConstraint("count > 0 AND grace_hours >= 0 AND remedy_value > 0", name="means_something"),
        CheckConstraint("remedy <> 'refund' OR remedy_value <= 100", name="no_more_than_was_paid"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"))
    version: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str]
    count: Mapped[int]
    every: Mapped[str]
    timezone: Mapped[str]
    grace_hours: Mapped[int]
    remedy: Mapped[str]
    remedy_value: Mapped[int]
    evidence: Mapped[str]
    starts_on: Mapped[date]
    created_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]

    @property
    def state(self) -> str:
        return "active" if self.replaced_at is None else "replaced"


class Period(Base):
    """The n-th stretch [from_at, until_at) of a promise. `evidence` is what was found when it was last looked at."""

    __tablename__ = "promise_periods"
    __table_args__ = (
        UniqueConstraint("promise_id", "n"),
        CheckConstraint(
            "state IN ('scheduled', 'at_risk', 'kept', 'missed', 'excused', 'remedied')", name="known_state"
        ),
        CheckConstraint("until_at > from_at AND due_at >= until_at", name="time_passes"),
        CheckConstraint("(state = 'excused') = (excuse IS NOT NULL)", name="excused_for_a_reason"),
        CheckConstraint("(state IN ('scheduled', 'at_risk')) = (settled_at IS NULL)", name="settled_with_time"),
        Index(
            "ix_promise_periods_open",
            "warn_at",
            postgresql_where=text("state IN ('scheduled', 'at_risk')"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    promise_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("promises.id"))
    n: Mapped[int]
    from_at: Mapped[datetime]
    warn_at: Mapped[datetime]
    until_at: Mapped[datetime]
    due_at: Mapped[datetime]
    state: Mapped[str]
    evidence: Mapped[list[Any]]
    excuse: Mapped[str | None]
    settled_at: Mapped[datetime | None]


class Remedy(Base):
    """What one fan gets for one missed period, once. `refund_id` is set before the processor is asked."""

    __tablename__ = "promise_remedies"
    __table_args__ = (
        UniqueConstraint("period_id", "user_id"),
        CheckConstraint("kind IN ('days', 'refund')", name="known_kind"),
        CheckConstraint("state IN ('owed', 'given', 'failed')", name="known_state"),
        CheckConstraint("(state = 'failed') = (why IS NOT NULL)", name="failed_for_a_reason"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    period_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("promise_periods.id"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    subscription_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subscriptions.id"))
    kind: Mapped[str]
    value: Mapped[int]
    state: Mapped[str]
    why: Mapped[str | None]
    refund_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("refunds.id"))
    created_at: Mapped[datetime]


class Silence(Base):
    """A stretch in which a creator gave no sign of life and renewals were stopped; ended by their return."""

    __tablename__ = "creator_silences"
    __table_args__ = (
        Index("uq_creator_silences_running", "group_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"))
    last_sign_at: Mapped[datetime]
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class StoppedRenewal(Base):
    """A subscription whose renewal was stopped by a silence, so that the return brings back exactly these."""

    __tablename__ = "stopped_renewals"

    silence_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("creator_silences.id"), primary_key=True)
    subscription_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subscriptions.id"), primary_key=True)
