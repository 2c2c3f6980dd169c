"""Handlers run in a few greenlets that exist only while there is input: a client's events in the order it sent them,
clients in turns. The bound is what keeps a reconnect storm from asking the database for two thousand connections."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from creator_hub.core import logs

MOST = 64
log = logs.get(__name__)


class Client(Protocol):
    working: bool
    inbox: deque[Any] | None

    def took(self) -> None: ...


class Workers:
    """`work(client, item)` is called in a greenlet; an exception it lets out is logged and forgotten."""

    def __init__(self, work: Callable[[Any, Any], None], spawn: Callable[[Callable[[], None]], object]) -> None:
        self._work = work
        self._spawn = spawn
        self._ready: deque[Client] = deque()
        self._active = 0

    def ready(self, client: Client) -> None:
        """This client has something in its inbox."""
        if client.working:
            return
        client.working = True
        self._ready.append(client)
        if self._active < MOST:
            self._active += 1
            self._spawn(self._run)

    def _run(self) -> None:
        try:
            while self._ready:
                self._serve(self._ready.popleft())
        finally:
            self._active -= 1

    def _serve(self, client: Client) -> None:
        """One item, then the next client's turn."""
        inbox = client.inbox
        if inbox:
            item = inbox.popleft()
            client.took()
            try:
                self._work(client, item)
            except Exception as error:
                log.error("socket_event_failed", error=type(error).__name__, exc_info=error)
        if client.inbox:
            self._ready.append(client)
        else:
            client.working, client.inbox = False, None
