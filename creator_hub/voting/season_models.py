"""Seasons of a story: the rules they froze, and what their contributors are owed. And where each reader stopped."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from creator_hub.core.base import Base


class Season(Base):
    """One season of a chain; one is open at a time. It begins after `after_episode_id` (None: with the story). When it
    is closed, its figures come from the ledger: what the group earned meanwhile, what of it the contributors share."""

    __tablename__ = "seasons"
    __table_args__ = (
        UniqueConstraint("chain_id", "number"),
        Index("uq_seasons_one_open", "chain_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        CheckConstraint("(posted_at IS NULL) = (pool_minor IS NULL)", name="posted_with_pool"),
        CheckConstraint("posted_at IS NULL OR ended_at IS NOT NULL", name="posted_after_its_end"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    chain_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("chains.id"))
    number: Mapped[int] = mapped_column(SmallInteger)
    rules: Mapped[dict[str, Any]]
    started_at: Mapped[datetime]
    after_episode_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("episodes.id"))
    ended_at: Mapped[datetime | None]
    currency: Mapped[str | None]
    revenue_minor: Mapped[int | None] = mapped_column(BigInteger)
    pool_minor: Mapped[int | None] = mapped_column(BigInteger)
    posted_at: Mapped[datetime | None]


class Credit(Base):
    """One contributor's share of a closed season, an exact fraction as text, and its amount once it is posted."""

    __tablename__ = "season_credits"
    __table_args__ = (Index("ix_season_credits_author_id", "author_id"),)

    season_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("seasons.id"), primary_key=True)
    author_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    episodes: Mapped[int] = mapped_column(SmallInteger)
    share: Mapped[str]
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)


class Bookmark(Base):
    """The episode at which a person stopped reading."""

    __tablename__ = "bookmarks"
    __table_args__ = (Index("ix_bookmarks_user_id", "user_id"),)

    chain_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("chains.id"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    episode_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("episodes.id"))
