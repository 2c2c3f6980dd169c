"""Ballot boxes and polls.

A *ballot box* is one vote: its method, who may vote, the options and the ballots. A poll is a box with a question; a
round of a story chain opens one for its shortlist.

Secrecy. `Voter` says that a person has voted, `Ballot` says what was chosen; for anonymous boxes nothing in the
database joins the two. A ballot's receipt is HMAC(server secret, box key, person): while the box is open the server can
find a person's ballot again to replace it, and the box key is destroyed when it closes. From then on nobody can tell
whose ballot it was but the person who holds the receipt.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from creator_hub.core.base import Base

HEAVIEST = 3


class BallotBox(Base):
    """One vote. `weights` maps tier ids to how much a ballot of that tier counts (1 to 3, as text); others count 1.
    `max_choices` None: as many as there are options. The rules are fixed when the box is made; the database refuses to
    change them."""

    __tablename__ = "ballot_boxes"
    __table_args__ = (
        CheckConstraint(
            "method IN ('plurality', 'approval', 'score', 'star', 'irv', 'schulze', 'stv')", name="known_method"
        ),
        CheckConstraint("identity IN ('public', 'anonymous')", name="known_identity"),
        CheckConstraint("results IN ('live', 'sealed')", name="known_results"),
        CheckConstraint("seats > 0 AND min_choices > 0 AND max_choices >= min_choices", name="choices_possible"),
        CheckConstraint("(closed_at IS NULL) = (result IS NULL)", name="closed_with_result"),
        CheckConstraint("(closed_at IS NULL) = (ballot_key IS NOT NULL)", name="key_dies_at_close"),
        Index("ix_ballot_boxes_open", "closes_at", postgresql_where="closed_at IS NULL"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channels.id"), index=True)
    method: Mapped[str]
    seats: Mapped[int] = mapped_column(SmallInteger)
    min_choices: Mapped[int] = mapped_column(SmallInteger)
    max_choices: Mapped[int | None] = mapped_column(SmallInteger)
    identity: Mapped[str]
    results: Mapped[str]
    revote: Mapped[bool]
    min_tier_rank: Mapped[int] = mapped_column(SmallInteger)
    min_member_hours: Mapped[int]
    weights: Mapped[dict[str, Any]]
    quorum: Mapped[int | None]
    closes_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    ballot_key: Mapped[str | None]
    result: Mapped[dict[str, Any] | None]

    def is_over(self, at: datetime) -> bool:
        """Closed, or past its deadline although nobody has counted yet."""
        return self.closed_at is not None or (self.closes_at is not None and self.closes_at <= at)


class Option(Base):
    """What can be chosen. For a round, `id` is the proposal's. `folded` is the text without regard to case and spaces:
    no poll has the same option twice. What a member added may be `waiting` for approval, or `refused`."""

    __tablename__ = "ballot_options"
    __table_args__ = (
        UniqueConstraint("box_id", "position"),
        UniqueConstraint("box_id", "folded"),
        CheckConstraint("state IN ('standing', 'waiting', 'refused')", name="known_state"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    box_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("ballot_boxes.id"))
    position: Mapped[int] = mapped_column(SmallInteger)
    text: Mapped[str]
    folded: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="standing")
    added_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"), index=True)


class Voter(Base):
    """That a person has voted: the one-ballot-each rule as a key."""

    __tablename__ = "voters"

    box_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("ballot_boxes.id"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)


class Ballot(Base):
    """What was chosen. No time and no ordered id: neither may hint at who it was. `user_id` is for public boxes."""

    __tablename__ = "ballots"
    __table_args__ = (CheckConstraint(f"weight BETWEEN 1 AND {HEAVIEST}", name="weight_cap"),)

    receipt: Mapped[str] = mapped_column(primary_key=True)
    box_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("ballot_boxes.id"), index=True)
    weight: Mapped[Decimal] = mapped_column(Numeric(3, 2))
    body: Mapped[dict[str, Any]]
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))


class Poll(Base):
    """A question put to a channel; its id is its ballot box's. `opened_seq` is where the stream announced it. `adding`:
    who may add options while it runs; with `approval` members may, and the staff lets them stand."""

    __tablename__ = "polls"
    __table_args__ = (
        CheckConstraint("(opened_at IS NULL) = (opened_seq IS NULL)", name="opened_with_event"),
        CheckConstraint("adding IN ('staff', 'members', 'approval')", name="known_adding"),
        Index("ix_polls_scheduled", "opens_at", postgresql_where="opened_at IS NULL"),
    )

    id: Mapped[uuid.UUID] = mapped_column(ForeignKey("ballot_boxes.id"), primary_key=True)
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channels.id"), index=True)
    title: Mapped[str]
    shuffle: Mapped[bool]
    quiz: Mapped[dict[str, Any] | None]
    adding: Mapped[str]
    created_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    opens_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    opened_seq: Mapped[int | None]
