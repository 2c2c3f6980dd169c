"""Events of the last thirty days."""

from __future__ import annotations

from creator_hub.stripe_sandbox.billing import DAY
from creator_hub.stripe_sandbox.forms import CREATED, PAGE
from creator_hub.stripe_sandbox.routes import Page, created_range, retrieval, route
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj

retrieval("/v1/events/{id}", "event")


@route("GET", "/v1/events", {**PAGE, "created": CREATED, "delivery_success": bool, "type": str, "types": [str]})
def list_events(scope: Scope, params: Obj) -> Page:
    """Events of the last 30 days, newest first; `type` may end in `.*`."""
    kinds = params.get("types") or ([params["type"]] if params.get("type") else [])
    newest = created_range(params) or {}
    oldest = {**newest, "gte": max(newest.get("gte", 0), scope.now - 30 * DAY)}

    def wanted(event: Obj) -> bool:
        return any(
            event["type"] == kind or (kind.endswith(".*") and event["type"].startswith(kind[:-1])) for kind in kinds
        )

    return Page("event", {}, oldest, wanted if kinds else None)
