"""One fact per person, group and day. Facts are derived: `retention rebuild` makes the same ones from the sources."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from creator_hub.core.base import Base


class MembershipFact(Base):
    """What a person was in a group at the end of a UTC day (today: up to now), and whether they came or went that day.

    `annual_minor` is what their running payment comes to in a year: twelve times a monthly price, a yearly price once.
    Kept by the year it adds up exactly; MRR is the sum divided by twelve, rounded once.
    """

    __tablename__ = "membership_facts"
    __table_args__ = (
        CheckConstraint("state IN ('paying', 'trialing', 'grace', 'free', 'gone')", name="known_state"),
        CheckConstraint(
            "left_reason IN ('voluntary', 'payment_failed', 'refunded', 'banned')", name="known_left_reason"
        ),
        CheckConstraint("(state = 'paying') = (annual_minor > 0)", name="only_payers_bring_money"),
        CheckConstraint("(state = 'gone') = (tier_id IS NULL)", name="tier_while_here"),
        CheckConstraint("state <> 'gone' OR left_reason IS NOT NULL", name="gone_for_a_reason"),
    )

    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    tier_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("tiers.id"))
    state: Mapped[str]
    annual_minor: Mapped[int] = mapped_column(BigInteger)
    first_day: Mapped[date]
    first_paid_day: Mapped[date | None]
    joined: Mapped[bool]
    left_reason: Mapped[str | None]


class FactProgress(Base):
    """Up to which moment a group's facts are written. Its row is the lock of whoever writes them."""

    __tablename__ = "fact_progress"

    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"), primary_key=True)
    written_until: Mapped[datetime | None]
