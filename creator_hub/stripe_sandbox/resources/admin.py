"""Events, webhook endpoints, test clocks and the billing portal's session."""

from __future__ import annotations

import secrets

from creator_hub.stripe_sandbox.billing import DAY
from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, PAGE, merge_metadata
from creator_hub.stripe_sandbox.routes import Page, created_range, listing, retrieval, route
from creator_hub.stripe_sandbox.scope import API_VERSION, Scope, new_id
from creator_hub.stripe_sandbox.store import Obj
from creator_hub.stripe_sandbox.timers import run_due

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


def make_endpoint(scope: Scope, identifier: str, url: str, events: list[str], secret: str, connect: bool) -> Obj:
    return {
        "id": identifier,
        "object": "webhook_endpoint",
        "api_version": API_VERSION,
        "application": None,
        "created": scope.now,
        "description": None,
        "enabled_events": events,
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
        "_secret": secret,
        "_connect": connect,
    }


@route(
    "POST",
    "/v1/webhook_endpoints",
    {
        "enabled_events*": [str],
        "url*": str,
        "api_version": str,
        "connect": bool,
        "description": str,
        "metadata": META,
    },
)
def create_endpoint(scope: Scope, params: Obj) -> Obj:
    endpoint = make_endpoint(
        scope,
        new_id("we"),
        params["url"],
        params["enabled_events"],
        f"whsec_{secrets.token_hex(16)}",
        params.get("connect", False),
    )
    endpoint |= {"description": params.get("description"), "metadata": merge_metadata(None, params.get("metadata"))}
    scope.add(endpoint)
    return {**endpoint, "secret": endpoint["_secret"]}


@route(
    "POST",
    "/v1/webhook_endpoints/{id}",
    {
        "enabled_events": [str],
        "url": str,
        "disabled": bool,
        "description": str,
        "metadata": META,
    },
)
def update_endpoint(scope: Scope, params: Obj, identifier: str) -> Obj:
    endpoint = scope.get("webhook_endpoint", identifier)
    for name in ("enabled_events", "url", "description"):
        if params.get(name):
            endpoint[name] = params[name]
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    endpoint["metadata"] = merge_metadata(endpoint["metadata"], params.get("metadata"))
    return scope.save(endpoint)


@route("DELETE", "/v1/webhook_endpoints/{id}")
def delete_endpoint(scope: Scope, params: Obj, identifier: str) -> Obj:
    scope.get("webhook_endpoint", identifier)
    scope.store.delete(scope.account, "webhook_endpoint", identifier)
    return {"id": identifier, "object": "webhook_endpoint", "deleted": True}


retrieval("/v1/webhook_endpoints/{id}", "webhook_endpoint")
listing("/v1/webhook_endpoints", "webhook_endpoint")


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


@route("DELETE", "/v1/test_helpers/test_clocks/{id}")
def delete_test_clock(scope: Scope, params: Obj, identifier: str) -> Obj:
    scope.get("test_helpers.test_clock", identifier)
    scope.store.delete(scope.account, "test_helpers.test_clock", identifier)
    return {"id": identifier, "object": "test_helpers.test_clock", "deleted": True}


retrieval("/v1/test_helpers/test_clocks/{id}", "test_helpers.test_clock")
listing("/v1/test_helpers/test_clocks", "test_helpers.test_clock")
