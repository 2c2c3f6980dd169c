"""Discounts: a coupon at work on a subscription or a Checkout."""

from __future__ import annotations

from typing import Any

from creator_hub.stripe_sandbox.billing import boundary
from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj


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
