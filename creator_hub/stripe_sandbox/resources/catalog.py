"""Products, prices, tax rates, coupons and promotion codes."""

from __future__ import annotations

import secrets
from typing import Any

from creator_hub.stripe_sandbox.billing import boundary
from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, Spec, merge_metadata
from creator_hub.stripe_sandbox.routes import listing, retrieval, route
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj

INTERVALS = ("day", "week", "month", "year")
TAX_BEHAVIORS = ("exclusive", "inclusive", "unspecified")
RECURRING: Spec = {"interval*": INTERVALS, "interval_count": int}
PRODUCT_FIELDS: Spec = {
    "active": bool,
    "description": str,
    "images": [str],
    "metadata": META,
    "shippable": bool,
    "statement_descriptor": str,
    "unit_label": str,
    "url": str,
}
PRICE_DATA: Spec = {
    "currency*": str,
    "product": str,
    "product_data": {"name*": str, "description": str, "metadata": META},
    "recurring": RECURRING,
    "tax_behavior": TAX_BEHAVIORS,
    "unit_amount": int,
}


@route("POST", "/v1/products", {"name*": str, "id": str, **PRODUCT_FIELDS})
def create_product(scope: Scope, params: Obj) -> Obj:
    product: Obj = {
        "id": params.get("id") or new_id("prod", 14),
        "object": "product",
        "active": params.get("active", True),
        "created": scope.now,
        "default_price": None,
        "description": params.get("description"),
        "images": params.get("images", []),
        "livemode": False,
        "marketing_features": [],
        "metadata": merge_metadata(None, params.get("metadata")),
        "name": params["name"],
        "package_dimensions": None,
        "shippable": params.get("shippable"),
        "statement_descriptor": params.get("statement_descriptor"),
        "tax_code": None,
        "type": "service",
        "unit_label": params.get("unit_label"),
        "updated": scope.now,
        "url": params.get("url"),
    }
    scope.add(product)
    scope.emit("product.created", product)
    return product


@route("POST", "/v1/products/{id}", {"name": str, "default_price": str, **PRODUCT_FIELDS})
def update_product(scope: Scope, params: Obj, identifier: str) -> Obj:
    with scope.changing(scope.get("product", identifier), "product.updated") as product:
        apply(product, params)
        product["updated"] = scope.now
    return product


@route("DELETE", "/v1/products/{id}")
def delete_product(scope: Scope, params: Obj, identifier: str) -> Obj:
    product = scope.get("product", identifier)
    if scope.all("price", product=identifier):
        raise invalid("This product cannot be deleted because it has one or more user-created prices.")
    scope.store.delete(scope.account, "product", identifier)
    scope.emit("product.deleted", product)
    return {"id": identifier, "object": "product", "deleted": True}


retrieval("/v1/products/{id}", "product")
listing("/v1/products", "product", {"active": bool, "created": CREATED})


def apply(obj: Obj, params: Obj) -> None:
    """Write the given fields; metadata is merged, `expand` is no field."""
    for name, value in params.items():
        if name == "metadata":
            obj[name] = merge_metadata(obj.get(name), value)
        elif name != "expand":
            obj[name] = value


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


@route(
    "POST",
    "/v1/prices/{id}",
    {
        "active": bool,
        "lookup_key": str,
        "metadata": META,
        "nickname": str,
        "tax_behavior": TAX_BEHAVIORS,
    },
)
def update_price(scope: Scope, params: Obj, identifier: str) -> Obj:
    with scope.changing(scope.get("price", identifier), "price.updated") as price:
        apply(price, params)
    return price


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


@route(
    "POST",
    "/v1/tax_rates/{id}",
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
def update_tax_rate(scope: Scope, params: Obj, identifier: str) -> Obj:
    with scope.changing(scope.get("tax_rate", identifier), "tax_rate.updated") as rate:
        apply(rate, params)
    return rate


retrieval("/v1/tax_rates/{id}", "tax_rate")
listing("/v1/tax_rates", "tax_rate", {"active": bool, "inclusive": bool, "created": CREATED})


@route(
    "POST",
    "/v1/coupons",
    {
        "id": str,
        "amount_off": int,
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
        "currency": params.get("currency"),
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
    }
    scope.add(coupon)
    scope.emit("coupon.created", coupon)
    return coupon


@route("POST", "/v1/coupons/{id}", {"metadata": META, "name": str})
def update_coupon(scope: Scope, params: Obj, identifier: str) -> Obj:
    with scope.changing(scope.get("coupon", identifier), "coupon.updated") as coupon:
        apply(coupon, params)
    return coupon


@route("DELETE", "/v1/coupons/{id}")
def delete_coupon(scope: Scope, params: Obj, identifier: str) -> Obj:
    coupon = scope.get("coupon", identifier)
    scope.store.delete(scope.account, "coupon", identifier)
    scope.emit("coupon.deleted", coupon)
    return {"id": identifier, "object": "coupon", "deleted": True}


retrieval("/v1/coupons/{id}", "coupon")
listing("/v1/coupons", "coupon", {"created": CREATED})


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
    },
)
def create_promotion_code(scope: Scope, params: Obj) -> Obj:
    coupon = scope.get("coupon", params["promotion"].get("coupon") or "", "promotion[coupon]")
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
        "restrictions": {"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None},
        "times_redeemed": 0,
    }
    scope.add(promotion)
    scope.emit("promotion_code.created", promotion)
    return promotion


@route("POST", "/v1/promotion_codes/{id}", {"active": bool, "metadata": META})
def update_promotion_code(scope: Scope, params: Obj, identifier: str) -> Obj:
    with scope.changing(scope.get("promotion_code", identifier), "promotion_code.updated") as promotion:
        apply(promotion, params)
    return promotion


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


def redeem(scope: Scope, given: list[Obj], **bound: Any) -> list[Obj]:
    """Discount objects for `discounts` parameters; counts the redemption. Raises for a coupon that is used up."""
    return [_discount(scope, item, bound) for item in given if item]


def _discount(scope: Scope, item: Obj, bound: dict[str, Any]) -> Obj:
    promotion = (
        scope.get("promotion_code", item["promotion_code"], "promotion_code") if item.get("promotion_code") else None
    )
    coupon = scope.get("coupon", promotion["promotion"]["coupon"] if promotion else item.get("coupon", ""), "coupon")
    for holder in filter(None, (coupon, promotion)):
        _refuse_used_up(scope, holder)
        holder["times_redeemed"] += 1
        if holder["max_redemptions"] is not None and holder["times_redeemed"] >= holder["max_redemptions"]:
            holder["valid" if holder is coupon else "active"] = False
        scope.save(holder)
    months = coupon["duration_in_months"]
    from_now = scope.now
    return {
        "id": new_id("di"),
        "object": "discount",
        "checkout_session": bound.get("checkout_session"),
        "customer": bound.get("customer"),
        "end": months_later(from_now, months) if months else None,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": promotion and promotion["id"],
        "source": {"type": "coupon", "coupon": coupon["id"]},
        "start": from_now,
        "subscription": bound.get("subscription"),
        "subscription_item": None,
        "_coupon": coupon,
    }


def _refuse_used_up(scope: Scope, holder: Obj) -> None:
    expiry = holder.get("redeem_by") or holder.get("expires_at")
    if not holder.get("valid", holder.get("active")) or (expiry and expiry <= scope.now):
        raise invalid(
            f"{holder['object'].replace('_', ' ').capitalize()} {holder['id']} is used up or has expired.",
            code="coupon_expired",
            param="discounts",
        )


def months_later(moment: int, months: int) -> int:
    return boundary(moment, "month", 1, months)
