"""Facts and rollups. All are derived: `retention rebuild` makes the same ones from the sources.

What changed is noted by triggers (migration) in `person_changes`, what people do in `activity_marks`, in the
transaction that does it: nothing is missed, however late it comes, and no other room knows of this one.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from creator_hub.core.base import Base

ACTIVITIES = ("visit", "message", "reaction", "vote", "proposal", "like", "question")


class PersonChange(Base):
    """Somebody's stay, payment or ban in a group has changed and their facts are to be made again. Without a person:
    everybody's (the group's days changed with its time zone). `at` is when; the row goes when the work is done."""

    __tablename__ = "person_changes"
    __table_args__ = (Index("ix_person_changes_group_id", "group_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    group_id: Mapped[uuid.UUID]
    user_id: Mapped[uuid.UUID | None]
    at: Mapped[datetime]


class FactProgress(Base):
    """Up to which moment a group's activity is counted. Its row is the lock of whoever writes the group's facts."""

    __tablename__ = "fact_progress"

    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"), primary_key=True)
    counted_until: Mapped[datetime | None]


class MembershipStep(Base):
    """A person's status from `at` to `until`, what it was before, and what the change was. `day` is local."""

    __tablename__ = "membership_steps"
    __table_args__ = (
        CheckConstraint("state IN ('paying', 'trialing', 'grace', 'free', 'gone')", name="known_state"),
        CheckConstraint("left_reason IN ('voluntary', 'payment_failed', 'refunded', 'banned')", name="known_reason"),
        CheckConstraint("(state = 'paying') = (annual_minor > 0)", name="only_payers_bring_money"),
        CheckConstraint("(state = 'gone') = (tier_id IS NULL)", name="tier_while_here"),
        CheckConstraint("until > at", name="time_passes"),
        Index("ix_membership_steps_at", "group_id", "at"),
    )

    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    until: Mapped[datetime | None]
    day: Mapped[date]
    was_state: Mapped[str]
    was_tier_id: Mapped[uuid.UUID | None]
    was_annual_minor: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str]
    tier_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("tiers.id"))
    annual_minor: Mapped[int] = mapped_column(BigInteger)
    joined: Mapped[bool]
    left_reason: Mapped[str | None]
    movement: Mapped[str | None]


class MemberFact(Base):
    """One row per person who ever was in the group: where from, since when, and how long they subscribed at first."""

    __tablename__ = "member_facts"

    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    campaign: Mapped[str | None]
    invite_id: Mapped[uuid.UUID | None]
    first_day: Mapped[date | None]
    first_paid_day: Mapped[date | None]
    first_paid_tier_id: Mapped[uuid.UUID | None]
    subscribed_at: Mapped[datetime | None]
    unsubscribed_at: Mapped[datetime | None]
    trial_at: Mapped[datetime | None]
    trial_day: Mapped[date | None]
    converted: Mapped[bool]


class MembershipCash(Base):
    """What a person paid and got back for a tier on a local day."""

    __tablename__ = "membership_cash"

    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    tier_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tiers.id"), primary_key=True)
    paid_minor: Mapped[int] = mapped_column(BigInteger)
    refunded_minor: Mapped[int] = mapped_column(BigInteger)
    payments: Mapped[int]


class DailyRollup(Base):
    """What a day changed, by tier and origin. The four states and `annual_minor` are changes: their sum over all days
    up to one is the level at its end. The five movements are amounts by the year and count positive."""

    __tablename__ = "daily_rollups"
    __table_args__ = (
        UniqueConstraint(
            "group_id",
            "day",
            "tier_id",
            "campaign",
            "invite_id",
            name="uq_daily_rollups_key",
            postgresql_nulls_not_distinct=True,
        ),
    )

    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"))
    day: Mapped[date] = mapped_column()
    tier_id: Mapped[uuid.UUID | None] = mapped_column()
    campaign: Mapped[str | None] = mapped_column()
    invite_id: Mapped[uuid.UUID | None] = mapped_column()
    paying: Mapped[int] = mapped_column(BigInteger)
    free: Mapped[int] = mapped_column(BigInteger)
    trialing: Mapped[int] = mapped_column(BigInteger)
    grace: Mapped[int] = mapped_column(BigInteger)
    annual_minor: Mapped[int] = mapped_column(BigInteger)
    joins: Mapped[int] = mapped_column(BigInteger)
    voluntary: Mapped[int] = mapped_column(BigInteger)
    payment_failed: Mapped[int] = mapped_column(BigInteger)
    refunded: Mapped[int] = mapped_column(BigInteger)
    banned: Mapped[int] = mapped_column(BigInteger)
    new: Mapped[int] = mapped_column(BigInteger)
    expansion: Mapped[int] = mapped_column(BigInteger)
    contraction: Mapped[int] = mapped_column(BigInteger)
    churn: Mapped[int] = mapped_column(BigInteger)
    reactivation: Mapped[int] = mapped_column(BigInteger)
    trials: Mapped[int] = mapped_column(BigInteger)
    conversions: Mapped[int] = mapped_column(BigInteger)
    paid_minor: Mapped[int] = mapped_column(BigInteger)
    refunded_minor: Mapped[int] = mapped_column(BigInteger)
    payments: Mapped[int] = mapped_column(BigInteger)

    __mapper_args__ = {  # noqa: RUF012 - read once, by the mapper
        "primary_key": [group_id, day, tier_id, campaign, invite_id],
    }


class CohortRollup(Base):
    """What a month or week (`grain`, by its first day) changed for the people of one cohort: who first came (`basis`
    joined) or first paid (`paid`) in the period `cohort`. `people` is a change; `net_minor` is cash less refunds."""

    __tablename__ = "cohort_rollups"

    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"), primary_key=True)
    basis: Mapped[str] = mapped_column(primary_key=True)
    grain: Mapped[str] = mapped_column(primary_key=True)
    cohort: Mapped[date] = mapped_column(primary_key=True)
    period: Mapped[date] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    people: Mapped[int] = mapped_column(BigInteger)
    net_minor: Mapped[int] = mapped_column(BigInteger)


class Snapshot(Base):
    """What takes too long to work out for every reader: survival by tier, the forecast, and who may leave. Made again
    by the worker at most once an hour."""

    __tablename__ = "insight_snapshots"

    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"), primary_key=True)
    made_at: Mapped[datetime]
    body: Mapped[dict[str, Any]]


class ActivityMark(Base):
    """How often a person did a thing in a group within a quarter of an hour. A vote is noted without its ballot; what
    day somebody voted says nothing of what they voted for."""

    __tablename__ = "activity_marks"
    __table_args__ = (Index("ix_activity_marks_at", "at", postgresql_using="brin"),)

    group_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    times: Mapped[int]


class ActivityDay(Base):
    """What a person did in a group on a local day."""

    __tablename__ = "activity_days"

    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    visit: Mapped[int]
    message: Mapped[int]
    reaction: Mapped[int]
    vote: Mapped[int]
    proposal: Mapped[int]
    like: Mapped[int]
    question: Mapped[int]


class ActivityRollup(Base):
    """How lively a local day was. Active people are the group's members, never its owner; `active_7` and `active_30`
    count those of that many days up to this one. `voters`, `proposers` and `askers` count people."""

    __tablename__ = "activity_rollups"

    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    active: Mapped[int]
    active_7: Mapped[int]
    active_30: Mapped[int]
    messages: Mapped[int] = mapped_column(BigInteger)
    creator_messages: Mapped[int] = mapped_column(BigInteger)
    voters: Mapped[int]
    proposers: Mapped[int]
    askers: Mapped[int]
