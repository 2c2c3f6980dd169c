"""RQ, with JSON instead of pickle, and with one verb: whoever can write to Redis must not be able to run code here."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from creator_hub.streams.hints import connect

QUEUE = "hub"
JOB_TIMEOUT_S = 300
KEEP_FINISHED_S = 60
RUN = "workers.jobs.run"


class OwnJob(Job):
    """What a worker accepts. RQ imports and calls whatever a queued job names, as its function or its callbacks, and
    sends web requests for it; here a job can only name a row."""

    @property
    def func(self) -> Callable[..., Any]:
        if self.func_name != RUN or self.instance is not None:
            raise ValueError("this queue runs nothing but its own verb")
        function: Callable[..., Any] = super().func
        return function

    def restore(self, raw_data: Any) -> Any:
        super().restore(raw_data)
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks = []


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
