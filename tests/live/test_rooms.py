"""The fan-out's order as a property: whatever is emitted to whom, in whatever turns and slices, each member is written
exactly what was emitted to it, in the order of the emits, and nothing from before it came or after it went."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from creator_hub.live.edge.rooms import Fanout, Room

PEOPLE, ROOMS = 6, 2
PERSON, ROOM = st.integers(0, PEOPLE - 1), st.integers(0, ROOMS - 1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("emit"), ROOM, st.just(0)),
        st.tuples(st.just("direct"), st.just(0), PERSON),
        st.tuples(st.sampled_from(["enter", "leave"]), ROOM, PERSON),
        st.tuples(st.sampled_from(["block", "unblock", "break"]), st.just(0), PERSON),
        st.tuples(st.just("turn"), st.just(0), st.just(0)),
    ),
    max_size=60,
)


class Paper:
    """A connection that writes down what it is given; it can block, take a part, or break."""

    def __init__(self) -> None:
        self.given = b""
        self.backlog = b""
        self.blocked = self.broken = False
        self.send: Callable[[bytes], int] = self._send

    def _send(self, data: bytes) -> int:
        if self.broken:
            raise ConnectionResetError
        if self.blocked:
            if len(data) % 2:
                raise BlockingIOError
            self.given += data[:1]
            self.send = lambda _: 0
            return 1
        self.given += data
        return len(data)

    def hold(self, data: bytes, taken: int, events: int) -> None:
        self.backlog += data[taken:]
        self.send = lambda _: 0

    def broke(self, error: OSError) -> None:
        self.send = len

    def unblock(self) -> None:
        self.blocked = False
        self.given, self.backlog = self.given + self.backlog, b""
        if self.send is not len:
            self.send = self._send

    @property
    def all(self) -> bytes:
        return self.given + self.backlog


class World:
    def __init__(self) -> None:
        self.callbacks: deque[Callable[[], None]] = deque()
        self.fanout = Fanout(self.callbacks.append, most=2)
        self.rooms = [Room(self.fanout) for _ in range(ROOMS)]
        self.people = [Paper() for _ in range(PEOPLE)]
        self.expected = [b""] * PEOPLE
        self.number = 0

    def frame(self) -> bytes:
        self.number += 1
        return f"<{self.number}{'.' * (self.number % 3)}>".encode()

    def do(self, what: str, room: int, person: int) -> None:
        getattr(self, what)(self.rooms[room], person)

    def emit(self, room: Room, _: int) -> None:
        frame = self.frame()
        room.emit(frame)
        for person, paper in enumerate(self.people):
            if paper in room.members:
                self.expected[person] += frame

    def direct(self, _: Room, person: int) -> None:
        """As a connection's `write` does it."""
        frame, paper = self.frame(), self.people[person]
        for room in self.rooms:
            if paper in room.members and room.owes:
                room.settle(paper)
        try:
            taken = paper.send(frame)
        except BlockingIOError:
            taken = 0
        except OSError as error:
            paper.broke(error)
            return
        if taken != len(frame):
            paper.hold(frame, taken, 1)
        self.expected[person] += frame

    def enter(self, room: Room, person: int) -> None:
        room.enter(self.people[person])

    def leave(self, room: Room, person: int) -> None:
        room.leave(self.people[person])

    def block(self, _: Room, person: int) -> None:
        self.people[person].blocked = True

    def unblock(self, _: Room, person: int) -> None:
        self.people[person].unblock()

    def break_(self, _: Room, person: int) -> None:
        self.people[person].broken = True

    def turn(self, *_: Any) -> None:
        if self.callbacks:
            self.callbacks.popleft()()


@settings(deadline=None)
@given(steps=STEPS)
def test_each_member_is_written_what_was_emitted_to_it_in_order(steps: list[tuple[str, int, int]]) -> None:
    world = World()
    for what, room, person in steps:
        world.do("break_" if what == "break" else what, room, person)
    while world.callbacks:
        world.turn()
    assert not world.fanout.busy
    for paper, expected in zip(world.people, world.expected, strict=True):
        if paper.broken:
            assert expected.startswith(paper.all)
        else:
            assert paper.all == expected


def test_what_a_room_gathers_in_one_turn_leaves_in_one_write() -> None:
    world = World()
    writes: list[bytes] = []
    ana = world.people[0]
    ana.send = lambda data: writes.append(data) or len(data)  # type: ignore[func-returns-value]
    room = world.rooms[0]
    room.enter(ana)
    for _ in range(8):
        room.emit(b"<x>")
    assert writes == []
    world.turn()
    assert writes == [b"<x>" * 8]


def test_big_rooms_are_served_in_slices_and_rooms_take_turns() -> None:
    world = World()
    for person in range(5):
        world.enter(world.rooms[0], person)
    world.enter(world.rooms[1], 5)
    world.rooms[0].emit(b"<big>")
    world.rooms[1].emit(b"<small>")
    world.turn()
    assert sum(paper.given == b"<big>" for paper in world.people) == 2
    world.turn()
    assert world.people[5].given == b"<small>"
    world.turn()
    world.turn()
    assert sum(paper.given == b"<big>" for paper in world.people) == 5


def test_a_broken_member_does_not_stop_the_others() -> None:
    world = World()
    for person in range(2):
        world.enter(world.rooms[0], person)
    world.people[0].broken = True
    world.rooms[0].emit(b"<x>")
    world.turn()
    assert world.people[1].given == b"<x>"
