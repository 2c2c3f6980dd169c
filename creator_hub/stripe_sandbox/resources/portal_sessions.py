"""Billing portal sessions: a link to the page where a customer sees to card, subscriptions and invoices."""

from __future__ import annotations

from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.routes import route
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj


@route("POST", "/v1/billing_portal/sessions", {"customer": str, "return_url": str})
def create_portal_session(scope: Scope, params: Obj) -> Obj:
    if not params.get("customer"):
        raise invalid("Missing required param: customer.", code="parameter_missing", param="customer")
    customer = scope.get("customer", params["customer"], "customer")
    identifier = new_id("bps")
    session: Obj = {
        "id": identifier,
        "object": "billing_portal.session",
        "configuration": "bpc_sandbox",
        "created": scope.now,
        "customer": customer["id"],
        "customer_account": None,
        "flow": None,
        "livemode": False,
        "locale": None,
        "on_behalf_of": None,
        "return_url": params.get("return_url"),
        "url": f"{scope.base_url}/p/session/{identifier}",
    }
    return scope.add(session)
