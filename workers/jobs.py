"""Does what an outbox row says. Running it twice is harmless: the row is locked, and done rows are skipped.

An advisory lock keeps a second worker out, for a job may outlive the lease after which its row is enqueued again. A
worker that dies lets go of it with its connection.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

import workers.bindings  # noqa: F401 - fills core.edge.JOBS
from creator_hub.core import db, logs, outbox
from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import JOBS
from creator_hub.core.errors import Unavailable
from creator_hub.core.outbox import OutboxMessage

log = logs.get(__name__)


def run(message_id: str) -> None:
    """Do one effect. A try is counted before it begins, and its failure written on the row, which comes back later."""
    row_id = uuid.UUID(message_id)
    with _alone(row_id) as alone:
        if not alone:
            return
        with unit_of_work() as session:
            row = outbox.begin(session, row_id)
        if row is None:
            return
        try:
            _do(row)
        except Exception as error:
            log.error("job_failed", message=message_id, topic=row.topic, error=type(error).__name__, exc_info=error)
            told = logs.scrub(f"{type(error).__name__}: {error}")
            with unit_of_work() as session:
                (outbox.mark_waiting if _is_away(error) else outbox.mark_failed)(session, row_id, told)
            return
    log.info("job_done", message=message_id, topic=row.topic)


def _do(row: OutboxMessage) -> None:
    """In one transaction with the mark that it is done, or in the units of work the job opens itself around its calls
    to a peer, each safe to repeat: then the row is done when all of them are."""
    job = JOBS[row.topic]
    if not job.transaction:
        job.run(row.payload)
    with unit_of_work() as session:
        held = outbox.claim(session, row.id)
        if held is None:
            return
        if job.transaction:
            job.run(session, held.payload)
        outbox.mark_done(held)


def _is_away(error: Exception) -> bool:
    """Stripe, the mail server or the database cannot be reached: nothing is wrong with the job."""
    return isinstance(error, Unavailable | ConnectionError | TimeoutError | OperationalError)


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
