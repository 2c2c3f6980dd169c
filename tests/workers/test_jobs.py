"""A job takes effect once, whoever asks for it how often; and nothing but our own verb can be asked for."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import uuid
import zlib
from collections.abc import Iterator
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from redis import Redis
from rq import Callback, SimpleWorker
from sqlalchemy import select

from creator_hub import cli
from creator_hub.core import clock, db, outbox
from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import JOBS, job
from creator_hub.core.errors import Unavailable
from creator_hub.core.outbox import OutboxMessage
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


KILLS, INNOCENT = "test.kills_its_worker", "test.innocent"


@pytest.fixture
def killer() -> Iterator[None]:
    """A job that takes its worker with it, as running out of memory would, and one that does not."""
    job(KILLS)(lambda session, payload: os.kill(os.getpid(), signal.SIGKILL))
    job(INNOCENT)(lambda session, payload: None)
    yield
    del JOBS[KILLS], JOBS[INNOCENT]


def recorded(topic: str) -> uuid.UUID:
    with unit_of_work() as session:
        outbox.record(session, topic, {})
    with unit_of_work() as session:
        return session.scalars(select(OutboxMessage.id).where(OutboxMessage.topic == topic)).one()


def in_a_worker_of_its_own(database: str, row: uuid.UUID) -> int | None:
    """Run the job in a child; returns how that ended."""

    def work() -> None:
        db.configure(database, pool_size=1)
        jobs.run(str(row))

    db.dispose()
    child = get_context("fork").Process(target=work)
    child.start()
    child.join(60)
    db.configure(database, pool_size=5)
    return child.exitcode


def test_a_job_that_kills_its_worker_is_put_aside_after_three_and_blocks_nobody(database: str, killer: None) -> None:
    poison, other = recorded(KILLS), recorded(INNOCENT)
    ends = [in_a_worker_of_its_own(database, poison) for _ in range(3)]
    assert ends == [-signal.SIGKILL] * 3
    assert in_a_worker_of_its_own(database, poison) == 0
    jobs.run(str(other))
    with unit_of_work() as session:
        row = session.get_one(OutboxMessage, poison)
        assert (row.attempts, row.quarantined_at is not None, row.done_at) == (3, True, None)
        assert "died" in (row.error or "")
        assert session.get_one(OutboxMessage, other).done_at is not None
        assert outbox.lease(session, 10) == []


def test_an_operator_sees_what_is_stuck_and_lets_it_try_again(app: Flask, peer: SlowPeer) -> None:
    peer.may_answer.set()
    with unit_of_work() as session:
        outbox.record(session, TOPIC, {})
        outbox.record(session, "test.nobody_knows_it", {})
    with unit_of_work() as session:
        stuck = session.scalars(select(OutboxMessage.id).where(OutboxMessage.topic != TOPIC)).one()
    for _ in range(3):
        jobs.run(str(stuck))
    runner = app.test_cli_runner()
    shown = runner.invoke(cli.jobs_group, ["stuck"])
    assert (shown.exit_code, str(stuck) in shown.output) == (1, True)
    job("test.nobody_knows_it")(lambda session, payload: None)  # the release that was missing a job is out
    assert runner.invoke(cli.jobs_group, ["retry", str(stuck)]).exit_code == 0
    jobs.run(str(stuck))
    del JOBS["test.nobody_knows_it"]
    assert runner.invoke(cli.jobs_group, ["stuck"]).exit_code == 0


def test_a_peer_that_stays_away_for_hours_is_waited_for(database: str) -> None:
    def away(payload: dict[str, Any]) -> None:
        raise Unavailable

    job(TOPIC, transaction=False)(away)
    row = leased()
    began = clock.now()
    waits = []
    try:
        for hours in (0.0, 0.001, 0.02, 1, 5, 24, 71):
            with time_machine.travel(began + timedelta(hours=hours), tick=False):
                jobs.run(str(row))
                with unit_of_work() as session:
                    found = session.get_one(OutboxMessage, row)
                    assert (found.attempts, found.quarantined_at) == (0, None)
                    waits.append((found.due_at - clock.now()).total_seconds())
        for tries in range(1, 4):
            with time_machine.travel(began + timedelta(days=3 + tries), tick=False):
                jobs.run(str(row))
        with unit_of_work() as session:
            assert session.get_one(OutboxMessage, row).quarantined_at is not None
    finally:
        del JOBS[TOPIC]
    assert waits[0] == 20
    assert waits == sorted(waits)
    assert waits[-1] == 300


def test_a_pickled_payload_is_refused_unread(database: str, redis_url: str, tmp_path: Path) -> None:
    hub, made = queue(redis_url), tmp_path / "made"

    class Bomb:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(made),)

    sent = hub.enqueue_call(RUN, args=(str(uuid.uuid4()),))
    assert isinstance(hub.connection, Redis)
    for field in ("data", "meta", "result"):
        hub.connection.hset(sent.key, field, zlib.compress(pickle.dumps(Bomb())))
    worker = SimpleWorker([hub], connection=hub.connection, serializer=hub.serializer, job_class=OwnJob)
    worker.work(burst=True, logging_level="CRITICAL")
    hub.connection.hset(sent.key, "data", pickle.dumps((RUN, None, (str(uuid.uuid4()),), {})))
    with pytest.raises(Exception):  # noqa: B017 - whatever the serializer says of it
        _ = OwnJob.fetch(sent.id, connection=hub.connection, serializer=hub.serializer).args
    assert not made.exists()


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
