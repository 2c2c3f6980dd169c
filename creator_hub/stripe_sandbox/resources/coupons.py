"""Coupons."""

from __future__ import annotations

from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, merge_metadata
from creator_hub.stripe_sandbox.routes import listing, retrieval, route, updating
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj


@route(
    "POST",
    "/v1/coupons",
    {
        "id": str,
        "amount_off": int,
        "applies_to": {"products": [str]},
        "currency": str,
        "duration": ("forever", "once", "repeating"),
        "duration_in_months": int,
        "max_redemptions": int,
        "metadata": META,
        "name": str,
        "percent_off": float,
        "redeem_by": int,
    },
)
def create_coupon(scope: Scope, params: Obj) -> Obj:
    if (params.get("percent_off") is None) == (params.get("amount_off") is None):
        raise invalid("You must pass exactly one of `percent_off` and `amount_off`.", code="parameter_missing")
    if not 0 < (params.get("percent_off") or 100) <= 100 or (params.get("amount_off") or 1) < 1:
        raise invalid("A coupon takes off more than nothing and at most 100 %.", param="percent_off")
    if params.get("amount_off") is not None and not params.get("currency"):
        raise invalid("You must pass `currency` with `amount_off`.", code="parameter_missing", param="currency")
    duration = params.get("duration") or "once"
    if (duration == "repeating") != (params.get("duration_in_months") is not None):
        raise invalid("`duration_in_months` belongs to, and only to, a repeating coupon.", param="duration_in_months")
    identifier = params.get("id") or new_id("coupon", 8).partition("_")[2]
    if scope.find("coupon", identifier):
        raise invalid(f"Coupon already exists: {identifier}", code="resource_already_exists", param="id")
    coupon: Obj = {
        "id": identifier,
        "object": "coupon",
        "amount_off": params.get("amount_off"),
        "created": scope.now,
        "currency": params["currency"].lower() if params.get("currency") else None,
        "duration": duration,
        "duration_in_months": params.get("duration_in_months"),
        "livemode": False,
        "max_redemptions": params.get("max_redemptions"),
        "metadata": merge_metadata(None, params.get("metadata")),
        "name": params.get("name"),
        "percent_off": params.get("percent_off"),
        "redeem_by": params.get("redeem_by"),
        "times_redeemed": 0,
        "valid": True,
        "_products": (params.get("applies_to") or {}).get("products") or [],
    }
    for product in coupon["_products"]:
        scope.get("product", product, "applies_to[products]")
    scope.add(coupon)
    scope.emit("coupon.created", coupon)
    return coupon


updating("/v1/coupons/{id}", "coupon", {"metadata": META, "name": str})


@route("DELETE", "/v1/coupons/{id}")
def delete_coupon(scope: Scope, params: Obj, identifier: str) -> Obj:
    coupon = scope.get("coupon", identifier)
    scope.store.delete(scope.account, "coupon", identifier)
    scope.emit("coupon.deleted", coupon)
    return {"id": identifier, "object": "coupon", "deleted": True}


retrieval("/v1/coupons/{id}", "coupon")
listing("/v1/coupons", "coupon", {"created": CREATED})
