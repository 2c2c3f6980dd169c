"""Prices: one amount per unit, once or recurring."""

from __future__ import annotations

from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, Spec, merge_metadata
from creator_hub.stripe_sandbox.resources.products import create_product
from creator_hub.stripe_sandbox.routes import listing, retrieval, route, updating
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj

INTERVALS = ("day", "week", "month", "year")
TAX_BEHAVIORS = ("exclusive", "inclusive", "unspecified")
RECURRING: Spec = {"interval*": INTERVALS, "interval_count": int}
PRICE_DATA: Spec = {
    "currency*": str,
    "product": str,
    "product_data": {"name*": str, "description": str, "metadata": META},
    "recurring": RECURRING,
    "tax_behavior": TAX_BEHAVIORS,
    "unit_amount": int,
}


@route(
    "POST",
    "/v1/prices",
    {
        "currency*": str,
        "active": bool,
        "lookup_key": str,
        "metadata": META,
        "nickname": str,
        "product": str,
        "product_data": {"name*": str, "metadata": META},
        "recurring": {**RECURRING, "usage_type": ("licensed",)},
        "tax_behavior": TAX_BEHAVIORS,
        "transfer_lookup_key": bool,
        "unit_amount": int,
    },
)
def create_price(scope: Scope, params: Obj) -> Obj:
    return make_price(scope, params)


def make_price(scope: Scope, params: Obj) -> Obj:
    """A price from its parameters or from inline `price_data`."""
    if params.get("unit_amount") is None:
        raise invalid("You must specify `unit_amount`.", code="parameter_missing", param="unit_amount")
    if params["unit_amount"] < 0:
        raise invalid("This value must be greater than or equal to 0.", param="unit_amount")
    if not params.get("product") and not params.get("product_data"):
        raise invalid("You must specify either `product` or `product_data`.", code="parameter_missing")
    product = (
        scope.get("product", params["product"], "product")
        if params.get("product")
        else create_product(scope, params["product_data"])
    )
    recurring = params.get("recurring")
    _free_lookup_key(scope, params)
    price: Obj = {
        "id": new_id("price"),
        "object": "price",
        "active": params.get("active", True),
        "billing_scheme": "per_unit",
        "created": scope.now,
        "currency": params["currency"].lower(),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": params.get("lookup_key"),
        "metadata": merge_metadata(None, params.get("metadata")),
        "nickname": params.get("nickname"),
        "product": product["id"],
        "recurring": recurring
        and {
            "interval": recurring["interval"],
            "interval_count": recurring.get("interval_count", 1),
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        },
        "tax_behavior": params.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": params["unit_amount"],
        "unit_amount_decimal": str(params["unit_amount"]),
    }
    scope.add(price)
    scope.emit("price.created", price)
    return price


def _free_lookup_key(scope: Scope, params: Obj) -> None:
    key = params.get("lookup_key")
    for holder in scope.all("price", lookup_key=key) if key else []:
        if not params.get("transfer_lookup_key"):
            raise invalid(f"A price (`{holder['id']}`) already uses that lookup key.", param="lookup_key")
        holder["lookup_key"] = None
        scope.save(holder)


updating(
    "/v1/prices/{id}",
    "price",
    {"active": bool, "lookup_key": str, "metadata": META, "nickname": str, "tax_behavior": TAX_BEHAVIORS},
)
retrieval("/v1/prices/{id}", "price")
listing(
    "/v1/prices",
    "price",
    {
        "active": bool,
        "created": CREATED,
        "currency": str,
        "product": str,
        "type": ("one_time", "recurring"),
    },
)
