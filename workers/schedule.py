"""Work that is due by the clock. One process at a time: whoever holds the advisory lock is the schedule."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from creator_hub.chat import removal, uploads
from creator_hub.core import db, idempotency, logs
from creator_hub.core.db import unit_of_work
from creator_hub.groups import entitlements
from creator_hub.insights import service as insights
from creator_hub.money import minimum_balance, poller, recognition, reconciliation
from creator_hub.promises import judging, silence
from creator_hub.voting import polls, rounds, tellings
from creator_hub.web import digest
from workers import finance

SCHEDULE_LOCK = 7_260_119  # any number, the same in every process
TICK_S = 0.2
TROUBLE_S = 1.0
log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Periodic:
    """A verb that runs every so many seconds of real time, in a unit of work of its own."""

    name: str
    every_s: float
    run: Callable[[Session], object]


PERIODIC: tuple[Periodic, ...] = (
    Periodic("check_ledger", 3600, finance.check_ledger),
    Periodic("earn_what_was_given", 60, recognition.earn_due),
    Periodic("keep_back_what_is_owed", 60, minimum_balance.ask_to_keep_back),
    Periodic("forget_idempotency_keys", 3600, idempotency.forget_old),
    Periodic("forget_removed_texts", 3600, removal.forget_removed),
    Periodic("forget_uploads", 3600, uploads.ask_to_forget),
    Periodic("announce_expired", 1, entitlements.announce_expired),
    Periodic("poll_stripe", 60, poller.ask_for_poll),
    Periodic("read_stripes_balance", 600, reconciliation.ask_for_sync),
    Periodic("refresh_membership_facts", 1, insights.ask_for_refresh),
    Periodic("weekly_digest", 600, digest.ask_due),
    Periodic("promises_keep_time", 30, judging.keep_time),
    Periodic("watch_for_silence", 600, silence.watch),
    Periodic("count_activity", 60, insights.ask_for_count),
    Periodic("tell_tallies", 0.2, tellings.tell_late),
    Periodic("polls_keep_time", 1, polls.keep_time),
    Periodic("rounds_keep_time", 1, rounds.keep_time),
)


def run(stop: threading.Event) -> None:
    """Wait for the lock, then keep the schedule until told to stop or the connection is lost."""
    while not stop.is_set():
        try:
            with db.engine().connect() as connection:
                held = connection.execute(text("SELECT pg_try_advisory_lock(:n)"), {"n": SCHEDULE_LOCK}).scalar()
                connection.commit()
                if held:
                    _keep(stop, connection)
        except SQLAlchemyError as error:
            log.warning("schedule_waits", error=type(error).__name__)
        stop.wait(TROUBLE_S)


def _keep(stop: threading.Event, lock: Connection) -> None:
    due = dict.fromkeys(PERIODIC, 0.0)
    while not stop.is_set():
        lock.execute(text("SELECT 1"))  # raises when the connection, and with it the lock, is gone
        lock.commit()
        now = time.monotonic()
        for task in PERIODIC:
            if due[task] <= now:
                due[task] = now + task.every_s
                run_task(task)
        stop.wait(TICK_S)


def run_task(task: Periodic) -> None:
    """Run one task; a failure is logged and the task comes round again, the others are not held up."""
    try:
        with unit_of_work() as session:
            task.run(session)
    except Exception as error:
        log.error("periodic_failed", task=task.name, error=type(error).__name__, exc_info=error)
