"""Does what an outbox row says. Running it twice is harmless: the row is locked, and done rows are skipped.

A job that talks to the network holds no row while it does; an advisory lock keeps a second worker out instead, for such
a job may outlive the lease after which its row is enqueued again. A worker that dies lets go of it with its connection.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

import workers.bindings  # noqa: F401 - fills core.edge.JOBS
from creator_hub.core import db, logs, outbox
from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import JOBS

log = logs.get(__name__)


def run(message_id: str) -> None:
    """Do one effect. A failure is counted on the row, which comes back later or is quarantined."""
    row_id = uuid.UUID(message_id)
    try:
        topic = _do(row_id)
    except Exception as error:
        log.error("job_failed", message=message_id, error=type(error).__name__, exc_info=error)
        with unit_of_work() as session:
            outbox.mark_failed(session, row_id, f"{type(error).__name__}: {error}")
        return
    log.info("job_done", message=message_id, topic=topic)


def _do(row_id: uuid.UUID) -> str | None:
    with unit_of_work() as session:
        row = outbox.claim(session, row_id)
        if row is None:
            return None
        job = JOBS[row.topic]
        if job.transaction:
            job.run(session, row.payload)
            outbox.mark_done(row)
            return row.topic
    with _alone(row_id) as alone:
        return _do_across_the_network(row_id) if alone else None


def _do_across_the_network(row_id: uuid.UUID) -> str | None:
    """The job opens its own units of work, each safe to repeat; the row is done when all of them are."""
    with unit_of_work() as session:
        row = outbox.claim(session, row_id)  # again: whoever held the lock before may have done it
        if row is None:
            return None
        topic, payload = row.topic, row.payload
    JOBS[topic].run(payload)
    with unit_of_work() as session:
        row = outbox.claim(session, row_id)
        if row is not None:
            outbox.mark_done(row)
    return topic


@contextmanager
def _alone(row_id: uuid.UUID) -> Iterator[bool]:
    """True for the one worker that has this row; the lock belongs to the connection, no transaction is open."""
    key = {"n": row_id.int & (2**63 - 1)}  # the random half of a UUIDv7
    with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        held = bool(connection.execute(text("SELECT pg_try_advisory_lock(:n)"), key).scalar())
        try:
            yield held
        finally:
            if held:
                connection.execute(text("SELECT pg_advisory_unlock(:n)"), key)
