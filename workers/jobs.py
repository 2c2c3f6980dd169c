"""Does what an outbox row says. Running it twice is harmless: the row is locked, and done rows are skipped."""

from __future__ import annotations

import uuid
from typing import Any

import workers.bindings  # noqa: F401 - fills core.edge.JOBS
from creator_hub.core import logs, outbox
from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import JOBS, Job

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
        payload = row.payload
    _do_across_the_network(job, row_id, payload)
    return job.topic


def _do_across_the_network(job: Job, row_id: uuid.UUID, payload: dict[str, Any]) -> None:
    """The job opens its own units of work, each safe to repeat; the row is done when all of them are."""
    job.run(payload)
    with unit_of_work() as session:
        row = outbox.claim(session, row_id)
        if row is not None:
            outbox.mark_done(row)
