"""Randomised holdouts: who was drawn to be invited, and who to be left alone."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from creator_hub.core.base import Base


class Holdout(Base):
    """One campaign whose invitations go to a random part of a named list. Nothing of it can be changed later: a draw
    that is touched midway proves nothing."""

    __tablename__ = "holdouts"
    __table_args__ = (
        UniqueConstraint("group_id", "campaign"),
        CheckConstraint("audience IN ('past_members', 'people')", name="known_audience"),
        CheckConstraint("held_back_percent BETWEEN 5 AND 90", name="some_held_back"),
        CheckConstraint("ends_at > starts_at", name="time_passes"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"))
    campaign: Mapped[str]
    audience: Mapped[str]
    held_back_percent: Mapped[int] = mapped_column(SmallInteger)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    created_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))


class HoldoutPerson(Base):
    """One person of the list, drawn to be `invited` or not."""

    __tablename__ = "holdout_people"

    holdout_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("holdouts.id"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    invited: Mapped[bool]
