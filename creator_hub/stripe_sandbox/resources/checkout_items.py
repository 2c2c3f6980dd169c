"""What a Checkout sells, and what it comes to."""

from __future__ import annotations

from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.resources.discounts import coupon_for
from creator_hub.stripe_sandbox.resources.invoices import draft
from creator_hub.stripe_sandbox.resources.lines import line_tax, price_line
from creator_hub.stripe_sandbox.resources.prices import make_price
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj


def line_item(scope: Scope, given: Obj, mode: str, param: str) -> Obj:
    price = (
        make_price(scope, given["price_data"])
        if given.get("price_data")
        else scope.get("price", given.get("price") or "", f"{param}[price]")
    )
    if mode == "payment" and price["recurring"]:
        raise invalid(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` "
            "mode or use only one-time prices.",
            param=param,
        )
    if mode == "subscription" and not price["recurring"]:
        raise invalid("The sandbox sells recurring prices only in `subscription` mode.", param=param)
    if not price["active"]:
        raise invalid("The price specified is inactive. This field only accepts active prices.", param=param)
    quantity = given.get("quantity") or 1
    amount = price["unit_amount"] * quantity
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": scope.get("product", price["product"])["name"],
        "metadata": {},
        "price": price,
        "quantity": quantity,
        "_tax_rates": given.get("tax_rates", []),
    }


def total_up(scope: Scope, session: Obj) -> None:
    """What the page shows and the first payment costs; computed as the first invoice will be."""
    items, data = session["_line_items"], session["_subscription_data"]
    if not items:
        return
    lines = []
    for item in items:
        rates = item["_tax_rates"] or data.get("default_tax_rates", [])
        found = [scope.get("tax_rate", rate, "tax_rates") for rate in rates]
        item["amount_tax"] = sum(line_tax(item["amount_subtotal"], rate)["amount"] for rate in found)
        lines.append(price_line(item["price"], item["quantity"], (scope.now, scope.now), tax_rates=found))
    blank = {
        "id": "none",
        "currency": None,
        "address": None,
        "email": None,
        "name": None,
        "phone": None,
        "tax_exempt": "none",
        "test_clock": None,
        "balance": 0,
    }
    trial = bool(data.get("trial_period_days") or data.get("trial_end"))
    currency, amount = items[0]["currency"], sum(item["amount_subtotal"] for item in items)
    coupons = [
        coupon_for(scope, row, currency=currency, customer=session["customer"], amount=amount)[0]
        for row in session["_discounts"]
    ]
    discounts: list[Obj] = [{"id": f"preview_{index}", "_coupon": row} for index, row in enumerate(coupons)]
    invoice = draft(scope, blank, lines, "upcoming", discounts=discounts, preview=True)
    session |= {
        "currency": currency,
        "amount_subtotal": 0 if trial else invoice["subtotal"],
        "amount_total": 0 if trial else invoice["total"],
        "discounts": [
            {"coupon": coupon["id"], "promotion_code": row.get("promotion_code")}
            for coupon, row in zip(coupons, session["_discounts"], strict=True)
        ],
        "total_details": {
            "amount_discount": sum(row["amount"] for row in invoice["total_discount_amounts"]),
            "amount_shipping": 0,
            "amount_tax": sum(row["amount"] for row in invoice["total_taxes"]),
        },
    }
