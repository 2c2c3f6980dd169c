"""Webhook endpoints."""

from __future__ import annotations

import secrets

from creator_hub.stripe_sandbox.forms import META, merge_metadata
from creator_hub.stripe_sandbox.routes import deletion, listing, retrieval, route
from creator_hub.stripe_sandbox.scope import API_VERSION, Scope, new_id
from creator_hub.stripe_sandbox.store import Obj


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


deletion("/v1/webhook_endpoints/{id}", "webhook_endpoint")
retrieval("/v1/webhook_endpoints/{id}", "webhook_endpoint")
listing("/v1/webhook_endpoints", "webhook_endpoint")
