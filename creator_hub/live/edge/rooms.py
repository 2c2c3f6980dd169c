"""Rooms as connections, and the fan-out: encode once, write the same bytes to every member.

An emit only appends to its room; at the end of the loop's turn everything a room has gathered leaves in one write per
member. A big room is served in slices, rooms take turns, so that the loop stays responsive. The order each member sees
is nevertheless the order of the emits: whoever is written to directly, comes in or goes out meanwhile is first given
what its rooms still owe it (`settle`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Protocol

SLICE = 2_000  # members written to before the loop may look at its other sockets again


class Receiver(Protocol):
    """What a room needs of a connection. `send` behaves like a non-blocking socket's."""

    send: Callable[[bytes], int]

    def hold(self, data: bytes, taken: int, events: int) -> None: ...
    def broke(self, error: OSError) -> None: ...


class _Round:
    """One write to everybody who was in the room when it began."""

    __slots__ = ("at", "data", "early", "events", "frames", "members")

    def __init__(self, members: tuple[Receiver, ...], frames: list[bytes], early: dict[Receiver, int]) -> None:
        self.members = members
        self.frames = frames
        self.data = frames[0] if len(frames) == 1 else b"".join(frames)
        self.events = len(frames)
        self.early = early  # who has had how many of the frames already
        self.at = 0

    def step(self, most: int) -> int:
        """Write to the next `most` members; returns how many there were."""
        part = self.members[self.at : self.at + most]  # the tuple itself when it is all of it
        self.at += len(part)
        if self.early:
            for member in part:
                self._rest_to(member, self.early.pop(member, 0))
        else:
            write_all(part, self.data, self.events)
        return len(part)

    def hurry(self, member: Receiver) -> None:
        """Give one member its share now, if it is still to come."""
        if member in self.members[self.at :]:
            self._rest_to(member, self.early.get(member, 0))
            self.early[member] = self.events

    def _rest_to(self, member: Receiver, had: int) -> None:
        if had == 0:
            write_all((member,), self.data, self.events)
        elif had < self.events:
            write_all((member,), b"".join(self.frames[had:]), self.events - had)

    @property
    def done(self) -> bool:
        return self.at >= len(self.members)


def write_all(members: Iterable[Receiver], data: bytes, events: int) -> None:
    """The hot loop. A blocked connection's `send` takes nothing, a closed one's takes all; an error marks its
    connection and never stops the others."""
    size = len(data)
    for member in members:
        try:
            taken = member.send(data)
            if taken != size:
                member.hold(data, taken, events)
        except BlockingIOError:
            member.hold(data, 0, events)
        except OSError as error:
            member.broke(error)


class Room:
    """The connections of one room and what was emitted to them in this turn of the loop."""

    __slots__ = ("_cached", "_fanout", "_round", "ahead", "members", "name", "pending")

    def __init__(self, fanout: Fanout, name: Any = None) -> None:
        self._fanout = fanout
        self.name = name
        self.members: dict[Receiver, None] = {}
        self._cached: tuple[Receiver, ...] | None = None
        self._round: _Round | None = None
        self.pending: list[bytes] = []
        self.ahead: dict[Receiver, int] = {}  # who has had how many of the pending frames already

    def __len__(self) -> int:
        return len(self.members)

    def enter(self, member: Receiver) -> None:
        if member in self.members:
            return
        self.members[member] = None
        self._cached = None
        if self.pending:
            self.ahead[member] = len(self.pending)  # what was said before it came is not for it

    def leave(self, member: Receiver) -> None:
        if member not in self.members:
            return
        self.settle(member)
        del self.members[member]
        self._cached = None
        self.ahead.pop(member, None)

    def emit(self, data: bytes) -> None:
        if not self.members:
            return
        if not self.pending and self._round is None:
            self._fanout.queue(self)
        self.pending.append(data)

    def settle(self, member: Receiver) -> None:
        """Give one member everything emitted here so far, now."""
        if self._round is not None:
            self._round.hurry(member)
        if self.pending and member in self.members:
            had = self.ahead.get(member, 0)
            if had < len(self.pending):
                self.ahead[member] = len(self.pending)
                write_all((member,), b"".join(self.pending[had:]), len(self.pending) - had)

    def step(self, most: int) -> int:
        """Serve up to `most` members; returns how many were."""
        if self._round is None:
            if self._cached is None:
                self._cached = tuple(self.members)
            frames, self.pending = self.pending, []
            early, self.ahead = self.ahead, {}
            self._round = _Round(self._cached, frames, early)
        served = self._round.step(most)
        if self._round.done:
            self._round = None
        return served

    @property
    def owes(self) -> bool:
        """True while something emitted has not been written to everybody."""
        return self._round is not None or bool(self.pending)


class Fanout:
    """Serves the rooms that owe something, in turns, a slice at a time. `soon` runs a function at the end of the
    loop's turn."""

    def __init__(self, soon: Callable[[Callable[[], None]], object], most: int = SLICE) -> None:
        self._soon = soon
        self._most = most
        self._owing: deque[Room] = deque()
        self._asked = False

    @property
    def busy(self) -> bool:
        return bool(self._owing)

    def queue(self, room: Room) -> None:
        self._owing.append(room)
        if not self._asked:
            self._asked = True
            self._soon(self.turn)

    def turn(self) -> None:
        self._asked = False
        left = self._most
        while self._owing and left > 0:
            room = self._owing[0]
            left -= max(1, room.step(left))
            self._owing.popleft()
            if room.owes:
                self._owing.append(room)
        if self._owing and not self._asked:
            self._asked = True
            self._soon(self.turn)
