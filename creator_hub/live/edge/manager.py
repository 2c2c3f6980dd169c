"""Rooms and members as python-socketio knows them, kept as connections.

The same calls as `socketio.Manager`; what differs is what they cost: a broadcast is encoded once and handed to the
fan-out, a disconnect looks only at the rooms its client is in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from socketio import Manager, packet

from creator_hub.live.edge.connection import Connection
from creator_hub.live.edge.engine import message_frame
from creator_hub.live.edge.rooms import Room

CONNECTING, JOINED, LEAVING = range(3)


class Member:
    """A connection's place in one namespace."""

    __slots__ = ("connection", "namespace", "rooms", "sid", "state")

    def __init__(self, connection: Connection, namespace: str, sid: str) -> None:
        self.connection = connection
        self.namespace = namespace
        self.sid = sid
        self.state = CONNECTING
        self.rooms: tuple[Room, ...] = ()


class FastManager(Manager):  # type: ignore[misc]
    """`rooms[namespace][name]` is a Room; the room None is everybody who is connected."""

    def __init__(self) -> None:
        super().__init__()
        self.members: dict[str, Member] = {}

    # -- clients -----------------------------------------------------------------------------------------------------

    def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        connection = self.server.eio.sockets.get(eio_sid)
        if connection is None or self.sid_from_eio_sid(eio_sid, namespace) is not None:
            return None
        member = Member(connection, namespace, self.server.eio.generate_id())
        self.members[member.sid] = member
        connection.members = (*connection.members, member)
        self.rooms.setdefault(namespace, {})
        return member.sid

    def connect(self, sid: str, namespace: str) -> str:
        member = self.members.get(sid)
        if member is not None and member.state == CONNECTING:
            member.state = JOINED
            self._enter(member, None)
        return sid

    def is_pre_connected(self, sid: str, namespace: str) -> bool:
        member = self._member(sid, namespace)
        return member is not None and member.state == CONNECTING

    def is_connected(self, sid: str, namespace: str) -> bool:
        member = self._member(sid, namespace)
        return member is not None and member.state == JOINED

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        connection: Connection | None = self.server.eio.sockets.get(eio_sid)
        for member in connection.members if connection is not None else ():
            if member.namespace == namespace:
                return member.sid
        return None

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:
        member = self._member(sid, namespace)
        return member.connection.sid if member is not None else None

    def pre_disconnect(self, sid: str, namespace: str) -> str | None:
        member = self._member(sid, namespace)
        if member is None:
            return None
        member.state = LEAVING
        return member.connection.sid

    def basic_disconnect(self, sid: str, namespace: str, **kwargs: Any) -> None:
        member = self._member(sid, namespace)
        if member is None:
            return
        for room in member.rooms:
            self._leave(member, room)
        del self.members[sid]
        self.callbacks.pop(sid, None)
        connection = member.connection
        connection.members = tuple(other for other in connection.members if other is not member)
        if not connection.members:
            connection.expect_join()

    # -- rooms -------------------------------------------------------------------------------------------------------

    def is_sid_room(self, namespace: str, room: Any) -> bool:
        return self._member(room, namespace) is not None

    def basic_enter_room(self, sid: str, namespace: str, room: Any, eio_sid: str | None = None) -> None:
        member = self._member(sid, namespace)
        if member is None:
            raise ValueError("sid is not connected to requested namespace")
        if room == sid:
            return
        if self.is_sid_room(namespace, room):
            raise ValueError("cannot enter a sid room")
        self._enter(member, room)

    def basic_leave_room(self, sid: str, namespace: str, room: Any) -> None:
        member, left = self._member(sid, namespace), self.rooms.get(namespace, {}).get(room)
        if member is not None and left is not None:
            self._leave(member, left)

    def basic_close_room(self, room: Any, namespace: str) -> None:
        if self.is_sid_room(namespace, room):
            raise ValueError("cannot close a sid room")
        for sid, _ in list(self.get_participants(namespace, room)):
            self.basic_leave_room(sid, namespace, room)

    def get_rooms(self, sid: str, namespace: str) -> list[Any]:
        member = self._member(sid, namespace)
        return [sid, *(room.name for room in member.rooms if room.name is not None)] if member is not None else []

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:
        for member in self._participants(namespace, room):
            yield member.sid, member.connection.sid

    def _enter(self, member: Member, name: Any) -> None:
        rooms = self.rooms[member.namespace]
        if name not in rooms:
            rooms[name] = Room(self.server.eio.fanout, name)
        room = rooms[name]
        if room not in member.rooms:
            member.rooms = (*member.rooms, room)
            room.enter(member.connection)

    def _leave(self, member: Member, room: Room) -> None:
        if room not in member.rooms:
            return
        room.leave(member.connection)
        member.rooms = tuple(other for other in member.rooms if other is not room)
        if not len(room):
            del self.rooms[member.namespace][room.name]

    # -- emitting ----------------------------------------------------------------------------------------------------

    def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Any = None,
        skip_sid: Any = None,
        callback: Any = None,
        to: Any = None,
        **kwargs: Any,
    ) -> None:
        """To one client or a room of many: encoded once, and written once for all that a room gathers in a turn."""
        room = to or room
        arguments = list(data) if isinstance(data, tuple) else [data] if data is not None else []
        if callback is not None:
            for member in self._chosen(namespace, room, skip_sid):
                number = self._generate_ack_id(member.sid, callback)
                member.connection.write(self.encode(event, arguments, namespace, number))
            return
        encoded = self.encode(event, arguments, namespace)
        if isinstance(room, str) and room in self.members and skip_sid is None:
            self.members[room].connection.write(encoded)
        elif skip_sid is None and _is_one(room):
            if (gathered := self.rooms.get(namespace, {}).get(room)) is not None:
                gathered.emit(encoded)
        else:
            for member in self._chosen(namespace, room, skip_sid):
                member.connection.write(encoded)

    def encode(self, event: str, arguments: list[Any], namespace: str, number: int | None = None) -> bytes:
        encoded = self.server.packet_class(
            packet.EVENT, namespace=namespace, data=[event, *arguments], id=number
        ).encode()
        return b"".join(map(message_frame, encoded)) if isinstance(encoded, list) else message_frame(encoded)

    def _chosen(self, namespace: str, room: Any, skip_sid: Any) -> list[Member]:
        skipped = set(skip_sid) if isinstance(skip_sid, list) else {skip_sid}
        return [member for member in self._participants(namespace, room) if member.sid not in skipped]

    def _participants(self, namespace: str, room: Any) -> Iterable[Member]:
        """Each member once, however many of the named rooms it is in."""
        found: dict[str, Member] = {}
        for name in (room,) if _is_one(room) else room:
            member = self._member(name, namespace)
            if member is not None:
                found[member.sid] = member
            elif (named := self.rooms.get(namespace, {}).get(name)) is not None:
                for connection in named.members:
                    found |= {m.sid: m for m in connection.members if m.namespace == namespace}
        return found.values()

    def _member(self, sid: Any, namespace: str) -> Member | None:
        member = self.members.get(sid) if isinstance(sid, str) else None
        return member if member is not None and member.namespace == namespace else None


def _is_one(room: Any) -> bool:
    return isinstance(room, str) or not hasattr(room, "__len__")
