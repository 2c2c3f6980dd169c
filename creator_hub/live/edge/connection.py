"""One WebSocket of one client: a non-blocking socket, a read watcher, and nothing else while all is quiet.

Writing goes straight to the kernel. Only when the kernel takes less than it is offered does a backlog begin, with a
write watcher that empties it; it is bounded, and a reader too slow for the bound is cut off (it resumes). Whatever the
kernel reports is noted here and acted on later: no write raises, so that a broken socket cannot stop a fan-out.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from creator_hub.live.edge import frames
from creator_hub.live.edge.backlog import Backlog
from creator_hub.live.edge.frames import FrameError
from creator_hub.live.edge.hooks import RawSocket, io_watcher

if TYPE_CHECKING:
    from creator_hub.live.edge.engine import FastEngine
    from creator_hub.live.edge.manager import Member

READ_BYTES = 16 * 1024
SEND_BUFFER = 128 * 1024  # what the kernel may hold for one reader; without it a stalled one takes megabytes
MOST_INBOX = 128
CLOSE_PATIENCE_S = 5.0
JOIN_PATIENCE_S = 20.0  # to join a namespace after the handshake, and to go after leaving the last one
PING = frames.message("2")
OPEN, CLOSING, CLOSED = range(3)


class Due(IntEnum):
    """What the wheel is to do next with a connection."""

    JOINED = 0
    PING = 1
    PONG = 2


def takes_nothing(data: bytes) -> int:
    """Stands in for `send` while a backlog waits: later bytes must not overtake it."""
    return 0


class Connection:
    """Also what python-engineio calls a socket: it asks for `sid`, `connected`, `upgraded`, `closed`, `session`."""

    __slots__ = (
        "_alone_since", "_backlog", "_next", "_parser", "_reader", "_sock", "due", "engine", "inbox", "members",
        "send", "session", "sid", "state", "working",
    )  # fmt: skip
    connected = upgraded = True

    def __init__(self, engine: FastEngine, sid: str, fd: int) -> None:
        self.engine = engine
        self.sid = sid
        self.state = OPEN
        self.due = 0
        self.members: tuple[Member, ...] = ()  # one for each namespace it joined
        self.session: dict[str, Any] | None = None
        self.inbox: deque[Any] | None = None
        self.working = False
        self._sock = RawSocket(fileno=fd)
        self._sock.setblocking(False)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.send: Callable[[bytes], int] = self._sock.send
        self._parser = frames.Parser(engine.max_http_buffer_size)
        self._backlog: Backlog | None = None
        self._next = Due.JOINED
        self._reader: Any = io_watcher(fd, 1)
        self._reader.start(self._readable)
        self._alone_since = time.monotonic()
        engine.wheel.schedule(self, min(JOIN_PATIENCE_S, float(engine.ping_interval)))

    @property
    def closed(self) -> bool:
        return self.state != OPEN

    @property
    def waiting(self) -> int:
        """Live events that the client has not taken yet."""
        return self._backlog.events if self._backlog is not None else 0

    @property
    def blocked(self) -> bool:
        return self._backlog is not None

    # -- writing ---------------------------------------------------------------------------------------------------

    def write(self, data: bytes, events: int = 1) -> None:
        """Send whole frames, after whatever its rooms still owe it. `events` counts towards the slow-reader rule."""
        if self.engine.fanout.busy:
            self.settle()
        self._write(data, events)

    def settle(self) -> None:
        """Be given everything that was emitted to its rooms so far."""
        for member in self.members:
            for room in member.rooms:
                if room.owes:
                    room.settle(self)

    def _write(self, data: bytes, events: int) -> None:
        try:
            taken = self.send(data)
        except BlockingIOError:
            taken = 0
        except OSError as error:
            self.broke(error)
            return
        if taken != len(data):
            self.hold(data, taken, events)

    def hold(self, data: bytes, taken: int, events: int) -> None:
        """Keep what the kernel did not take; a reader that lets too much pile up is cut off."""
        if self.state != OPEN:
            return
        if self._backlog is None:
            self._backlog = Backlog(self._sock.fileno(), self._writable)
            self.send = takes_nothing
        self._backlog.add(data[taken:] if taken else data, events)
        if self._backlog.too_much:
            self.send = len
            self.engine.slow_reader(self)

    def _writable(self) -> None:
        backlog = self._backlog
        try:
            if backlog is None or self.send is not takes_nothing or not backlog.flush(self._sock.send):
                return  # some is left; or it was cut off, and nothing may follow the gap
        except OSError:
            self.gone(self.engine.reason.TRANSPORT_ERROR)
            return
        self._backlog = None
        self.send = self._sock.send
        backlog.close()
        if self.state == CLOSING:
            self._say_no_more()

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call back once the client has taken everything, or is gone; at once when nothing waits."""
        if self._backlog is None:
            callback()
        else:
            self._backlog.drained.append(callback)

    # -- reading ---------------------------------------------------------------------------------------------------

    def _readable(self) -> None:
        try:
            data = self._sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self.gone(self.engine.reason.TRANSPORT_ERROR)
            return
        if not data:
            self.gone(self.engine.reason.TRANSPORT_CLOSE)
            return
        if self.state != OPEN:
            return  # we have said goodbye: what still comes is read only to see the end
        try:
            for opcode, message in self._parser.feed(data):
                self._hear(opcode, message)
                if self.state != OPEN:
                    return
        except FrameError as error:
            self.shut(error.code, error.reason, self.engine.reason.TRANSPORT_ERROR)

    def _hear(self, opcode: int, message: Any) -> None:
        if opcode == frames.TEXT or opcode == frames.BINARY:
            self.engine.heard(self, message)
        elif opcode == frames.PING:
            self._write(frames.frame(frames.PONG, message), 0)
        elif opcode == frames.CLOSE:
            self.shut(frames.close_code(message), "", self.engine.reason.CLIENT_DISCONNECT)

    def put(self, item: Any) -> None:
        """Leave something for the workers; a client that sends faster than they work is not read from meanwhile."""
        if self.inbox is None:
            self.inbox = deque()
        self.inbox.append(item)
        if len(self.inbox) == MOST_INBOX and self.state != CLOSED:
            self._reader.stop()
        self.engine.workers.ready(self)

    def took(self) -> None:
        """A worker has taken something out of the inbox."""
        if self.inbox is not None and len(self.inbox) == MOST_INBOX // 2 and self.state != CLOSED:
            self._reader.start(self._readable)

    def ponged(self) -> None:
        if self._next == Due.PONG:
            self._next = Due.PING
            self.engine.wheel.schedule(self, self.engine.ping_interval)

    # -- time ------------------------------------------------------------------------------------------------------

    def on_time(self) -> float | None:
        """Called by the wheel: ping, miss the pong, or end what was to be over by now."""
        engine = self.engine
        if self.state == CLOSING:
            self.gone(engine.reason.SERVER_DISCONNECT)
        elif self.state == CLOSED:
            return None
        elif self._next == Due.PONG:
            self.shut(frames.POLICY, "ping timeout", engine.reason.PING_TIMEOUT)
        elif self._is_idle_stranger():
            self.shut(frames.POLICY, "no namespace joined", engine.reason.SERVER_DISCONNECT)
        elif self._next == Due.JOINED and engine.ping_interval > JOIN_PATIENCE_S:
            self._next = Due.PING
            return float(engine.ping_interval - JOIN_PATIENCE_S)
        else:
            self._next = Due.PONG
            self.write(PING, 0)
            return float(engine.ping_timeout)
        return None

    def _is_idle_stranger(self) -> bool:
        """In no namespace for too long. What it sent and what waits its turn is our time, not its own."""
        patience = min(JOIN_PATIENCE_S, self.engine.ping_interval + self.engine.ping_timeout)
        return not self.members and not self.working and time.monotonic() - self._alone_since >= patience

    def expect_join(self) -> None:
        """It is in no namespace any more: another one soon, or it goes."""
        self._alone_since = time.monotonic()

    # -- closing ---------------------------------------------------------------------------------------------------

    def shut(self, code: int, text: str, reason: str) -> None:
        """Say goodbye after what is still to be written, and do not wait for ever for the other side."""
        if self.state != OPEN:
            return
        self.write(frames.close(code, text), 0)
        self.state = CLOSING  # from here on nothing more is written but what waits
        self.engine.wheel.schedule(self, CLOSE_PATIENCE_S)
        self.engine.leave(self, reason)
        if self._backlog is None:
            self._say_no_more()

    def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        """What python-engineio calls to end a connection."""
        reason = reason or self.engine.reason.SERVER_DISCONNECT
        if abort:
            self.gone(reason)
        else:
            self.shut(frames.NORMAL, "", reason)

    def _say_no_more(self) -> None:
        self.send = len
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            self.broke(error)

    def broke(self, error: OSError) -> None:
        """The kernel refused: note it, let the caller go on, take it down when the loop turns."""
        self.send = len
        self.engine.soon(lambda: self.gone(self.engine.reason.TRANSPORT_ERROR))

    def gone(self, reason: str) -> None:
        """The transport is over, now."""
        if self.state == CLOSED:
            return
        was_open, self.state = self.state == OPEN, CLOSED
        self.send = len
        self._reader.stop()
        self._reader.close()
        backlog, self._backlog = self._backlog, None
        if backlog is not None:
            backlog.close()
        self._sock.close()
        if was_open:
            self.engine.leave(self, reason)
