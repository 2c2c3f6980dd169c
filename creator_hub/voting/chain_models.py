"""Story chains: an immutable tree of episodes that grows by rounds.

A proposal *is* an episode: its text is written once and never changed; the round only decides whether the canon goes
through it. Canon is not stored but read: the path from the root to the chain's head.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from creator_hub.core.base import Base

UNDER_WAY = ("writing", "shortlist", "voting")
LONGEST_EPISODE = 20_000


class Chain(Base):
    """A story in a channel. `rules` are the contract's, fixed when the chain begins."""

    __tablename__ = "chains"
    __table_args__ = (
        ForeignKeyConstraint(
            ("id", "head_episode_id"),
            ("episodes.chain_id", "episodes.id"),
            name="fk_chains_head_in_chain",
            use_alter=True,
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"), index=True)
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channels.id"))
    title: Mapped[str]
    premise: Mapped[str]
    rules: Mapped[dict[str, Any]]
    head_episode_id: Mapped[uuid.UUID | None]
    created_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]


class Round(Base):
    """One step of a chain: who writes the episode after `parent_episode_id`. At most one is under way per chain. From
    the moment of voting on, a ballot box of the same id holds the ballots."""

    __tablename__ = "rounds"
    __table_args__ = (
        CheckConstraint("state IN ('writing', 'shortlist', 'voting', 'decided', 'void')", name="known_state"),
        CheckConstraint("(state = 'decided') = (winner_id IS NOT NULL)", name="decided_with_winner"),
        CheckConstraint("(state IN ('decided', 'void')) = (decided_at IS NOT NULL)", name="ended_with_time"),
        Index(
            "uq_rounds_one_under_way",
            "chain_id",
            unique=True,
            postgresql_where="state IN ('writing', 'shortlist', 'voting')",
        ),
        ForeignKeyConstraint(
            ("chain_id", "parent_episode_id"),
            ("episodes.chain_id", "episodes.id"),
            name="fk_rounds_parent_in_chain",
            use_alter=True,
        ),
        ForeignKeyConstraint(
            ("chain_id", "winner_id"),
            ("episodes.chain_id", "episodes.id"),
            name="fk_rounds_winner_in_chain",
            use_alter=True,
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    chain_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("chains.id"), index=True)
    parent_episode_id: Mapped[uuid.UUID | None]
    state: Mapped[str]
    opened_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    opened_at: Mapped[datetime]
    writing_closes_at: Mapped[datetime]
    voting_closes_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    winner_id: Mapped[uuid.UUID | None]
    vetoed: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str | None]


class Episode(Base):
    """One text of the tree. Stored states: `proposed` while its round is under way, `vetoed`, and `alternate` for what
    is settled; what of that lies on the path to the head is shown as `canon`."""

    __tablename__ = "episodes"
    __table_args__ = (
        UniqueConstraint("chain_id", "id"),
        CheckConstraint("state IN ('proposed', 'alternate', 'vetoed')", name="known_state"),
        CheckConstraint("depth > 0 AND (depth = 1) = (parent_id IS NULL)", name="depth_from_root"),
        CheckConstraint(f"char_length(body) <= {LONGEST_EPISODE}", name="body_length"),
        ForeignKeyConstraint(
            ("chain_id", "parent_id"), ("episodes.chain_id", "episodes.id"), name="fk_episodes_parent_in_chain"
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    chain_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("chains.id"))
    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("rounds.id"), index=True)
    parent_id: Mapped[uuid.UUID | None]
    depth: Mapped[int] = mapped_column(SmallInteger)
    author_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    title: Mapped[str]
    body: Mapped[str]
    licence: Mapped[str]
    state: Mapped[str]
    shortlisted: Mapped[bool] = mapped_column(default=False)
    written_at: Mapped[datetime]


class EpisodeLike(Base):
    """One person's like of one proposal."""

    __tablename__ = "episode_likes"

    episode_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("episodes.id"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
