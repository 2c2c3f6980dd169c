"""The Engine.IO server of the fast edge: WebSocket only, each connection its own small state machine."""

from __future__ import annotations

from typing import Any

import gevent
from engineio import Server, packet

from creator_hub.core import logs
from creator_hub.live.edge import frames, handshake, hooks
from creator_hub.live.edge.connection import Connection
from creator_hub.live.edge.rooms import Fanout
from creator_hub.live.edge.wheel import Wheel
from creator_hub.live.edge.workers import Workers

MOST_CONNECTIONS = 12_000  # of one process; gunicorn's own bound ends where a socket is taken over
ACK = "43"  # the Engine.IO message that is a Socket.IO acknowledgement
_IGNORED = frozenset({"0", "5", "6"})  # open, upgrade, noop: harmless here
log = logs.get(__name__)


class Left:
    """In an inbox: the client is gone, and why. It comes after everything the client sent."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


class BadPacket(Exception):
    """The client broke the Engine.IO or Socket.IO protocol."""


class FastEngine(Server):  # type: ignore[misc]
    """What python-socketio expects of python-engineio, over raw sockets."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "monitor_clients": False})
        self.soon = hooks.soon
        self.fanout = Fanout(hooks.soon)
        self.workers = Workers(self._work, gevent.spawn_raw)
        self.wheel = Wheel(min(self.ping_interval, self.ping_timeout) / 8, gevent.sleep)
        self._turning = False

    def _handle_connect(
        self, environ: dict[str, Any], start_response: Any, transport: str, jsonp_index: int | None = None
    ) -> Any:
        """python-engineio has checked origin, transport and version; take the socket and let the request end."""
        refused = handshake.refusal(environ) or self._full()
        fd = hooks.take_socket(environ) if refused is None else None
        if fd is None:
            status, headers, text = refused or ("501 NOT IMPLEMENTED", [], "this server cannot hand its sockets over")
            return {**self._bad_request(text), "status": status, "headers": [*headers, ("Content-Type", "text/plain")]}
        self._open(environ, fd)
        return hooks.leave_request()

    def _full(self) -> handshake.Refusal | None:
        return ("503 SERVICE UNAVAILABLE", [], "full") if len(self.sockets) >= MOST_CONNECTIONS else None

    def _open(self, environ: dict[str, Any], fd: int) -> None:
        self._start()
        sid = self.generate_id()
        connection = self.sockets[sid] = Connection(self, sid, fd)
        connection.write(handshake.answer(environ) + frames.message(self._open_packet(sid)), 0)
        self._trigger_event("connect", sid, environ, run_async=False)

    def _open_packet(self, sid: str) -> str:
        opening = {
            "sid": sid,
            "upgrades": [],
            "pingTimeout": int(self.ping_timeout * 1000),
            "pingInterval": int(self.ping_interval * 1000),
            "maxPayload": self.max_http_buffer_size,
        }
        return str(packet.Packet(packet.OPEN, opening).encode())

    def _start(self) -> None:
        """In the process that holds the sockets: after gunicorn has forked."""
        if not self._turning:
            self._turning = True
            gevent.spawn(self.wheel.run)

    # -- towards the client ----------------------------------------------------------------------------------------

    def send(self, sid: str, data: str | bytes) -> None:
        """Send one Engine.IO message; to whoever is gone, nothing."""
        connection = self.sockets.get(sid)
        if connection is not None:
            connection.write(message_frame(data))

    def send_packet(self, sid: str, pkt: Any) -> None:
        connection = self.sockets.get(sid)
        if connection is not None:
            connection.write(frames.message(pkt.encode()))

    def close_all(self) -> None:
        """Say goodbye to everybody: the process ends, the clients come back elsewhere."""
        for connection in list(self.sockets.values()):
            connection.shut(frames.RESTART, "restarting", self.reason.SERVER_DISCONNECT)

    # -- from the client, in the hub: nothing here may block ---------------------------------------------------------

    def heard(self, connection: Connection, data: str | bytes) -> None:
        kind = data[:1]
        if data[:2] == ACK:
            gevent.spawn_raw(self._work, connection, data)  # a handler of this client may be waiting for it
        elif isinstance(data, bytes) or kind == "4":
            connection.put(data)
        elif kind == "3":
            connection.ponged()
        elif kind == "1":
            connection.shut(frames.NORMAL, "", self.reason.CLIENT_DISCONNECT)
        elif kind not in _IGNORED:
            connection.shut(frames.PROTOCOL_ERROR, "invalid packet", self.reason.TRANSPORT_ERROR)

    def leave(self, connection: Connection, reason: str) -> None:
        connection.put(Left(reason))

    def slow_reader(self, connection: Connection) -> None:
        """It takes less than it is sent: cut it off, it resumes when it can. Not now: a fan-out may be under way."""
        log.info("slow_reader", waiting=connection.waiting)
        self.soon(lambda: connection.gone(self.reason.TRANSPORT_ERROR))

    # -- from the client, in a worker --------------------------------------------------------------------------------

    def _work(self, connection: Connection, item: Any) -> None:
        try:
            if isinstance(item, Left):
                self._forget(connection, item.reason)
            else:
                self.handlers["message"](connection.sid, item[1:] if isinstance(item, str) else item)
        except BadPacket as error:
            connection.shut(frames.PROTOCOL_ERROR, str(error), self.reason.TRANSPORT_ERROR)

    def _forget(self, connection: Connection, reason: str) -> None:
        try:
            self.handlers["disconnect"](connection.sid, reason)
        finally:
            del self.sockets[connection.sid]

    def _get_socket(self, sid: str) -> Connection:
        """Looked up by python-engineio's HTTP side, which must not forget a connection that is still being left."""
        connection: Connection = self.sockets[sid]
        return connection


def message_frame(data: str | bytes) -> bytes:
    """An Engine.IO message packet as a frame: text behind a 4, binary as it is."""
    return frames.message("4" + data) if isinstance(data, str) else frames.message(data)
