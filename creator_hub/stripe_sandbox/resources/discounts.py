"""Discounts: a coupon at work on a subscription or a Checkout."""

from __future__ import annotations

from typing import Any

from creator_hub.stripe_sandbox import fees
from creator_hub.stripe_sandbox.billing import boundary
from creator_hub.stripe_sandbox.errors import ApiError, invalid
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj


def redeem(scope: Scope, given: list[Obj], *, currency: str, amount: int | None = None, **bound: Any) -> list[Obj]:
    """Discount objects for `discounts` parameters; counts the redemptions. Raises what `coupon_for` raises."""
    return [_redeemed(scope, item, currency, amount, bound) for item in given if item]


def coupon_for(
    scope: Scope, item: Obj, *, currency: str, customer: str | None = None, amount: int | None = None
) -> tuple[Obj, Obj | None]:
    """The coupon (and the promotion code) a `discounts` entry names. Raises 400 for one that is used up, expired,
    somebody else's, below its minimum or in another currency."""
    promotion = None
    if item.get("promotion_code"):
        promotion = scope.get("promotion_code", item["promotion_code"], "discounts")
        _refuse_restricted(scope, promotion, customer, currency, amount)
    coupon = scope.get("coupon", promotion["promotion"]["coupon"] if promotion else item.get("coupon", ""), "coupon")
    for holder in filter(None, (coupon, promotion)):
        _refuse_used_up(scope, holder)
    if coupon["amount_off"] is not None and coupon["currency"] != currency:
        raise invalid(
            f"The coupon `{coupon['id']}` takes off {coupon['currency'].upper()} and cannot be applied to "
            f"{currency.upper()}.",
            param="discounts",
        )
    return coupon, promotion


def _redeemed(scope: Scope, item: Obj, currency: str, amount: int | None, bound: dict[str, Any]) -> Obj:
    customer = bound.get("customer")
    coupon, promotion = coupon_for(scope, item, currency=currency, customer=customer, amount=amount)
    for holder in filter(None, (coupon, promotion)):
        holder["times_redeemed"] += 1
        if holder["max_redemptions"] is not None and holder["times_redeemed"] >= holder["max_redemptions"]:
            holder["valid" if holder is coupon else "active"] = False
        scope.save(holder)
        scope.emit(f"{holder['object']}.updated", holder)
    months = coupon["duration_in_months"]
    return {
        "id": new_id("di"),
        "object": "discount",
        "checkout_session": bound.get("checkout_session"),
        "customer": customer,
        "end": boundary(scope.now, "month", 1, months) if months else None,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": promotion and promotion["id"],
        "source": {"type": "coupon", "coupon": coupon["id"]},
        "start": scope.now,
        "subscription": bound.get("subscription"),
        "subscription_item": None,
        "_coupon": coupon,
    }


def _refuse_restricted(scope: Scope, promotion: Obj, customer: str | None, currency: str, amount: int | None) -> None:
    rules = promotion["restrictions"]
    if promotion["customer"] and promotion["customer"] != customer:
        raise _refused("This promotion code cannot be redeemed because it belongs to another customer.")
    if rules["first_time_transaction"] and customer and scope.all("charge", customer=customer, status="succeeded"):
        raise _refused("This promotion code cannot be redeemed because the associated customer has prior transactions.")
    least = rules["minimum_amount"]
    if least is not None and amount is not None and (rules["minimum_amount_currency"] != currency or amount < least):
        shown = fees.shown(least, rules["minimum_amount_currency"])
        raise _refused(f"This promotion code cannot be redeemed because it needs a purchase of at least {shown}.")


def _refuse_used_up(scope: Scope, holder: Obj) -> None:
    expiry = holder.get("redeem_by") or holder.get("expires_at")
    if not holder.get("valid", holder.get("active")) or (expiry and expiry <= scope.now):
        raise _refused(f"{holder['object'].replace('_', ' ').capitalize()} {holder['id']} is used up or has expired.")


def _refused(text: str) -> ApiError:
    return invalid(text, code="coupon_expired", param="discounts")
