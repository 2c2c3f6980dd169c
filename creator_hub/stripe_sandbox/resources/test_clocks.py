"""Test clocks: frozen time for the customers that hang on one."""

from __future__ import annotations

from creator_hub.stripe_sandbox.billing import DAY
from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.routes import deletion, listing, retrieval, route
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj
from creator_hub.stripe_sandbox.timers import run_due


@route("POST", "/v1/test_helpers/test_clocks", {"frozen_time*": int, "name": str})
def create_test_clock(scope: Scope, params: Obj) -> Obj:
    clock = {
        "id": new_id("clock"),
        "object": "test_helpers.test_clock",
        "created": scope.now,
        "deletes_after": scope.now + 30 * DAY,
        "frozen_time": params["frozen_time"],
        "livemode": False,
        "name": params.get("name"),
        "status": "ready",
        "status_details": {},
    }
    scope.add(clock)
    scope.emit("test_helpers.test_clock.created", clock)
    return clock


@route("POST", "/v1/test_helpers/test_clocks/{id}/advance", {"frozen_time*": int})
def advance_test_clock(scope: Scope, params: Obj, identifier: str) -> Obj:
    """Everything that falls due for the clock's customers happens now, each at its own moment."""
    clock = scope.get("test_helpers.test_clock", identifier)
    if params["frozen_time"] <= clock["frozen_time"]:
        raise invalid("The advance time must be after the clock's current frozen time.", param="frozen_time")
    run_due(scope, params["frozen_time"], identifier)
    clock["frozen_time"] = params["frozen_time"]
    scope.save(clock)
    scope.emit("test_helpers.test_clock.ready", clock)
    return clock


deletion("/v1/test_helpers/test_clocks/{id}", "test_helpers.test_clock")
retrieval("/v1/test_helpers/test_clocks/{id}", "test_helpers.test_clock")
listing("/v1/test_helpers/test_clocks", "test_helpers.test_clock")
