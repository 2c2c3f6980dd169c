"""Socket.IO: who may connect, the binding of declared events, joining and leaving. WebSocket transport only.

No message queue: each process fans out to its own sockets from PostgreSQL (`fanout.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
from flask import Flask, request
from flask_babel import gettext
from flask_socketio import ConnectionRefusedError
from gevent.lock import BoundedSemaphore
from sqlalchemy.orm import Session

from creator_hub import streams
from creator_hub.accounts import cookies, sessions
from creator_hub.accounts.doors import user_by_id
from creator_hub.core import access, limits, logs
from creator_hub.core.access import Actor, Permission
from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import SOCKET_EVENTS, SocketEvent
from creator_hub.core.errors import HubError, SignInRequired, SlowDown
from creator_hub.core.schemas import load
from creator_hub.groups.doors import channel_by_id
from creator_hub.live.edge import Mode, socket_io
from creator_hub.live.fanout import Fanout
from creator_hub.live.presence import Presence
from creator_hub.live.schemas import ChannelJoin, ChannelRef
from creator_hub.live.seats import Connection, Seats
from creator_hub.live.together import Gathering
from creator_hub.live.wire import wire_of
from creator_hub.streams import hints

MOST_MISSED = 5_000
MOST_SOCKETS_PER_PERSON = 20
CONNECTS_PER_ADDRESS = "6000/minute"
JOINS = "300/minute"
TYPINGS = "60/minute"
LARGEST_PACKET = 64 * 1024
# Database connections that socket events may hold at a time: a storm of them waits its turn here, where waiting is no
# error, and leaves some of the pool to pages and to the fan-out.
MOST_WORKING = 10
log = logs.get(__name__)
Describe = Callable[[Exception], HubError]


class LiveEdge:
    """One process's Socket.IO server with its seats and fan-out."""

    def __init__(
        self, app: Flask, mode: Mode, redis_url: str, process_id: Callable[[], str], describe: Describe
    ) -> None:
        self.socketio = socket_io(app, mode, max_http_buffer_size=LARGEST_PACKET, ping_interval=25, ping_timeout=20)
        self.seats = Seats()
        self.sockets = wire_of(self.socketio)
        self.fanout = Fanout(self.seats, self.sockets)
        self._redis_url = redis_url
        self._process_id = process_id
        self._describe = describe
        self._running = False
        self._few = BoundedSemaphore(MOST_WORKING)
        self._gathering = Gathering(self._few)
        self._bind()

    def _bind(self) -> None:
        self.socketio.on_event("connect", self._connect)
        self.socketio.on_event("disconnect", self._disconnect)
        self.socketio.on_event("channel.join", self._join)
        self.socketio.on_event("channel.leave", self._leave)
        self.socketio.on_event("typing", self._typing)
        for event in SOCKET_EVENTS.values():
            self.socketio.on_event(event.name, self._handler(event))

    def _start(self) -> None:
        """On the first connection: after gunicorn has forked, in the process that holds the sockets."""
        if self._running:
            return
        self._running = True
        gevent.spawn(self.fanout.run)
        gevent.spawn(self.fanout.tell_heads)
        gevent.spawn(self.fanout.listen, self._redis_url)
        gevent.spawn(Presence(self.seats, self._process_id).run, self._redis_url)

    # -- connecting ------------------------------------------------------------------------------------------------

    def _connect(self, auth: Any = None) -> None:
        self._start()
        if self._sid() in self.seats.connections:
            raise ConnectionRefusedError("already connected")  # an event that only calls itself "connect"
        try:
            limits.hit(CONNECTS_PER_ADDRESS, "connect", limits.address_key(request.remote_addr))
            with self._few, unit_of_work() as session:
                self._admit(session, auth)
        except Exception as error:
            problem = self._describe(error)
            raise ConnectionRefusedError(problem.code) from None

    def _admit(self, session: Session, auth: Any) -> None:
        actor = self._identify(session, auth.get("token") if isinstance(auth, dict) else None)
        user = user_by_id(session, actor.person())
        if actor.suspended:
            raise SignInRequired
        if len(self.seats.of_user(user.id)) >= MOST_SOCKETS_PER_PERSON:
            raise SlowDown("Too many open windows. Close some of them.")
        face = {"id": str(user.id), "handle": user.handle, "display_name": user.display_name}
        connection = Connection(self._sid(), user.id, actor.session_id, actor.token_id, request.remote_addr or "", face)
        connection.ends_at = sessions.ends_at(session, actor.session_id, actor.token_id)
        self.seats.connect(connection)
        self.sockets.emit(
            connection.sid, "hello", {"process": self._process_id(), "user_id": str(user.id), "heads": {}}
        )

    def _identify(self, session: Session, token: str | None) -> Actor:
        """A cookie (Engine.IO has refused other origins already) or an API token."""
        cookie = request.cookies.get(cookies.name_of(cookies.SESSION))
        actor = None
        if token is not None:
            actor = sessions.actor_for_token(session, token)
        elif cookie:
            actor = sessions.actor_for_cookie(session, cookie)
        if actor is None:
            raise SignInRequired
        return actor

    def _disconnect(self, reason: str = "") -> None:
        self.seats.disconnect(self._sid())

    # -- events ----------------------------------------------------------------------------------------------------

    def _join(self, data: Any = None) -> dict[str, Any]:
        return self._acknowledged(lambda: self._sit_down(load(ChannelJoin(), data)))

    def _sit_down(self, asked: dict[str, Any]) -> dict[str, Any]:
        connection = self._connection()
        limits.hit(JOINS, "join", str(connection.user_id))
        channel_id, after = asked["channel_id"], asked["after_seq"]
        with self._few, unit_of_work(snapshot=True) as session:
            actor = sessions.actor_again(session, connection.session_id, connection.token_id)
            door = channel_by_id(session, actor, channel_id, Permission.READ_CHANNEL)
            head = streams.heads(session, [channel_id])[channel_id]
        too_far = after is not None and not head - MOST_MISSED <= after <= head
        if (old := connection.seats.get(channel_id)) is not None:
            self.fanout.stand_up(old)
        seat = self.seats.take(
            connection,
            channel_id,
            after=head if after is None or too_far else after,
            head=head,
            access_until=door.standing.access_until,
        )
        if too_far:
            self.sockets.emit(connection.sid, "channel.reset", {"channel_id": str(channel_id), "head_seq": head})
        gevent.spawn(self.fanout.bring_up, seat)
        return {"head_seq": head}

    def _leave(self, data: Any = None) -> dict[str, Any]:
        def stand_up() -> dict[str, Any]:
            channel_id = load(ChannelRef(), data)["channel_id"]
            seat = self._connection().seats.get(channel_id)
            if seat is not None:
                self.fanout.stand_up(seat)
            return {}

        return self._acknowledged(stand_up)

    def _typing(self, data: Any = None) -> None:
        """Pass on that somebody types, to the channels this socket sits in; dropped whenever in doubt."""
        try:
            channel_id = load(ChannelRef(), data)["channel_id"]
            connection = self._connection()
            limits.hit(TYPINGS, "typing", str(connection.user_id))
        except HubError:
            return
        if channel_id in connection.seats:
            hints.ephemeral(channel_id, "typing", {"channel_id": str(channel_id), "user": connection.face})

    def _handler(self, event: SocketEvent) -> Callable[..., dict[str, Any]]:
        def handle(data: Any = None) -> dict[str, Any]:
            return self._acknowledged(lambda: self._run(event, data))

        return handle

    def _run(self, event: SocketEvent, data: Any) -> dict[str, Any]:
        connection = self._connection()
        if event.limit is not None:
            limits.hit(event.limit, event.name, str(connection.user_id))
        loaded = load(event.schema, data)
        key = event.together.key(loaded) if event.together is not None else None
        if key is not None:
            return self._gathering.run(event, key, connection, loaded)
        with self._few, unit_of_work() as session:
            actor = sessions.actor_again(session, connection.session_id, connection.token_id)
            if event.permission in access.PLATFORM_WIDE:
                access.require_platform(actor, event.permission)
            answer: dict[str, Any] = event.handler(session, actor, loaded)
            if event.permission not in actor.proved:
                raise RuntimeError(f"{event.name} never checked {event.permission}")
        return answer

    def _acknowledged(self, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Run and turn the outcome into the contract's acknowledgement."""
        try:
            return {"ok": True, **work()}
        except Exception as error:
            problem = self._describe(error)
        detail = gettext(problem.message) % problem.params if problem.params else gettext(problem.message)
        answer: dict[str, Any] = {"code": problem.code, "detail": detail}
        if problem.errors:
            answer["errors"] = problem.errors
        if problem.retry_after is not None:
            answer["retry_after"] = problem.retry_after
        return {"ok": False, "error": answer}

    def _connection(self) -> Connection:
        connection = self.seats.connections.get(self._sid())
        if connection is None:
            raise SignInRequired
        return connection

    @staticmethod
    def _sid() -> str:
        return str(request.sid)  # type: ignore[attr-defined]
