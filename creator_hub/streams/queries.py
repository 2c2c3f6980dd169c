"""Reading streams."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub.streams.models import Stream, StreamEvent


def heads(session: Session, stream_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """The last sequence number of each stream, in one query."""
    rows = session.execute(select(Stream.id, Stream.head).where(Stream.id.in_(list(stream_ids)))).all()
    return {row.id: row.head for row in rows}


def read_after(session: Session, stream_id: uuid.UUID, after_seq: int, limit: int) -> Sequence[StreamEvent]:
    """Up to `limit` events with seq > after_seq, oldest first."""
    return session.scalars(
        select(StreamEvent)
        .where(StreamEvent.stream_id == stream_id, StreamEvent.seq > after_seq)
        .order_by(StreamEvent.seq)
        .limit(limit)
    ).all()


def read_before(session: Session, stream_id: uuid.UUID, before_seq: int, limit: int) -> Sequence[StreamEvent]:
    """Up to `limit` events with seq < before_seq, newest first."""
    return session.scalars(
        select(StreamEvent)
        .where(StreamEvent.stream_id == stream_id, StreamEvent.seq < before_seq)
        .order_by(StreamEvent.seq.desc())
        .limit(limit)
    ).all()
