"""Writing to streams. Whoever appends holds the stream's row lock until the commit."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from creator_hub.core import clock
from creator_hub.core.errors import NotFound
from creator_hub.streams import hints
from creator_hub.streams.models import Stream, StreamEvent


@dataclass(frozen=True, slots=True)
class Evict:
    """Take a person's sockets out of the stream before the row that carries this is emitted.

    `reason` is one of the contract's: banned, left, expired, refunded, disputed, suspended, signed_out, tier.
    """

    user_id: uuid.UUID
    reason: str

    def as_json(self) -> dict[str, str]:
        return {key: str(value) for key, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Entry:
    """An event to be appended. `data` is asked for the payload once the event's seq is known."""

    data: Callable[[int], dict[str, Any]]
    author_id: uuid.UUID | None = None
    client_msg_id: uuid.UUID | None = None
    subject_id: uuid.UUID | None = None
    evict: Evict | None = None


def create(session: Session, stream_id: uuid.UUID) -> None:
    """Begin a stream at head 0; doing it twice changes nothing."""
    session.execute(insert(Stream).values(id=stream_id, head=0).on_conflict_do_nothing())


def lock(session: Session, stream_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Lock streams in id order (so that two writers never wait for each other in a ring); returns their heads."""
    wanted = sorted(set(stream_ids))
    rows = session.execute(
        select(Stream.id, Stream.head).where(Stream.id.in_(wanted)).order_by(Stream.id).with_for_update()
    ).all()
    if len(rows) != len(wanted):
        raise NotFound
    return {row.id: row.head for row in rows}


def append(
    session: Session,
    stream_id: uuid.UUID,
    kind: str,
    data: dict[str, Any],
    *,
    author_id: uuid.UUID | None = None,
    client_msg_id: uuid.UUID | None = None,
    subject_id: uuid.UUID | None = None,
    evict: Evict | None = None,
) -> StreamEvent:
    """Add one event and return it with its `seq`. Takes (or already holds) the row lock until the commit, which is what
    makes sequence order equal commit order; the hint goes out after the commit."""
    entry = Entry(lambda _: data, author_id, client_msg_id, subject_id, evict)
    return append_all(session, stream_id, kind, [entry])[0]


def append_all(session: Session, stream_id: uuid.UUID, kind: str, entries: Sequence[Entry]) -> list[StreamEvent]:
    """Add several events of one kind in this order, one after the other in the sequence."""
    head = session.scalar(
        update(Stream).where(Stream.id == stream_id).values(head=Stream.head + len(entries)).returning(Stream.head)
    )
    if head is None:
        raise NotFound
    first, at = head - len(entries) + 1, clock.now()
    events = [
        StreamEvent(
            stream_id=stream_id,
            seq=seq,
            kind=kind,
            at=at,
            author_id=entry.author_id,
            client_msg_id=entry.client_msg_id,
            subject_id=entry.subject_id,
            data=entry.data(seq),
            evicts=entry.evict.as_json() if entry.evict else None,
        )
        for seq, entry in enumerate(entries, first)
    ]
    session.add_all(events)
    session.flush()
    hints.after_commit(session, stream_id, head)
    return events


def find_by_client_id(
    session: Session, stream_id: uuid.UUID, author_id: uuid.UUID, client_msg_id: uuid.UUID
) -> StreamEvent | None:
    """The event a client already sent under this id, if any: a retry gets the first answer again."""
    return session.scalars(
        select(StreamEvent).where(
            StreamEvent.stream_id == stream_id,
            StreamEvent.author_id == author_id,
            StreamEvent.client_msg_id == client_msg_id,
        )
    ).one_or_none()


def rewrite(session: Session, stream_id: uuid.UUID, seq: int, data: dict[str, Any]) -> None:
    """Replace an old payload by its tombstone. The row stays: a deletion leaves no hole in the sequence."""
    session.execute(
        update(StreamEvent).where(StreamEvent.stream_id == stream_id, StreamEvent.seq == seq).values(data=data)
    )
