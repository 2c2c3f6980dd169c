"""Promotion codes: what a person types to get a coupon."""

from __future__ import annotations

import secrets

from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, merge_metadata
from creator_hub.stripe_sandbox.routes import listing, retrieval, route, updating
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj


@route(
    "POST",
    "/v1/promotion_codes",
    {
        "promotion*": {"type*": ("coupon",), "coupon": str},
        "active": bool,
        "code": str,
        "customer": str,
        "expires_at": int,
        "max_redemptions": int,
        "metadata": META,
        "restrictions": {"first_time_transaction": bool, "minimum_amount": int, "minimum_amount_currency": str},
    },
)
def create_promotion_code(scope: Scope, params: Obj) -> Obj:
    coupon = scope.get("coupon", params["promotion"].get("coupon") or "", "promotion[coupon]")
    rules = params.get("restrictions") or {}
    if (rules.get("minimum_amount") is None) != (rules.get("minimum_amount_currency") is None):
        raise invalid("`minimum_amount` and `minimum_amount_currency` belong together.", param="restrictions")
    code = params.get("code") or secrets.token_hex(4).upper()
    if scope.all("promotion_code", code=code, active=True):
        raise invalid(f"An active promotion code with `code: {code}` already exists.", param="code")
    promotion: Obj = {
        "id": new_id("promo"),
        "object": "promotion_code",
        "active": params.get("active", True),
        "code": code,
        "created": scope.now,
        "customer": params.get("customer"),
        "expires_at": params.get("expires_at"),
        "livemode": False,
        "max_redemptions": params.get("max_redemptions"),
        "metadata": merge_metadata(None, params.get("metadata")),
        "promotion": {"type": "coupon", "coupon": coupon["id"]},
        "restrictions": {
            "first_time_transaction": rules.get("first_time_transaction", False),
            "minimum_amount": rules.get("minimum_amount"),
            "minimum_amount_currency": rules.get("minimum_amount_currency"),
        },
        "times_redeemed": 0,
    }
    scope.add(promotion)
    scope.emit("promotion_code.created", promotion)
    return promotion


updating("/v1/promotion_codes/{id}", "promotion_code", {"active": bool, "metadata": META})
retrieval("/v1/promotion_codes/{id}", "promotion_code")
listing(
    "/v1/promotion_codes",
    "promotion_code",
    {
        "active": bool,
        "code": str,
        "customer": str,
        "created": CREATED,
    },
)
