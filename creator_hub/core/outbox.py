"""Effects to come, written in the transaction that causes them.

A row is an instruction: "topic, payload". The relay leases rows and enqueues jobs; the job's own transaction does the
work and marks the row done. An expired lease is enqueued again, so a dead worker or an emptied Redis costs a minute and
never an effect. A try is counted when it begins, for the job may take its worker with it; after `MAX_ATTEMPTS` the row
is quarantined for a person to look at (`jobs stuck`, `jobs retry`). A peer that is away is waited for instead.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, SmallInteger, UniqueConstraint, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from creator_hub.core import clock, logs
from creator_hub.core.base import Base
from creator_hub.core.errors import NotFound
from creator_hub.core.ids import new_id

MAX_ATTEMPTS = 3
LEASE = timedelta(seconds=60)
log = logs.get(__name__)
# A peer that is away is asked again after half the time that has passed since, but for these bounds: its jobs must not
# keep a worker from the others'. Whoever stays away longer than `PATIENCE` is no longer waited for.
SHORTEST_WAIT, LONGEST_WAIT, PATIENCE = timedelta(seconds=20), timedelta(minutes=5), timedelta(days=3)


class OutboxMessage(Base):
    """One effect to come. `key` makes recording it twice harmless: unique per topic."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("topic", "key"),
        Index("ix_outbox_waiting", "due_at", postgresql_where="done_at IS NULL AND quarantined_at IS NULL"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    topic: Mapped[str]
    key: Mapped[str | None]
    payload: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime]
    due_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    error: Mapped[str | None]
    done_at: Mapped[datetime | None]
    quarantined_at: Mapped[datetime | None]


def record(
    session: Session,
    topic: str,
    payload: dict[str, Any],
    *,
    key: str | None = None,
    due_at: datetime | None = None,
) -> None:
    """Write the effect with the state. `payload` is plain JSON; the same (topic, key) is recorded once."""
    at = clock.now()
    values = {
        "id": new_id(),
        "topic": topic,
        "key": key,
        "payload": payload,
        "recorded_at": at,
        "attempts": 0,
    }
    session.execute(
        insert(OutboxMessage)
        .values(**values, due_at=due_at or at)
        .on_conflict_do_nothing(index_elements=["topic", "key"])
    )


def lease(session: Session, limit: int) -> list[OutboxMessage]:
    """Take up to `limit` due rows that nobody holds, oldest first. Rows another relay is looking at are skipped."""
    at = clock.now()
    rows = session.scalars(
        select(OutboxMessage)
        .where(
            OutboxMessage.done_at.is_(None),
            OutboxMessage.quarantined_at.is_(None),
            OutboxMessage.due_at <= at,
            func.coalesce(OutboxMessage.leased_until, at) <= at,
        )
        .order_by(OutboxMessage.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.leased_until = at + LEASE
    return list(rows)


def claim(session: Session, message_id: uuid.UUID) -> OutboxMessage | None:
    """Lock the row for the job that does its work; None when it is done, quarantined or held by another worker."""
    return session.scalars(
        select(OutboxMessage)
        .where(
            OutboxMessage.id == message_id,
            OutboxMessage.done_at.is_(None),
            OutboxMessage.quarantined_at.is_(None),
        )
        .with_for_update(skip_locked=True)
    ).one_or_none()


def begin(session: Session, message_id: uuid.UUID) -> OutboxMessage | None:
    """Count a try and give its row, or None when there is nothing to do. To be committed before the try begins.

    A row whose last try never came back, neither done nor failed, took its worker with it: it is quarantined here.
    """
    message = claim(session, message_id)
    if message is None:
        return None
    if message.attempts >= MAX_ATTEMPTS:
        _quarantine(message, message.error or "every worker that began this died with it")
        return None
    message.attempts += 1
    return message


def mark_done(message: OutboxMessage) -> None:
    """What was to be done is forgotten with it: a mail holds an address and perhaps a secret link."""
    message.done_at = clock.now()
    message.payload = {}
    message.leased_until = None


def mark_failed(session: Session, message_id: uuid.UUID, error: str) -> None:
    """Back off after a failed try; after `MAX_ATTEMPTS` the row waits for a person. `error` names no secrets."""
    message = claim(session, message_id)
    if message is None:
        return
    message.error = error[:2000]
    message.leased_until = None
    message.due_at = clock.now() + timedelta(seconds=5 * 4**message.attempts)
    if message.attempts >= MAX_ATTEMPTS:
        _quarantine(message, message.error)


def mark_waiting(session: Session, message_id: uuid.UUID, error: str) -> None:
    """The peer is away, which is no fault of the job: come back later, the try does not count."""
    message, at = claim(session, message_id), clock.now()
    if message is None:
        return
    waited = at - message.recorded_at
    if waited > PATIENCE:
        mark_failed(session, message_id, error)
        return
    message.attempts -= 1
    message.error = error[:2000]
    message.leased_until = None
    message.due_at = at + min(max(waited / 2, SHORTEST_WAIT), LONGEST_WAIT)


def _quarantine(message: OutboxMessage, error: str) -> None:
    message.quarantined_at = clock.now()
    message.error = error
    message.leased_until = None
    log.error("job_quarantined", message=str(message.id), topic=message.topic, attempts=message.attempts, error=error)


def stuck(session: Session) -> Sequence[OutboxMessage]:
    """What is quarantined, oldest first."""
    return session.scalars(
        select(OutboxMessage).where(OutboxMessage.quarantined_at.is_not(None)).order_by(OutboxMessage.id)
    ).all()


def retry(session: Session, message_id: uuid.UUID) -> None:
    """Let a quarantined row have its tries again; raises NotFound for any other."""
    message = session.get(OutboxMessage, message_id, with_for_update=True)
    if message is None or message.quarantined_at is None:
        raise NotFound
    message.quarantined_at, message.attempts, message.due_at = None, 0, clock.now()


def release(session: Session, ids: list[uuid.UUID]) -> None:
    """Give leases back at once, when the queue could not take the jobs."""
    session.execute(update(OutboxMessage).where(OutboxMessage.id.in_(ids)).values(leased_until=None))
