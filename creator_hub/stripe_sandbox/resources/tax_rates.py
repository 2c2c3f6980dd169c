"""Tax rates, inclusive or exclusive."""

from __future__ import annotations

from creator_hub.stripe_sandbox.forms import CREATED, META, merge_metadata
from creator_hub.stripe_sandbox.routes import listing, retrieval, route, updating
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj


@route(
    "POST",
    "/v1/tax_rates",
    {
        "display_name*": str,
        "inclusive*": bool,
        "percentage*": float,
        "active": bool,
        "country": str,
        "description": str,
        "jurisdiction": str,
        "metadata": META,
        "state": str,
        "tax_type": ("gst", "vat", "sales_tax"),
    },
)
def create_tax_rate(scope: Scope, params: Obj) -> Obj:
    rate: Obj = {
        "id": new_id("txr"),
        "object": "tax_rate",
        "active": params.get("active", True),
        "country": params.get("country"),
        "created": scope.now,
        "description": params.get("description"),
        "display_name": params["display_name"],
        "effective_percentage": None,
        "flat_amount": None,
        "inclusive": params["inclusive"],
        "jurisdiction": params.get("jurisdiction"),
        "jurisdiction_level": None,
        "livemode": False,
        "metadata": merge_metadata(None, params.get("metadata")),
        "percentage": params["percentage"],
        "rate_type": "percentage",
        "state": params.get("state"),
        "tax_type": params.get("tax_type"),
    }
    scope.add(rate)
    scope.emit("tax_rate.created", rate)
    return rate


updating(
    "/v1/tax_rates/{id}",
    "tax_rate",
    {
        "active": bool,
        "country": str,
        "description": str,
        "display_name": str,
        "jurisdiction": str,
        "metadata": META,
        "state": str,
    },
)
retrieval("/v1/tax_rates/{id}", "tax_rate")
listing("/v1/tax_rates", "tax_rate", {"active": bool, "inclusive": bool, "created": CREATED})
