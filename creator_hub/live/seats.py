"""Who is connected to this process and what each has been given: plain state, no sockets, no database.

A *connection* is one socket with its credential; a *seat* is one connection's place in one channel. While it catches
up, its `delivered` only moves forward; once it is level with the channel's position it gets what the channel gets.
"""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Connection:
    """One socket. Its credential is proved again on every event: a dead session must not act. `ends_at` is when it ends
    by time, as far as is known here."""

    sid: str
    user_id: uuid.UUID
    session_id: uuid.UUID | None
    token_id: uuid.UUID | None
    address: str
    face: dict[str, str]
    ends_at: datetime | None = None
    seats: dict[uuid.UUID, Seat] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Seat:
    """A connection's place in a channel. While `catching_up` the fan-out leaves it to its own reader.

    `admitted_at` is the head at which the door let it in: a revocation up to there is history for this seat, whoever
    left and came back must not be put out again by the row of their leaving.
    """

    connection: Connection
    channel_id: uuid.UUID
    delivered: int
    admitted_at: int
    access_until: datetime | None
    catching_up: bool = True
    closed: bool = False


class Seats:
    """All connections and seats of this process, and how far each channel has been fanned out here."""

    def __init__(self) -> None:
        self.connections: dict[str, Connection] = {}
        self.positions: dict[uuid.UUID, int] = {}
        self.moved: set[uuid.UUID] = set()  # channels whose people changed since presence was last told
        self._by_channel: dict[uuid.UUID, set[Seat]] = {}
        self._by_user: dict[uuid.UUID, set[str]] = {}
        self._ahead: dict[uuid.UUID, list[Seat]] = {}  # settled, but at a head that was not fanned out here yet
        self._expiries: list[tuple[datetime, int, Seat]] = []
        self._endings: list[tuple[datetime, int, Connection]] = []
        self._tie_break = 0

    def connect(self, connection: Connection) -> None:
        self.connections[connection.sid] = connection
        self._by_user.setdefault(connection.user_id, set()).add(connection.sid)
        self.expect_end(connection, connection.ends_at)

    def disconnect(self, sid: str) -> Connection | None:
        connection = self.connections.pop(sid, None)
        if connection is None:
            return None
        for seat in list(connection.seats.values()):
            self.leave(seat)
        sids = self._by_user[connection.user_id]
        sids.discard(sid)
        if not sids:
            del self._by_user[connection.user_id]
        return connection

    def of_user(self, user_id: uuid.UUID) -> list[Connection]:
        return [self.connections[sid] for sid in self._by_user.get(user_id, ())]

    def take(
        self, connection: Connection, channel_id: uuid.UUID, *, after: int, head: int, access_until: datetime | None
    ) -> Seat:
        """Sit down behind event `after`. The first seat of a channel starts its fan-out at `head`.

        Whoever went away while the door was asked gets a closed seat: nobody would ever take it away again.
        """
        if (old := connection.seats.get(channel_id)) is not None:
            self.leave(old)
        seat = Seat(connection, channel_id, after, head, access_until)
        if self.connections.get(connection.sid) is not connection:
            seat.closed = True
            return seat
        connection.seats[channel_id] = seat
        self._by_channel.setdefault(channel_id, set()).add(seat)
        self.positions.setdefault(channel_id, head)
        self.moved.add(channel_id)
        self.expect_expiry(seat, access_until)
        return seat

    def leave(self, seat: Seat) -> None:
        """Close a seat; whoever is still reading for it stops at its next step."""
        seat.closed = True
        self.moved.add(seat.channel_id)
        if seat.connection.seats.get(seat.channel_id) is seat:
            del seat.connection.seats[seat.channel_id]
        here = self._by_channel.get(seat.channel_id)
        if here is None:
            return
        here.discard(seat)
        if not here:
            del self._by_channel[seat.channel_id]
            self.positions.pop(seat.channel_id, None)
            self._ahead.pop(seat.channel_id, None)

    def in_channel(self, channel_id: uuid.UUID) -> list[Seat]:
        return list(self._by_channel.get(channel_id, ()))

    def of_user_in(self, user_id: uuid.UUID, channel_id: uuid.UUID) -> list[Seat]:
        return [seat for seat in self.in_channel(channel_id) if seat.connection.user_id == user_id]

    def expect_expiry(self, seat: Seat, at: datetime | None) -> None:
        seat.access_until = at
        if at is not None:
            self._tie_break += 1
            heapq.heappush(self._expiries, (at, self._tie_break, seat))

    def pop_expired(self, now: datetime) -> Iterator[Seat]:
        """Seats whose time is over; whoever asks decides whether they were renewed meanwhile."""
        while self._expiries and self._expiries[0][0] <= now:
            at, _, seat = heapq.heappop(self._expiries)
            if not seat.closed and seat.access_until == at:
                yield seat

    def expect_end(self, connection: Connection, at: datetime | None) -> None:
        connection.ends_at = at
        if at is not None:
            self._tie_break += 1
            heapq.heappush(self._endings, (at, self._tie_break, connection))

    def pop_ended(self, now: datetime) -> Iterator[Connection]:
        """Connections whose credential's time is over; whoever asks decides whether it was extended meanwhile."""
        while self._endings and self._endings[0][0] <= now:
            at, _, connection = heapq.heappop(self._endings)
            if self.connections.get(connection.sid) is connection and connection.ends_at == at:
                yield connection

    def settle(self, seat: Seat) -> bool:
        """End the catch-up when the seat has all that was fanned out; no event can fall between the two."""
        if seat.delivered >= self.positions.get(seat.channel_id, 0):
            seat.catching_up = False
            if not self.is_level(seat):
                self._ahead.setdefault(seat.channel_id, []).append(seat)
        return not seat.catching_up

    def is_level(self, seat: Seat) -> bool:
        """True when the next event that is fanned out here is the next one for this seat."""
        return seat.delivered == self.positions.get(seat.channel_id)

    def reached(self, channel_id: uuid.UUID, seq: int) -> list[Seat]:
        """The seats that sat down at a head the fan-out reaches only now, with event `seq`."""
        ahead = self._ahead.get(channel_id)
        if ahead is None:
            return []
        level = [seat for seat in ahead if seat.delivered == seq and not seat.closed]
        later = [seat for seat in ahead if seat.delivered > seq and not seat.closed]
        if later:
            self._ahead[channel_id] = later
        else:
            del self._ahead[channel_id]
        return level
