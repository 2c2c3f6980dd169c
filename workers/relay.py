"""Carries outbox rows to RQ: lease, commit, enqueue. A lease that expires is enqueued again."""

from __future__ import annotations

import threading

from redis import RedisError
from rq import Queue
from sqlalchemy.exc import SQLAlchemyError

from creator_hub.core import logs, outbox
from creator_hub.core.db import unit_of_work
from workers.queue import enqueue

BATCH = 100
IDLE_S = 0.1
TROUBLE_S = 1.0
log = logs.get(__name__)


def carry_once(to: Queue) -> int:
    """Move one batch; returns how many rows were enqueued. Leases are given back when Redis will not take them."""
    with unit_of_work() as session:
        ids = [row.id for row in outbox.lease(session, BATCH)]
    if not ids:
        return 0
    try:
        enqueue(to, ids)
    except RedisError:
        with unit_of_work() as session:
            outbox.release(session, ids)
        raise
    return len(ids)


def run(to: Queue, stop: threading.Event) -> None:
    """Carry until told to stop; an engine that is away is waited for."""
    while not stop.is_set():
        try:
            moved = carry_once(to)
        except (SQLAlchemyError, RedisError) as error:
            log.warning("relay_waits", error=type(error).__name__)
            stop.wait(TROUBLE_S)
            continue
        if moved < BATCH:
            stop.wait(IDLE_S)
