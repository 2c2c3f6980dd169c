"""What happens by itself when time passes: due timers run in order, each at its own moment."""

from __future__ import annotations

import logging
from collections.abc import Callable

from creator_hub.stripe_sandbox.errors import ApiError
from creator_hub.stripe_sandbox.scope import Scope

log = logging.getLogger(__name__)

ACTIONS: dict[str, Callable[[Scope, str], None]] = {}


def timer(action: str) -> Callable[[Callable[[Scope, str], None]], Callable[[Scope, str], None]]:
    """Register what a timer of this name does with its target's id."""

    def register(function: Callable[[Scope, str], None]) -> Callable[[Scope, str], None]:
        ACTIONS[action] = function
        return function

    return register


def run_due(scope: Scope, until: int, test_clock: str = "") -> int:
    """Run every timer of this clock due by `until`, earliest first, also those set on the way; returns how many ran."""
    ran = 0
    while (due := scope.store.take_due(test_clock, until)) is not None:
        moment, action, account, target = due
        try:
            with scope.store.step(), scope.clock.at(moment):
                ACTIONS[action](scope.of(account), target)
        except ApiError:
            # One object that cannot go on must not stop the calendar for all the others.
            log.exception("timer %s of %s was dropped", action, target)
        ran += 1
    return ran
