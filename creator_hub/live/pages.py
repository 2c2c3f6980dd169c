"""Catch-up pages: read once for all who ask for the same rows at the same time, encoded once for all who get them.

After a crash a thousand clients come back in one second and miss the same events.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, cast

from gevent.event import AsyncResult
from gevent.lock import BoundedSemaphore

from creator_hub import streams
from creator_hub.core.db import unit_of_work
from creator_hub.core.schemas import rfc3339
from creator_hub.streams import StreamEvent

MOST_READING = 4  # database connections that catching up may hold; the rest of the pool is for the living


class Page:
    """Consecutive events of one channel."""

    __slots__ = ("_encoded", "rows")

    def __init__(self, rows: list[StreamEvent]) -> None:
        self.rows = rows
        self._encoded: list[bytes] = []

    def payloads(self, count: int) -> list[dict[str, Any]]:
        return [event_payload(row) for row in self.rows[:count]]

    def encoded(self, count: int, encode: Callable[[dict[str, Any]], bytes]) -> list[bytes]:
        """The first `count` events, each encoded the first time somebody asks."""
        for row in self.rows[len(self._encoded) : count]:
            self._encoded.append(encode(event_payload(row)))
        return self._encoded[:count]


class Pages:
    """Reads pages; whoever asks for one that is being read waits for that reading."""

    def __init__(self) -> None:
        self._few = BoundedSemaphore(MOST_READING)
        self._reading: dict[tuple[uuid.UUID, int, int], AsyncResult[Page]] = {}

    def read(self, channel_id: uuid.UUID, after: int, limit: int) -> Page:
        key = (channel_id, after, limit)
        if key in self._reading:
            return cast(Page, self._reading[key].get())
        result: AsyncResult[Page] = AsyncResult()
        self._reading[key] = result
        try:
            with self._few, unit_of_work(snapshot=True) as session:
                page = Page(list(streams.read_after(session, channel_id, after, limit)))
        except BaseException as error:
            result.set_exception(error)
            raise
        finally:
            del self._reading[key]
        result.set(page)
        return page


def event_payload(row: StreamEvent) -> dict[str, Any]:
    """The `event` of the contract. `evicts` stays here: nobody learns why another lost access."""
    return {
        "channel_id": str(row.stream_id),
        "seq": row.seq,
        "kind": row.kind,
        "at": rfc3339(row.at),
        "data": row.data,
    }
