"""Group commit: what waits for the same thing in one process is handled in one transaction.

A busy channel's sends all wait for one row lock, each for the other's commit. Taken together they take the lock once,
read what they need once, and reach the disk in one commit; each is still refused or accepted for itself.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import gevent
from gevent.event import AsyncResult
from gevent.lock import BoundedSemaphore

from creator_hub.accounts import sessions
from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import SocketEvent
from creator_hub.core.errors import HubError, SignInRequired
from creator_hub.live.seats import Connection

MOST_AT_ONCE = 32


@dataclass(slots=True, eq=False)
class Asked:
    connection: Connection
    data: Any
    answer: AsyncResult[Any]


class Gathering:
    """Runs events that declare `together`; whoever asks waits for their own answer."""

    def __init__(self, few: BoundedSemaphore, spawn: Callable[..., object] = gevent.spawn) -> None:
        self._few = few
        self._spawn = spawn
        self._waiting: dict[tuple[str, Any], deque[Asked]] = {}

    def run(self, event: SocketEvent, key: Any, connection: Connection, data: Any) -> dict[str, Any]:
        asked = Asked(connection, data, AsyncResult())
        waiting = self._waiting.get((event.name, key))
        if waiting is None:
            self._waiting[event.name, key] = deque([asked])
            self._spawn(self._serve, event, key)
        else:
            waiting.append(asked)
        answer = asked.answer.get()
        if isinstance(answer, BaseException):
            raise answer
        return cast(dict[str, Any], answer)

    def _serve(self, event: SocketEvent, key: Any) -> None:
        """Batch after batch, until nobody waits."""
        waiting = self._waiting[event.name, key]
        while waiting:
            with self._few:
                batch = _batch(waiting)
                for asked, answer in zip(batch, self._answers(event, key, batch), strict=True):
                    asked.answer.set(answer)
        del self._waiting[event.name, key]

    def _answers(self, event: SocketEvent, key: Any, batch: list[Asked]) -> list[Any]:
        """Each one's fields, or the error to be raised where they wait. Nobody is answered before the commit."""
        try:
            with unit_of_work() as session:
                credentials = [(asked.connection.session_id, asked.connection.token_id) for asked in batch]
                actors = sessions.actors_again(session, credentials)
                alive = [(actor, asked.data) for actor, asked in zip(actors, batch, strict=True) if actor is not None]
                done = iter(event.together.handler(session, key, alive) if event.together and alive else ())
                answers = [SignInRequired() if actor is None else next(done) for actor in actors]
                for actor, answer in zip(actors, answers, strict=True):
                    if actor and not isinstance(answer, HubError) and event.permission not in actor.proved:
                        raise RuntimeError(f"{event.name} never checked {event.permission}")
        except Exception as error:
            return [error] * len(batch)
        return answers


def _batch(waiting: deque[Asked]) -> list[Asked]:
    """The longest waiting ones, a person at most once: what one says twice stays in its order."""
    chosen: list[Asked] = []
    people: set[uuid.UUID] = set()
    while waiting and len(chosen) < MOST_AT_ONCE and waiting[0].connection.user_id not in people:
        people.add(waiting[0].connection.user_id)
        chosen.append(waiting.popleft())
    return chosen
