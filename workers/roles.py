"""The three roles of the worker processes.

They live beside `__main__`, not in it: a spawned child imports a role's function by its module, and `__main__` of a
package run with `-m` is not importable there.
"""

from __future__ import annotations

import signal
import threading
from multiprocessing import get_context

from rq import Worker
from rq.serializers import JSONSerializer

from creator_hub.app import wire
from creator_hub.settings import Settings
from workers import relay, schedule
from workers.queue import OwnJob, queue

ROLES = ("jobs", "relay", "schedule")
RESTART_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0


def serve(role: str) -> None:
    """Be one role until told to stop."""
    if role not in ROLES:
        raise SystemExit(f"no role {role!r}: choose one of {', '.join(ROLES)}")
    config = Settings.from_env()
    wire(config)
    if role == "jobs":
        jobs = queue(config.redis_url)
        worker = Worker([jobs], connection=jobs.connection, serializer=JSONSerializer, job_class=OwnJob)
        worker.work(with_scheduler=False)
        return
    stop = _told_to_stop()
    if role == "relay":
        relay.run(queue(config.redis_url), stop)
    else:
        schedule.run(stop)


def serve_all() -> None:
    """Run every role as a child and start again whichever dies: a killed worker costs seconds.

    The pause before a new start doubles with every death, so that a role that cannot start does not eat the machine.
    """
    spawn = get_context("spawn")
    stop = _told_to_stop()
    children = {role: spawn.Process(target=serve, args=(role,), name=role) for role in ROLES}
    for child in children.values():
        child.start()
    pause = RESTART_PAUSE_S
    while not stop.wait(pause):
        dead = [role for role, child in children.items() if not child.is_alive()]
        for role in dead:
            children[role] = spawn.Process(target=serve, args=(role,), name=role)
            children[role].start()
        pause = min(2 * pause, LONGEST_PAUSE_S) if dead else RESTART_PAUSE_S
    for child in children.values():
        child.terminate()
    for child in children.values():
        child.join()


def _told_to_stop() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
