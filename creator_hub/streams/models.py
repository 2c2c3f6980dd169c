"""Streams and their events. `seq` counts 1, 2, 3 … per stream without gaps, in commit order."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from creator_hub.core.base import Base

# The highest UUID there is: streams are locked in id order, so the account log is always locked last and shortest.
ACCOUNT_LOG = uuid.UUID(int=2**128 - 1)


class Stream(Base):
    """One ordered log. Its row is the lock that makes sequence order equal commit order."""

    __tablename__ = "streams"
    __table_args__ = (CheckConstraint("head >= 0", name="head_not_negative"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    head: Mapped[int] = mapped_column(BigInteger, default=0)


class StreamEvent(Base):
    """One durable event. `data` is what every viewer gets; `evicts` is for the live edge alone and never leaves it:
    `{"user_id": …, "reason": …}` takes that person's sockets out of the channel before this row is emitted."""

    __tablename__ = "stream_events"
    __table_args__ = (
        UniqueConstraint("stream_id", "author_id", "client_msg_id"),
        CheckConstraint("seq > 0", name="seq_positive"),
        Index("ix_stream_events_subject", "subject_id", postgresql_where="subject_id IS NOT NULL"),
    )

    stream_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("streams.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str]
    at: Mapped[datetime]
    author_id: Mapped[uuid.UUID | None]
    client_msg_id: Mapped[uuid.UUID | None]
    subject_id: Mapped[uuid.UUID | None]
    data: Mapped[dict[str, Any]]
    evicts: Mapped[dict[str, Any] | None]
