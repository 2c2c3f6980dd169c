"""The sockets as the fan-out sees them: a person's window by its sid, a channel's settled windows as a room."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Protocol

import gevent
from flask_socketio import SocketIO
from gevent.event import Event

from creator_hub.core import logs
from creator_hub.live.edge import FastSocketIO
from creator_hub.live.pages import Page

MOST_QUEUED = 256
AT_ONCE = 64 * 1024  # bytes of a catch-up page on their way to one reader
log = logs.get(__name__)


class Wire(Protocol):
    """What the fan-out needs of the sockets."""

    def emit(self, sid: str, event: str, payload: dict[str, Any]) -> None: ...
    def tell(self, channel_id: uuid.UUID, event: str, payload: dict[str, Any]) -> None: ...
    def enter(self, sid: str, channel_id: uuid.UUID) -> None: ...
    def leave(self, sid: str, channel_id: uuid.UUID) -> None: ...
    def parts(self, page: Page, count: int) -> Sequence[Any]: ...
    def hand(self, sid: str, part: Any) -> None: ...
    def wait_for_room(self, sid: str) -> None: ...
    def close(self, sid: str) -> None: ...


def wire_of(socketio: SocketIO) -> Wire:
    return FastSockets(socketio) if isinstance(socketio, FastSocketIO) else StockSockets(socketio)


class Sockets:
    """What both paths do alike, through the public side of Flask-SocketIO."""

    def __init__(self, socketio: SocketIO) -> None:
        self._server = socketio.server

    def emit(self, sid: str, event: str, payload: dict[str, Any]) -> None:
        self._server.emit(event, payload, to=sid)

    def tell(self, channel_id: uuid.UUID, event: str, payload: dict[str, Any]) -> None:
        self._server.emit(event, payload, to=str(channel_id))

    def enter(self, sid: str, channel_id: uuid.UUID) -> None:
        if self._server.manager.is_connected(sid, "/"):
            self._server.enter_room(sid, str(channel_id))

    def leave(self, sid: str, channel_id: uuid.UUID) -> None:
        self._server.leave_room(sid, str(channel_id))

    def close(self, sid: str) -> None:
        self._server.disconnect(sid)


class StockSockets(Sockets):
    """One queue and one writer greenlet for each socket."""

    def tell(self, channel_id: uuid.UUID, event: str, payload: dict[str, Any]) -> None:
        """A reader that lets too much pile up is cut off and will resume."""
        for sid, _ in list(self._server.manager.get_participants("/", str(channel_id))):
            if self._queued(sid) > MOST_QUEUED:
                log.info("slow_reader", sid=sid)
                self.close(sid)
        super().tell(channel_id, event, payload)

    def parts(self, page: Page, count: int) -> Sequence[Any]:
        return page.payloads(count)

    def hand(self, sid: str, part: Any) -> None:
        self.emit(sid, "event", part)

    def wait_for_room(self, sid: str) -> None:
        """Let the socket drain before the next page is read."""
        while self._queued(sid) > 0:
            gevent.sleep(0.01)

    def _queued(self, sid: str) -> int:
        transport = self._server.eio.sockets.get(self._server.manager.eio_sid_from_sid(sid, "/"))
        return transport.queue.qsize() if transport is not None else 0


class FastSockets(Sockets):
    """Straight to the sockets; the edge itself watches for slow readers."""

    def parts(self, page: Page, count: int) -> Sequence[Any]:
        """A few writes of many events, encoded once however many ask for the page."""
        return _runs(page.encoded(count, self._encode))

    def hand(self, sid: str, part: Any) -> None:
        """Counts as no live event: what a reader asked for is waited for, not piled up."""
        connection = self._connection(sid)
        if connection is not None:
            connection.write(part, 0)
            self.wait_for_room(sid)

    def wait_for_room(self, sid: str) -> None:
        connection = self._connection(sid)
        if connection is not None and connection.blocked:
            drained = Event()
            connection.when_drained(drained.set)
            drained.wait()

    def close(self, sid: str) -> None:
        """Take the whole connection down: nothing else is served on it."""
        connection = self._connection(sid)
        super().close(sid)
        if connection is not None:
            connection.close()

    def _connection(self, sid: str) -> Any:
        return self._server.eio.sockets.get(self._server.manager.eio_sid_from_sid(sid, "/"))

    def _encode(self, payload: dict[str, Any]) -> bytes:
        encoded: bytes = self._server.manager.encode("event", [payload], "/")
        return encoded


def _runs(frames: Sequence[bytes]) -> list[bytes]:
    """Frames joined to writes of about AT_ONCE bytes."""
    runs: list[list[bytes]] = []
    size = AT_ONCE
    for frame in frames:
        if size + len(frame) > AT_ONCE:
            runs.append([])
            size = 0
        runs[-1].append(frame)
        size += len(frame)
    return [b"".join(run) for run in runs]
