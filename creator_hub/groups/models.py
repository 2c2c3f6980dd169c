"""What a group is made of. Access is computed from entitlement intervals and now; nothing stores "is_paid"."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from creator_hub.accounts.models import HANDLE_PATTERN
from creator_hub.core.base import Base
from creator_hub.core.money import Money

SLOWEST_S = 21_600


class Group(Base):
    """A creator's fan group. `hidden` groups do not exist for strangers."""

    __tablename__ = "groups"
    __table_args__ = (
        CheckConstraint(f"handle ~ '{HANDLE_PATTERN}'", name="handle_form"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_form"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    handle: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    about: Mapped[str]
    currency: Mapped[str]
    hidden: Mapped[bool] = mapped_column(default=False)
    timezone: Mapped[str] = mapped_column(default="UTC", server_default="UTC")  # whose days the figures count
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]


class Tier(Base):
    """A level of membership. The free tier has rank 0 and price 0; a higher rank sees more. Deleting archives."""

    __tablename__ = "tiers"
    __table_args__ = (
        CheckConstraint("price_minor >= 0", name="price_not_negative"),
        CheckConstraint("(rank = 0) = (price_minor = 0)", name="only_rank_0_is_free"),
        CheckConstraint("interval IN ('month', 'year')", name="known_interval"),
        CheckConstraint("seat_limit > 0", name="seats_positive"),
        Index("uq_tiers_one_free", "group_id", unique=True, postgresql_where="rank = 0 AND archived_at IS NULL"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"), index=True)
    name: Mapped[str]
    price_minor: Mapped[int] = mapped_column(Integer)
    currency: Mapped[str]
    interval: Mapped[str]
    benefits: Mapped[list[Any]]
    rank: Mapped[int] = mapped_column(SmallInteger)
    seat_limit: Mapped[int | None]
    created_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.currency)

    @property
    def is_free(self) -> bool:
        return self.rank == 0


class Channel(Base):
    """A room of a group; its id is also its stream's id. Members of `min_tier_rank` and above may enter; each of them
    writes at most once in `slow_seconds` (0: no limit)."""

    __tablename__ = "channels"
    __table_args__ = (
        CheckConstraint("kind IN ('talk', 'announcement')", name="known_kind"),
        CheckConstraint("min_tier_rank >= 0", name="rank_not_negative"),
        CheckConstraint(f"slow_seconds BETWEEN 0 AND {SLOWEST_S}", name="slow_mode"),
        UniqueConstraint("group_id", "name"),
    )

    id: Mapped[uuid.UUID] = mapped_column(ForeignKey("streams.id"), primary_key=True)
    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"), index=True)
    name: Mapped[str]
    kind: Mapped[str]
    min_tier_rank: Mapped[int] = mapped_column(SmallInteger)
    slow_seconds: Mapped[int] = mapped_column(SmallInteger, default=0)
    created_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]


class Membership(Base):
    """A person's belonging to a group: one row per person and group, kept for good. Leaving sets `left_at`.

    `campaign` and `invite_id` are what brought the person first; what brought them back is on the entitlement.
    """

    __tablename__ = "memberships"
    __table_args__ = (
        UniqueConstraint("group_id", "user_id"),
        CheckConstraint("role IN ('member', 'moderator')", name="known_role"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    role: Mapped[str] = mapped_column(default="member")
    since: Mapped[datetime]
    left_at: Mapped[datetime | None]
    left_reason: Mapped[str | None]
    campaign: Mapped[str | None]
    invite_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("invites.id"))


class Entitlement(Base):
    """An interval in which a person holds a tier: [starts_at, ends_at), open when `ends_at` is null.

    (source, source_id) names what granted it (a subscription, a gift, an invite, the free join), so that granting twice
    is one grant. `campaign` and `invite_id` are of the invitation that was redeemed for it.
    """

    __tablename__ = "entitlements"
    __table_args__ = (
        UniqueConstraint("source", "source_id"),
        CheckConstraint("source IN ('free', 'subscription', 'gift', 'invite')", name="known_source"),
        CheckConstraint("ends_at >= starts_at", name="ends_after_start"),
        Index("ix_entitlements_person", "group_id", "user_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    tier_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tiers.id"))
    source: Mapped[str]
    source_id: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None]
    expiry_announced_at: Mapped[datetime | None]
    campaign: Mapped[str | None]
    invite_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("invites.id"))


class Invite(Base):
    """A passcode that remembers the campaign it came from. The constraint, not the code, holds the use cap.

    With `for_user_id` it is one person's own: for everybody else it does not exist.
    """

    __tablename__ = "invites"
    __table_args__ = (CheckConstraint("uses >= 0 AND (max_uses IS NULL OR uses <= max_uses)", name="use_cap"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"), index=True)
    passcode: Mapped[str] = mapped_column(unique=True)
    tier_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("tiers.id"))
    for_user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    campaign: Mapped[str | None]
    max_uses: Mapped[int | None]
    uses: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]


class Ban(Base):
    """Keeps a person out until `until`, or for good. At most one stands per person and group."""

    __tablename__ = "bans"
    __table_args__ = (
        Index("uq_bans_standing", "group_id", "user_id", unique=True, postgresql_where="lifted_at IS NULL"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str]
    until: Mapped[datetime | None]
    created_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]


class Mute(Base):
    """Lets a person read but not write until `until`, or for good. At most one stands per person and group."""

    __tablename__ = "mutes"
    __table_args__ = (
        Index("uq_mutes_standing", "group_id", "user_id", unique=True, postgresql_where="lifted_at IS NULL"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str]
    until: Mapped[datetime | None]
    created_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]


class AuditEntry(Base):
    """Who did what to whom in a group, and why."""

    __tablename__ = "group_audit"
    __table_args__ = (Index("ix_group_audit_group", "group_id", "id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"))
    actor_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    action: Mapped[str]
    subject_id: Mapped[uuid.UUID | None]
    reason: Mapped[str | None]
    at: Mapped[datetime]
