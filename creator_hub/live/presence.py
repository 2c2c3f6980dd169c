"""Who is here: a hint gathered over all processes in Redis, told to a channel when it changes. May be dropped.

Each process keeps its own people of a channel under its own field; fields of processes that died grow old and are
ignored. Nothing depends on it: with Redis away nobody is told who is here, and that is all.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import gevent
import redis

from creator_hub.core import logs
from creator_hub.live.seats import Seats
from creator_hub.streams import hints

EVERY_S = 1.0
REFRESH_S = 20.0
STALE_S = 50.0
SAMPLE = 12
MOST_KEPT = 1_000
log = logs.get(__name__)


class Presence:
    """Tells channels who sits in them, at most once a second each."""

    def __init__(self, seats: Seats, process_id: Callable[[], str]) -> None:
        self.seats = seats
        self._process_id = process_id

    def run(self, redis_url: str) -> None:
        """Gather and tell for ever."""
        if not redis_url:
            return
        client = hints.connect(redis_url, socket_timeout=hints.SOCKET_TIMEOUT_S)
        refreshed = time.monotonic()
        while True:
            gevent.sleep(EVERY_S)
            moved, self.seats.moved = self.seats.moved, set()
            if time.monotonic() - refreshed > REFRESH_S:
                refreshed = time.monotonic()
                moved |= set(self.seats.positions)
            try:
                for channel_id in moved:
                    hints.ephemeral(channel_id, "presence", self._gather(client, channel_id))
            except redis.RedisError as error:
                log.warning("presence_unknown", error=type(error).__name__)

    def _gather(self, client: redis.Redis, channel_id: uuid.UUID) -> dict[str, Any]:
        key, mine = f"hub:presence:{channel_id}", self._process_id()
        here = {seat.connection.face["id"]: seat.connection.face for seat in self.seats.in_channel(channel_id)}
        kept = list(here.values())[:MOST_KEPT]
        pipe = client.pipeline()
        pipe.hset(key, mine, json.dumps({"at": time.time(), "people": kept}))
        pipe.expire(key, int(STALE_S * 2))
        pipe.hgetall(key)
        return presence_of(channel_id, pipe.execute()[-1].values(), time.time())


def presence_of(channel_id: uuid.UUID, fields: Any, now: float) -> dict[str, Any]:
    """The contract's `presence` from every process's field: each person once, however many windows they have open."""
    people: dict[str, dict[str, str]] = {}
    for raw in fields:
        told = json.loads(raw)
        if now - told["at"] <= STALE_S:
            people |= {person["id"]: person for person in told["people"]}
    return {"channel_id": str(channel_id), "online": len(people), "sample": list(people.values())[:SAMPLE]}
