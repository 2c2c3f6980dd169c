"""The ping wheel: one greenlet looks after the times of all connections."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

COARSEST_S = 1.0


class Timed(Protocol):
    due: int

    def on_time(self) -> float | None: ...


class Wheel:
    """Calls `on_time` of each connection when it is due, to the tick; the answer says in how many seconds again.

    A connection is due at one tick only: scheduling it anew makes the earlier entry void.
    """

    def __init__(self, tick: float, sleep: Callable[[float], None]) -> None:
        self.tick = min(COARSEST_S, tick)
        self._sleep = sleep
        self._slots: dict[int, list[Timed]] = {}
        self._now = self._read()

    def schedule(self, timed: Timed, seconds: float) -> None:
        timed.due = max(self._now + 1, self._read() + round(seconds / self.tick))
        self._slots.setdefault(timed.due, []).append(timed)

    def run(self) -> None:
        """Turn for ever."""
        while True:
            self._sleep(self.tick)
            self.turn()

    def turn(self) -> None:
        """Catch up with the clock, whatever was slept through."""
        now = self._read()
        while self._now < now:
            self._now += 1
            for timed in self._slots.pop(self._now, ()):
                if timed.due == self._now:
                    again = timed.on_time()
                    if again is not None:
                        self.schedule(timed, again)

    def _read(self) -> int:
        return int(time.monotonic() / self.tick)
