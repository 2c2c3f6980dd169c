"""RQ, with JSON instead of pickle: whoever can write to Redis must not be able to run code here."""

from __future__ import annotations

import uuid

from rq import Queue
from rq.serializers import JSONSerializer

from creator_hub.streams.hints import connect

QUEUE = "hub"
JOB_TIMEOUT_S = 300
KEEP_FINISHED_S = 60
RUN = "workers.jobs.run"


def queue(redis_url: str) -> Queue:
    return Queue(QUEUE, connection=connect(redis_url, socket_timeout=None), serializer=JSONSerializer)


def enqueue(to: Queue, message_ids: list[uuid.UUID]) -> None:
    """Enqueue one job per outbox row; the row's id is all that travels."""
    to.enqueue_many(
        [
            Queue.prepare_data(RUN, args=(str(i),), timeout=JOB_TIMEOUT_S, result_ttl=0, failure_ttl=KEEP_FINISHED_S)
            for i in message_ids
        ]
    )
