"""The fan-out of one process: read what was committed, evict first, emit in order.

Woken by hints, and every second without them. Account log and channel rows are read in one snapshot, so that nothing
committed after a revocation can be emitted before the revocation is seen. When PostgreSQL is away nothing is emitted
and nothing is forgotten: positions stay where they are.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

import gevent
from gevent.event import Event
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from creator_hub import streams
from creator_hub.accounts import sessions
from creator_hub.core import clock, logs
from creator_hub.core.access import Actor, Permission
from creator_hub.core.db import unit_of_work
from creator_hub.core.errors import HubError
from creator_hub.groups.doors import channel_by_id
from creator_hub.live.pages import Pages, event_payload
from creator_hub.live.seats import Connection, Seat, Seats
from creator_hub.live.wire import Wire
from creator_hub.streams import ACCOUNT_LOG, StreamEvent, hints

PAGE = 500  # of a catch-up
AT_ONCE = 100  # rows of one channel fanned out before the sockets are written to: a burst must not look like a lag
POLL_S = 1.0
HEADS_S = 20.0
HEADS_AT_ONCE = 100
LONGEST_BACKOFF_S = 2.0
# What may reach sockets without having been committed.
PASSING = frozenset({"typing", "presence", "poll.tallied", "round.tallied", "question.ranked"})
log = logs.get(__name__)


@dataclass(slots=True)
class News:
    """What one snapshot holds beyond what was emitted."""

    account: list[StreamEvent]
    rows: dict[uuid.UUID, list[StreamEvent]]


class Fanout:
    """Drives one process's seats from the streams. Whoever is settled in a channel is in the wire's room of it."""

    def __init__(self, seats: Seats, wire: Wire) -> None:
        self.seats = seats
        self.wire = wire
        self.pages = Pages()
        self.account_position: int | None = None
        self._wake = Event()

    def wake(self) -> None:
        self._wake.set()

    def run(self) -> None:
        """Pump for ever: on a hint, or every second."""
        while True:
            try:
                self._wake.wait(POLL_S)
                self._wake.clear()
                while self.pump():
                    gevent.sleep(0)
            except SQLAlchemyError as error:
                log.warning("fanout_waits", error=type(error).__name__)
                gevent.sleep(POLL_S)
            except Exception as error:  # whatever it was, everybody on this process would fall silent for good
                log.error("fanout_failed", error=type(error).__name__, exc_info=error)
                gevent.sleep(POLL_S)

    def pump(self) -> bool:
        """Read one snapshot and emit it; True when there may be more."""
        with unit_of_work(snapshot=True) as session:
            signed_out = [c for c in self.seats.pop_ended(clock.now()) if not self._extended(session, c)]
            gone = [seat for seat in self.seats.pop_expired(clock.now()) if not self._renewed(session, seat)]
            news = self._read(session)
        for connection in signed_out:
            self.cut_off(connection, "signed_out")
        for seat in gone:
            self.evict(seat, "expired")
        for row in news.account:
            self._apply_account(row)
            self.account_position = row.seq
        more = len(news.account) == AT_ONCE
        for channel_id, rows in news.rows.items():
            self._emit_rows(channel_id, rows)
            more = more or len(rows) == AT_ONCE
        return more

    def _read(self, session: Session) -> News:
        tracked = dict(self.seats.positions)
        heads = streams.heads(session, [*tracked, ACCOUNT_LOG])
        if self.account_position is None:
            self.account_position = heads[ACCOUNT_LOG]
        account: list[StreamEvent] = []
        if heads[ACCOUNT_LOG] > self.account_position:
            account = list(streams.read_after(session, ACCOUNT_LOG, self.account_position, AT_ONCE))
            if len(account) == AT_ONCE:  # channel rows may be newer than the revocations still to be read
                return News(account, {})
        behind = {channel: at for channel, at in tracked.items() if heads.get(channel, 0) > at}
        return News(account, {c: list(streams.read_after(session, c, at, AT_ONCE)) for c, at in behind.items()})

    def _emit_rows(self, channel_id: uuid.UUID, rows: list[StreamEvent]) -> None:
        for row in rows:
            if row.seq <= self.seats.positions.get(channel_id, row.seq):
                continue  # nobody is left here, or the row went out already
            if row.evicts is not None:
                for seat in self.seats.of_user_in(uuid.UUID(row.evicts["user_id"]), channel_id):
                    if seat.admitted_at < row.seq:
                        self.evict(seat, row.evicts["reason"])
            if channel_id not in self.seats.positions:
                return
            self.seats.positions[channel_id] = row.seq
            self.wire.tell(channel_id, "event", event_payload(row))
            for seat in self.seats.reached(channel_id, row.seq):
                self.wire.enter(seat.connection.sid, channel_id)

    def _apply_account(self, row: StreamEvent) -> None:
        connections = self.seats.of_user(uuid.UUID(row.data["user_id"]))
        if row.kind == "access.granted":
            payload = {"channel_id": row.data["channel_id"], "group": row.data["group"]}
            for connection in connections:
                self.wire.emit(connection.sid, "access.granted", payload)
        elif row.kind == "session.ended":
            for connection in connections:
                if _is_meant(row.data, connection):
                    self.cut_off(connection, row.data["reason"])

    def cut_off(self, connection: Connection, reason: str) -> None:
        for seat in list(connection.seats.values()):
            self.evict(seat, reason)
        self.wire.close(connection.sid)

    def evict(self, seat: Seat, reason: str) -> None:
        """Take a seat away and say so; nothing more of that channel follows."""
        if seat.closed:
            return
        self.stand_up(seat)
        self.wire.emit(seat.connection.sid, "access.revoked", {"channel_id": str(seat.channel_id), "reason": reason})

    def _extended(self, session: Session, connection: Connection) -> bool:
        """Ask again when a credential ends by time: a session that is used lives on."""
        try:
            sessions.actor_again(session, connection.session_id, connection.token_id)
        except HubError:
            return False
        self.seats.expect_end(connection, sessions.ends_at(session, connection.session_id, connection.token_id))
        return True

    def stand_up(self, seat: Seat) -> None:
        """Take a seat away; whoever still reads for it stops at the next step."""
        self.seats.leave(seat)
        self.wire.leave(seat.connection.sid, seat.channel_id)

    def _renewed(self, session: Session, seat: Seat) -> bool:
        """Ask the door again when an interval ends: it may have been extended since."""
        actor = Actor(user_id=seat.connection.user_id)
        try:
            door = channel_by_id(session, actor, seat.channel_id, Permission.READ_CHANNEL)
        except HubError:
            return False
        self.seats.expect_expiry(seat, door.standing.access_until)
        return True

    def bring_up(self, seat: Seat) -> None:
        """Catch up, or give the socket up: a seat that nobody brings up would be silent for ever, a client that is cut
        off comes back and asks again."""
        try:
            self.catch_up(seat)
        except Exception as error:
            log.warning("catch_up_failed", error=type(error).__name__)
            self.wire.close(seat.connection.sid)

    def catch_up(self, seat: Seat) -> None:
        """Give a seat what it missed, page by page, up to what was fanned out here; then let the fan-out take over.

        It never reads beyond the fan-out's position: revocations up to there have been applied, but for those this seat
        was not there for, which it meets on the way.
        """
        while not seat.closed and not self.seats.settle(seat):
            limit = min(PAGE, self.seats.positions[seat.channel_id] - seat.delivered)
            page = self.pages.read(seat.channel_id, seat.delivered, limit)
            ends = next((n for n, row in enumerate(page.rows) if _puts_out(row, seat)), None)
            count = len(page.rows) if ends is None else ends
            for part in self.wire.parts(page, count):
                if seat.closed:
                    return
                self.wire.hand(seat.connection.sid, part)
            if ends is not None:  # it was fanned out between the door's yes and the taking of the seat
                self.evict(seat, page.rows[ends].evicts["reason"])  # type: ignore[index]
                return
            seat.delivered = page.rows[-1].seq
            self.wire.wait_for_room(seat.connection.sid)
        if seat.closed:
            return
        sid, channel_id = seat.connection.sid, seat.channel_id
        if self.seats.is_level(seat):
            self.wire.enter(sid, channel_id)
        self.wire.emit(sid, "channel.caught_up", {"channel_id": str(channel_id), "head_seq": seat.delivered})

    def tell_heads(self) -> None:
        """Every so often tell each socket where its channels stand: it reveals a lost tail."""
        while True:
            gevent.sleep(HEADS_S)
            for count, connection in enumerate(list(self.seats.connections.values())):
                if count % HEADS_AT_ONCE == 0:
                    gevent.sleep(0)  # thousands of them must not hold up what people say
                positions = self.seats.positions
                known = {str(c): positions[c] for c in connection.seats if c in positions}
                self.wire.emit(connection.sid, "heads", known)

    def listen(self, redis_url: str) -> None:
        """Follow the hints for ever; a Redis that is away is tried again with a short, capped pause."""
        pause = 0.1
        while redis_url:
            try:
                subscription = hints.subscribe(redis_url)
                self.wake()
                for message in subscription.listen():  # type: ignore[no-untyped-call]
                    pause = 0.1
                    self._hear(message["channel"], message["data"])
            except (RedisError, OSError) as error:
                log.warning("hints_away", error=type(error).__name__)
                gevent.sleep(pause)
                pause = min(pause * 2, LONGEST_BACKOFF_S)

    def _hear(self, channel: bytes, data: bytes) -> None:
        """Hints are not trusted: one can only make this process read what is committed, or show a passing hint."""
        try:
            message = json.loads(data)
            if channel == hints.EPHEMERAL.encode():
                if message["name"] not in PASSING:
                    raise ValueError("not a passing hint")
                self.wire.tell(uuid.UUID(message["channel_id"]), str(message["name"]), dict(message["payload"]))
            elif str(ACCOUNT_LOG) in message or any(uuid.UUID(key) in self.seats.positions for key in message):
                self.wake()
        except (ValueError, KeyError, TypeError, AttributeError):
            log.warning("hint_unreadable")


def _puts_out(row: StreamEvent, seat: Seat) -> bool:
    """True when this row takes the seat away; up to the head at which the door let it in, rows are history."""
    if row.evicts is None or row.seq <= seat.admitted_at:
        return False
    return bool(row.evicts["user_id"] == str(seat.connection.user_id))


def _is_meant(ended: dict[str, Any], connection: Connection) -> bool:
    """A null list means every credential of that kind."""
    sessions, tokens = ended["session_ids"], ended["token_ids"]
    if connection.session_id is not None:
        return sessions is None or str(connection.session_id) in sessions
    return tokens is None or str(connection.token_id) in tokens
