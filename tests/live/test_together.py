"""Group commit: who waits for the same channel in one process is served together, each with their own answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
from gevent.lock import BoundedSemaphore
from marshmallow import fields

from creator_hub.accounts import sessions
from creator_hub.core.access import Actor, Permission
from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import SocketEvent, Together
from creator_hub.core.errors import HubError, NotAllowed, SignInRequired, Unavailable
from creator_hub.core.schemas import WireSchema
from creator_hub.live.seats import Connection
from creator_hub.live.together import Gathering
from tests.support.world import a_person


class Said(WireSchema):
    word = fields.String(required=True)


class Room:
    """Takes down what is handled together; refuses "no"."""

    def __init__(self) -> None:
        self.broken = False
        self.batches: list[list[str]] = []
        self.spawned: list[Callable[[], None]] = []
        together = Together(lambda data: "kitchen", self.handle)
        self.event = SocketEvent("say", Said(), Permission.POST, self.handle, True, None, together)
        self.gathering = Gathering(
            BoundedSemaphore(1), lambda serve, *given: self.spawned.append(lambda: serve(*given))
        )

    def handle(self, session: Any, key: str, asked: list[tuple[Actor, dict[str, Any]]]) -> list[Any]:
        if self.broken:
            raise Unavailable
        self.batches.append([data["word"] for _, data in asked])
        for actor, _ in asked:
            actor.proved.add(Permission.POST)
        return [NotAllowed("No.") if data["word"] == "no" else {"said": data["word"]} for _, data in asked]

    def say(self, connection: Connection, word: str) -> gevent.Greenlet[..., Any]:
        def run() -> Any:
            try:
                return self.gathering.run(self.event, "kitchen", connection, {"word": word})
            except HubError as error:
                return error.code

        return gevent.spawn(run)


def connections(*handles: str) -> list[Connection]:
    made = []
    with unit_of_work() as session:
        for handle in handles:
            user = a_person(session, handle)
            row, _ = sessions.begin(session, user, user_agent="", address="")
            made.append(Connection(handle, user.id, row.id, None, "", {}))
    return made


def test_who_waits_is_served_in_one_go_each_with_their_own_answer(database: str) -> None:
    room = Room()
    ana, bo, chen, dee = connections("ana", "bo", "chen", "dee")
    with unit_of_work() as session:
        sessions.end_all(session, dee.user_id)
    waiting = [
        room.say(one, word) for one, word in ((ana, "soup"), (bo, "no"), (ana, "salt"), (chen, "rice"), (dee, "gone"))
    ]
    gevent.sleep(0)
    assert len(room.spawned) == 1
    room.spawned.pop()()
    gevent.joinall(waiting)
    assert [greenlet.value for greenlet in waiting] == [
        {"said": "soup"},
        "not_allowed",
        {"said": "salt"},
        {"said": "rice"},
        SignInRequired().code,
    ]
    assert room.batches == [["soup", "no"], ["salt", "rice"]], "what one person says twice stays in its order"


def test_a_failure_is_everybody_s_answer_and_the_next_are_served(database: str) -> None:
    room = Room()
    room.broken = True
    ana, bo = connections("ana", "bo")
    lost = [room.say(ana, "soup"), room.say(bo, "salt")]
    gevent.sleep(0)
    room.spawned.pop()()
    gevent.joinall(lost)
    assert [greenlet.value for greenlet in lost] == ["unavailable", "unavailable"]
    room.broken = False
    served = room.say(ana, "rice")
    gevent.sleep(0)
    room.spawned.pop()()
    gevent.joinall([served])
    assert served.value == {"said": "rice"}
