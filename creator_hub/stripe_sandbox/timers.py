"""What happens by itself when time passes: due timers run in order, each at its own moment."""

from __future__ import annotations

from collections.abc import Callable

from creator_hub.stripe_sandbox.scope import Scope

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
        with scope.clock.at(moment):
            ACTIONS[action](scope.of(account), target)
        ran += 1
    return ran
