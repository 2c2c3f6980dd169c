"""Invoice lines: what they say, and the discounts, taxes and totals that follow from them."""

from __future__ import annotations

from creator_hub.stripe_sandbox.billing import largest_remainder, percent_of, tax_inside, tax_on_top
from creator_hub.stripe_sandbox.fees import shown
from creator_hub.stripe_sandbox.scope import new_id
from creator_hub.stripe_sandbox.store import Obj


def price_line(
    price: Obj,
    quantity: int,
    period: tuple[int, int],
    *,
    item: Obj | None = None,
    subscription: Obj | None = None,
    amount: int | None = None,
    text: str | None = None,
    tax_rates: list[Obj] | None = None,
) -> Obj:
    """One line: `amount` minor units (default price × quantity) for a period [start, end)."""
    total = price["unit_amount"] * quantity if amount is None else amount
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": total,
        "currency": price["currency"],
        "description": text or f"{quantity} × {price['nickname'] or price['product']}",
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": dict(subscription["metadata"]) if subscription else {},
        "parent": _parent(subscription, item) if subscription and item else None,
        "period": {"start": period[0], "end": period[1]},
        "pretax_credit_amounts": [],
        "pricing": {
            "type": "price_details",
            "price_details": {"price": price["id"], "product": price["product"]},
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": quantity,
        "subscription": subscription and subscription["id"],
        "subtotal": total,
        "taxes": [],
        "_tax_rates": tax_rates or [],
    }


def _parent(subscription: Obj, item: Obj) -> Obj:
    return {
        "type": "subscription_item_details",
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": None,
            "proration": False,
            "proration_details": None,
            "subscription": subscription["id"],
            "subscription_item": item["id"],
        },
    }


def named(quantity: int, name: str) -> str:
    """`Gold`, or `3 × Gold`."""
    return name if quantity == 1 else f"{quantity} × {name}"


def cycle_text(price: Obj, quantity: int, name: str) -> str:
    """`1 × Gold (at $12.00 / month)`, as Stripe writes the line of a period."""
    interval, count = price["recurring"]["interval"], price["recurring"]["interval_count"]
    every = interval if count == 1 else f"every {count} {interval}s"
    return f"{quantity} × {name} (at {shown(price['unit_amount'], price['currency'])} / {every})"


def discounts_on(amount: int, discounts: list[Obj], product: str) -> list[tuple[str, int]]:
    """(discount id, what it takes) for a full price standing alone; each discount sees what the one before left."""
    taken: list[tuple[str, int]] = []
    for discount in discounts:
        coupon, left = discount["_coupon"], amount - sum(part for _, part in taken)
        if covers(coupon, product):
            off = coupon["amount_off"]
            taken.append((discount["id"], percent_of(left, coupon["percent_off"]) if off is None else min(left, off)))
    return taken


def covers(coupon: Obj, product: str) -> bool:
    """A coupon may be limited to some products."""
    limited = coupon.get("_products")
    return not limited or product in limited


def total_up(invoice: Obj, discounts: list[Obj]) -> None:
    """Write discounts, taxes and every total of the invoice from its lines."""
    lines = invoice["lines"]["data"]
    for line in lines:
        line["taxes"] = []
        if line["discountable"]:
            line |= {"discount_amounts": [], "discounts": []}
    invoice["discounts"] = [discount["id"] for discount in discounts]
    for discount in discounts:
        _discount(lines, discount)
    inclusive, exclusive, taxes = _tax(lines)
    subtotal = sum(line["amount"] for line in lines)
    total = subtotal - sum(row["amount"] for line in lines for row in line["discount_amounts"]) + exclusive
    invoice |= {
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal - inclusive,
        "total": total,
        "total_discount_amounts": _sum_discounts(lines, discounts),
        "total_excluding_tax": total - inclusive - exclusive,
        "total_taxes": taxes,
    }


def _discount(lines: list[Obj], discount: Obj) -> None:
    coupon = discount["_coupon"]
    product_of = [(line["pricing"]["price_details"] or {}).get("product", "") for line in lines]
    reached = [
        (line, base)
        for line, product in zip(lines, product_of, strict=True)
        if line["discountable"] and covers(coupon, product)
        if (base := line["amount"] - sum(row["amount"] for row in line["discount_amounts"])) > 0
    ]
    bases = [base for _, base in reached]
    if coupon["amount_off"] is None:
        parts = [percent_of(base, coupon["percent_off"]) for base in bases]
    else:
        parts = largest_remainder(min(coupon["amount_off"], sum(bases)), bases)
    for (line, _), part in zip(reached, parts, strict=True):
        line["discount_amounts"].append({"amount": part, "discount": discount["id"]})
        line["discounts"] = [*line["discounts"], discount["id"]]


def _sum_discounts(lines: list[Obj], discounts: list[Obj]) -> list[Obj]:
    """One sum per discount; those that only itemised prorations carry come after the invoice's own."""
    sums = {discount["id"]: 0 for discount in discounts}
    for row in (row for line in lines for row in line["discount_amounts"]):
        sums[row["discount"]] = sums.get(row["discount"], 0) + row["amount"]
    return [{"amount": amount, "discount": identifier} for identifier, amount in sums.items()]


def _tax(lines: list[Obj]) -> tuple[int, int, list[Obj]]:
    inclusive = exclusive = 0
    taxes: dict[str, Obj] = {}
    for line in lines:
        base = line["amount"] - sum(row["amount"] for row in line["discount_amounts"])
        for tax in (line_tax(base, rate) for rate in line["_tax_rates"]):
            line["taxes"].append(tax)
            total = taxes.setdefault(tax["tax_rate_details"]["tax_rate"], {**tax, "amount": 0, "taxable_amount": 0})
            total["amount"] += tax["amount"]
            total["taxable_amount"] += tax["taxable_amount"]
            inclusive += tax["amount"] if tax["tax_behavior"] == "inclusive" else 0
            exclusive += tax["amount"] if tax["tax_behavior"] == "exclusive" else 0
    return inclusive, exclusive, list(taxes.values())


def line_tax(base: int, rate: Obj) -> Obj:
    inside = rate["inclusive"]
    amount = tax_inside(base, rate["percentage"]) if inside else tax_on_top(base, rate["percentage"])
    return {
        "amount": amount,
        "tax_behavior": "inclusive" if inside else "exclusive",
        "tax_rate_details": {"tax_rate": rate["id"]},
        "taxability_reason": "standard_rated",
        "taxable_amount": base - amount if inside else base,
        "type": "tax_rate_details",
    }
