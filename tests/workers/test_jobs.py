"""A job takes effect once, whoever asks for it how often; and nothing but our own verb can be asked for."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rq import Callback, SimpleWorker

from creator_hub.core import outbox
from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import JOBS, job
from workers import jobs, relay
from workers.queue import RUN, OwnJob, queue

TOPIC = "test.across_the_network"


class SlowPeer:
    """A peer that answers when it is told to, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.may_answer = threading.Event()
        self.calls = 0
        self.away = False

    def ask(self, payload: dict[str, Any]) -> None:
        self.calls += 1
        self.asked.release()
        if self.away:
            raise OSError("the peer is away")
        assert self.may_answer.wait(20)


@pytest.fixture
def peer() -> Iterator[SlowPeer]:
    slow = SlowPeer()
    job(TOPIC, transaction=False)(slow.ask)
    yield slow
    del JOBS[TOPIC]


def leased() -> uuid.UUID:
    with unit_of_work() as session:
        outbox.record(session, TOPIC, {})
    with unit_of_work() as session:
        (row,) = outbox.lease(session, 10)
        return row.id


def test_a_network_job_that_outlives_its_lease_is_not_begun_by_a_second_worker(database: str, peer: SlowPeer) -> None:
    row = leased()
    first = threading.Thread(target=jobs.run, args=(str(row),))
    first.start()
    assert peer.asked.acquire(timeout=20)
    second = threading.Thread(target=jobs.run, args=(str(row),))
    second.start()
    second.join(3)
    calls_meanwhile = peer.calls
    peer.may_answer.set()
    first.join()
    second.join()
    assert calls_meanwhile == 1
    jobs.run(str(row))
    assert peer.calls == 1
    with unit_of_work() as session:
        assert session.get_one(outbox.OutboxMessage, row).done_at is not None


def test_a_failed_network_job_can_be_tried_again(database: str, peer: SlowPeer) -> None:
    row = leased()
    peer.away = True
    jobs.run(str(row))
    peer.away = False
    peer.may_answer.set()
    jobs.run(str(row))
    assert peer.calls == 2


def test_whoever_can_write_to_the_queue_runs_nothing_but_our_own_verb(
    database: str, redis_url: str, tmp_path: Path
) -> None:
    hub = queue(redis_url)
    made = tmp_path / "made"
    hub.enqueue_call("os.mkdir", args=(str(made),))
    worker = SimpleWorker([hub], connection=hub.connection, serializer=hub.serializer, job_class=OwnJob)
    worker.work(burst=True, logging_level="CRITICAL")
    assert not made.exists()


def test_a_queued_job_brings_no_callback_and_no_webhook_of_its_own(database: str, redis_url: str) -> None:
    hub = queue(redis_url)
    foreign = Callback("os.getcwd")
    sent = hub.enqueue_call(RUN, args=(str(uuid.uuid4()),), on_success=foreign, on_failure=foreign, on_stopped=foreign)
    fetched = OwnJob.fetch(sent.id, connection=hub.connection, serializer=hub.serializer)
    assert (fetched.success_callback, fetched.failure_callback, fetched.stopped_callback) == (None, None, None)
    assert fetched.webhooks == []


def test_what_the_relay_enqueues_is_run(database: str, redis_url: str, peer: SlowPeer) -> None:
    with unit_of_work() as session:
        outbox.record(session, TOPIC, {})
    hub = queue(redis_url)
    assert relay.carry_once(hub) == 1
    peer.may_answer.set()
    worker = SimpleWorker([hub], connection=hub.connection, serializer=hub.serializer, job_class=OwnJob)
    worker.work(burst=True, logging_level="CRITICAL")
    assert peer.calls == 1
