"""A rush on one poll: `python -m benchmarks.votes [voters]`, on two web processes.

Every voter sends one ballot as soon as a connection is free, and every tenth sends another at the same time as the
first. Measured: how long the acknowledgements took, whether every accepted ballot is counted once, and how long after
the last acknowledgement the live tally was whole.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import socketio

from benchmarks.world import World, hub
from creator_hub.core.access import Actor
from creator_hub.core.db import unit_of_work
from creator_hub.voting import polls

VOTERS, CONNECTIONS, PATIENCE_S = 2_000, 60, 60.0
_own = threading.local()


def ask(port: int, method: str, path: str, person: int, body: Any = None) -> tuple[int, Any]:
    """One request over this thread's connection to that process."""
    held = getattr(_own, "held", None)
    if held is None:
        held = _own.held = {}
    if port not in held:
        held[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    headers = {"Authorization": f"Bearer bench-{person}", "Content-Type": "application/json"}
    held[port].request(method, f"/api/v1{path}", json.dumps(body) if body is not None else None, headers)
    answer = held[port].getresponse()
    content = answer.read()
    return answer.status, json.loads(content) if content else None


def a_poll(world: World) -> tuple[str, list[str]]:
    with unit_of_work() as session:
        made = polls.create(
            session,
            Actor(user_id=world.mei),
            world.one,
            title="?",
            method="plurality",
            options=["a", "b", "c"],
            weights={},
            opens_at=None,
            closes_at=None,
            shuffle=False,
            quiz=None,
            adding="staff",
            seats=1,
            min_choices=1,
            max_choices=1,
            identity="anonymous",
            results="live",
            revote=True,
            min_tier_rank=0,
            min_member_hours=0,
            quorum=None,
        )
        poll_id = str(made.id)
    _, shown = ask(world.webs[0].port, "GET", f"/polls/{poll_id}", 0)
    return poll_id, [option["id"] for option in shown["options"]]


def listen(world: World, told: list[tuple[float, int]]) -> socketio.Client:
    """A member's socket that notes when each tally came, and the turnout it named."""
    socket = socketio.Client(reconnection=False)
    socket.on("poll.tallied", lambda hint: told.append((time.perf_counter(), hint["turnout"])))
    socket.connect(world.webs[1].url, transports=["websocket"], auth={"token": "bench-0"})
    socket.call("channel.join", {"channel_id": str(world.one)}, timeout=PATIENCE_S)
    return socket


def measure(world: World, voters: int) -> None:
    poll_id, options = a_poll(world)
    told: list[tuple[float, int]] = []
    socket = listen(world, told)
    ports = [web.port for web in world.webs]
    sent = [person for person in range(voters) for _ in range(2 if person % 10 == 0 else 1)]

    def vote(n: int) -> tuple[int, float]:
        person = sent[n]
        began = time.perf_counter()
        status, _ = ask(ports[n % 2], "PUT", f"/polls/{poll_id}/ballot", person, {"choices": [options[person % 3]]})
        return status, time.perf_counter() - began

    began = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        answers = list(pool.map(vote, range(len(sent))))
    ended = time.perf_counter()
    took = sorted(seconds for _, seconds in answers)
    refused = [status for status, _ in answers if status != 200]
    # Whatever was held back at the end is told by the schedule in a running hub; here it is told by asking.
    while not told or told[-1][1] < voters:
        if time.perf_counter() - ended > PATIENCE_S:
            break
        with unit_of_work() as session:
            polls.tellings.tell_late(session)
        time.sleep(0.05)
    _, result = ask(ports[0], "GET", f"/polls/{poll_id}/result", 0)
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(told)]
    counted = sum(int(total) for total in result["raw"]["totals"].values())
    print(f"{voters} voters, {len(sent)} ballots, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"all acknowledged in {ended - began:.1f} s; refused: {refused or 'none'}")
    print(
        f"acknowledgement p50 {statistics.median(took) * 1000:.0f} ms, p99 {took[int(len(took) * 0.99)] * 1000:.0f} ms"
    )
    print(f"counted {counted}, turnout {result['turnout']}")
    if told and told[-1][1] == voters:
        print(f"whole tally {max(0.0, told[-1][0] - ended) * 1000:.0f} ms after the last; {len(told)} hints", end="")
        print(f", never closer than {min(gaps, default=0) * 1000:.0f} ms")
    socket.disconnect()
    if counted != voters or result["turnout"] != voters:
        raise SystemExit("not every accepted ballot is counted once")


def main() -> None:
    voters = int(sys.argv[1]) if len(sys.argv) > 1 else VOTERS
    with hub(voters) as world:
        measure(world, voters)


if __name__ == "__main__":
    main()
