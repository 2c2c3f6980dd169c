"""`python -m workers [jobs|relay|schedule]`: one role, or all three in one process group (the default)."""

from __future__ import annotations

import signal
import sys
import threading
from multiprocessing import get_context

from rq import Worker
from rq.serializers import JSONSerializer

from creator_hub.app import wire
from creator_hub.settings import Settings
from workers import relay, schedule
from workers.queue import queue

ROLES = ("jobs", "relay", "schedule")
RESTART_PAUSE_S = 0.5


def serve(role: str) -> None:
    """Be one role until told to stop."""
    config = Settings.from_env()
    wire(config)
    if role == "jobs":
        jobs = queue(config.redis_url)
        Worker([jobs], connection=jobs.connection, serializer=JSONSerializer).work(with_scheduler=False)
        return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if role == "relay":
        relay.run(queue(config.redis_url), stop)
    else:
        schedule.run(stop)


def serve_all() -> None:
    """Run every role as a child and start again whichever dies: a killed worker costs seconds."""
    spawn = get_context("spawn")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    children = {role: spawn.Process(target=serve, args=(role,), name=role) for role in ROLES}
    for child in children.values():
        child.start()
    while not stop.wait(RESTART_PAUSE_S):
        for role, child in children.items():
            if not child.is_alive():
                children[role] = spawn.Process(target=serve, args=(role,), name=role)
                children[role].start()
    for child in children.values():
        child.terminate()
    for child in children.values():
        child.join()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(sys.argv[1])
    else:
        serve_all()
