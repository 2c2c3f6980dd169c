"""The sandbox's time: real time plus an offset that only the control plane moves, or a test clock's frozen time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from creator_hub.stripe_sandbox.store import Store


class Clock:
    """Unix seconds. All use happens under the store's lock, so the `at` override needs no lock of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._override: int | None = None

    def now(self) -> int:
        if self._override is not None:
            return self._override
        return int(time.time()) + self.offset

    @property
    def offset(self) -> int:
        return int(self._store.meta("clock_offset", 0))

    def move_to(self, moment: int) -> None:
        self._store.set_meta("clock_offset", moment - int(time.time()))

    @contextmanager
    def at(self, moment: int) -> Iterator[None]:
        """Everything inside happens at `moment`: how due timers run at their own time, not at the end of the jump."""
        before, self._override = self._override, moment
        try:
            yield
        finally:
            self._override = before
