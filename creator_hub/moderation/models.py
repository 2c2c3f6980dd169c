"""Reports. A report keeps the words as they were, so that an edit after it hides nothing."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from creator_hub.core.base import Base

KINDS = ("spam", "harassment", "hate", "sexual", "violence", "self_harm", "illegal", "other")


class Report(Base):
    """One person's report of one message. All open reports of a message are settled together."""

    __tablename__ = "reports"
    __table_args__ = (
        UniqueConstraint("message_id", "reporter_id"),
        CheckConstraint(f"kind IN {KINDS}", name="known_kind"),
        CheckConstraint("state IN ('open', 'removed', 'dismissed')", name="known_state"),
        CheckConstraint("(state = 'open') = (handled_at IS NULL)", name="handled_once"),
        Index("ix_reports_open", "group_id", "id", postgresql_where="state = 'open'"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    group_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("groups.id"))
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channels.id"))
    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("messages.id"))
    reporter_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    author_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str]
    note: Mapped[str]
    quoted: Mapped[str]
    state: Mapped[str] = mapped_column(default="open")
    created_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
    handled_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    outcome: Mapped[str | None]
