"""The fan-out's promise as a property: whatever happens in whatever order, each seat saw a gap-free run of events in
order from where it sat down, and nothing committed after it was put out."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from creator_hub import streams
from creator_hub.core import db
from creator_hub.core.db import unit_of_work
from creator_hub.core.ids import new_id
from creator_hub.live.fanout import Fanout
from creator_hub.live.pages import Page
from creator_hub.live.seats import Connection, Seats
from creator_hub.streams import Evict, hints

PEOPLE = 3
STEPS = st.lists(
    st.one_of(
        st.just(("append", 0)),
        st.just(("pump", 0)),
        st.tuples(st.sampled_from(["join", "resume", "evict", "drop"]), st.integers(0, PEOPLE - 1)),
    ),
    max_size=40,
)


@dataclass
class Paper:
    """A wire that writes down what each socket is given."""

    given: dict[str, list[tuple[str, dict[str, Any]]]] = field(default_factory=dict)
    rooms: dict[uuid.UUID, set[str]] = field(default_factory=dict)

    def tell(self, channel_id: uuid.UUID, event: str, payload: dict[str, Any]) -> None:
        for sid in self.rooms.get(channel_id, ()):
            self.emit(sid, event, payload)

    def enter(self, sid: str, channel_id: uuid.UUID) -> None:
        self.rooms.setdefault(channel_id, set()).add(sid)

    def leave(self, sid: str, channel_id: uuid.UUID) -> None:
        self.rooms.get(channel_id, set()).discard(sid)

    def parts(self, page: Page, count: int) -> list[dict[str, Any]]:
        return page.payloads(count)

    def hand(self, sid: str, part: dict[str, Any]) -> None:
        self.emit(sid, "event", part)

    def emit(self, sid: str, event: str, payload: dict[str, Any]) -> None:
        self.given.setdefault(sid, []).append((event, payload))

    def wait_for_room(self, sid: str) -> None:
        return None

    def close(self, sid: str) -> None:
        for here in self.rooms.values():
            here.discard(sid)


class World:
    """One process, one channel, three people who come and go. A person keeps the last seq their page applied."""

    def __init__(self) -> None:
        self.seats, self.paper = Seats(), Paper()
        self.fanout = Fanout(self.seats, self.paper)
        self.channel = new_id()
        self.people = [new_id() for _ in range(PEOPLE)]
        self.sat_at: dict[str, int] = {}
        self.put_out_at: dict[str, int] = {}
        self.sid_of: dict[int, str] = {}
        with unit_of_work() as session:
            streams.create(session, self.channel)
        self.fanout.pump()

    def head(self) -> int:
        with unit_of_work() as session:
            return streams.heads(session, [self.channel])[self.channel]

    def append(self, evict: Evict | None = None) -> int:
        with unit_of_work() as session:
            return streams.append(session, self.channel, "member.left" if evict else "x", {}, evict=evict).seq

    def join(self, who: int, after: int | None) -> None:
        self.drop(who)
        head, sid = self.head(), uuid.uuid4().hex
        user = self.people[who]
        connection = Connection(sid, user, new_id(), None, "", {})
        self.seats.connect(connection)
        start = head if after is None else after
        seat = self.seats.take(connection, self.channel, after=start, head=head, access_until=None)
        self.sat_at[sid], self.sid_of[who] = start, sid
        self.fanout.catch_up(seat)
        # A seat that sat down at a head the fan-out had not reached yet is settled: it only waits its turn.
        assert not seat.catching_up

    def drop(self, who: int) -> None:
        sid = self.sid_of.pop(who, None)
        if sid is not None:
            self.seats.disconnect(sid)
            self.paper.close(sid)

    def seen(self, sid: str) -> list[int]:
        return [payload["seq"] for name, payload in self.paper.given.get(sid, []) if name == "event"]

    def run(self, step: str, who: int) -> None:
        sid = self.sid_of.get(who)
        if step == "append":
            self.append()
        elif step == "pump":
            self.fanout.pump()
        elif step == "join":
            self.join(who, None)
        elif step == "resume":
            last = self.seen(sid)[-1] if sid and self.seen(sid) else 0
            self.join(who, last)
        elif step == "drop":
            self.drop(who)
        else:
            at = self.append(Evict(self.people[who], "banned"))
            if sid is not None:
                self.put_out_at.setdefault(sid, at)
                self.sid_of.pop(who)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_every_seat_sees_a_gap_free_run_and_nothing_after_its_eviction(
    database: str, steps: list[tuple[str, int]]
) -> None:
    assert db.engine()
    world = World()
    for step, who in steps:
        world.run(step, who)
    world.append()
    while world.fanout.pump():
        pass
    for sid, start in world.sat_at.items():
        seen = world.seen(sid)
        assert seen == list(range(start + 1, start + 1 + len(seen)))
        if sid in world.put_out_at:
            assert all(seq < world.put_out_at[sid] for seq in seen)
    for sid in world.sid_of.values():
        assert world.seen(sid)[-1:] == [world.head()]


def test_a_ban_that_lands_while_the_door_is_being_passed_puts_the_newcomer_out(database: str) -> None:
    """The door said yes at one head; before the seat was taken, the ban was committed and fanned out to the others."""
    world = World()
    world.join(0, None)
    head_at_the_door = world.head()
    ban = world.append(Evict(world.people[1], "banned"))
    world.fanout.pump()
    bo = Connection("bo", world.people[1], new_id(), None, "", {})
    world.seats.connect(bo)
    seat = world.seats.take(bo, world.channel, after=head_at_the_door, head=head_at_the_door, access_until=None)
    world.fanout.catch_up(seat)
    world.append()
    while world.fanout.pump():
        pass
    assert all(seq < ban for seq in world.seen("bo"))
    assert ("access.revoked", {"channel_id": str(world.channel), "reason": "banned"}) in world.paper.given["bo"]


def test_a_hint_cannot_pass_itself_off_as_a_committed_event(database: str) -> None:
    world = World()
    world.join(0, None)
    sid = world.sid_of[0]
    before = list(world.paper.given.get(sid, []))
    for name in ("event", "access.revoked", "access.granted", "channel.reset", "hello"):
        forged = {"channel_id": str(world.channel), "name": name, "payload": {"html": "<img src=x onerror=alert(1)>"}}
        world.fanout._hear(hints.EPHEMERAL.encode(), json.dumps(forged).encode())
    assert world.paper.given.get(sid, []) == before
    typing = {"channel_id": str(world.channel), "name": "typing", "payload": {}}
    world.fanout._hear(hints.EPHEMERAL.encode(), json.dumps(typing).encode())
    assert world.paper.given[sid][-1] == ("typing", {})
