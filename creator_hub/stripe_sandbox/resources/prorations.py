"""Prorations by Stripe's rules, to the second: credit for the time not used, charge for the time that remains.

Flexible billing mode (the default since API clover) credits a share of what was really debited for the item, after
its discounts; classic mode credits a share of the present price with the present discounts. Both charge a share of
the new price, the discounts that still run included. `proration_discounts: itemized` shows the same money before
discounts, with the discounts beside it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from creator_hub.stripe_sandbox.billing import period_at, share
from creator_hub.stripe_sandbox.resources.lines import discounts_on, named, price_line
from creator_hub.stripe_sandbox.resources.subscriptions import debit_of, discounts_of, rhythm, taxes_of
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj


def credit(scope: Scope, subscription: Obj, item: Obj, moment: int) -> Obj:
    """The line that gives back the rest of the item's period after `moment`."""
    end, debit = item["current_period_end"], item.get("_debit")
    if debit is None or subscription["billing_mode"]["type"] == "classic":
        debit = {**_full_price(scope, subscription, item), "line": None, "invoice": None} | _whole(subscription, item)
    seconds, whole = end - max(moment, debit["start"]), debit["end"] - debit["start"]
    shares = [[identifier, -share(amount, seconds, whole)] for identifier, amount in debit["discounts"]]
    gross = -share(debit["gross"], seconds, whole)
    net = -share(debit["gross"] - sum(amount for _, amount in debit["discounts"]), seconds, whole)
    line = _line(scope, subscription, item, debit["tax_rates"], "Unused", (moment, end), (gross, net, shares))
    reference = item.get("_debit") or {}
    if reference.get("invoice"):
        line["parent"]["subscription_item_details"]["proration_details"]["credited_items"] = {
            "invoice": reference["invoice"],
            "invoice_line_items": [reference["line"]],
        }
    return line


def charge(scope: Scope, subscription: Obj, item: Obj, moment: int, end: int | None = None) -> Obj:
    """The line that charges the item from `moment` to the end of its period; it becomes the item's debit."""
    until = end or item["current_period_end"]
    full, whole = _full_price(scope, subscription, item), _whole(subscription, item)
    length = whole["end"] - whole["start"]
    shares = [[identifier, share(amount, until - moment, length)] for identifier, amount in full["discounts"]]
    gross = share(full["gross"], until - moment, length)
    net = share(full["gross"] - sum(amount for _, amount in full["discounts"]), until - moment, length)
    line = _line(scope, subscription, item, full["tax_rates"], "Remaining", (moment, until), (gross, net, shares))
    item["_debit"] = debit_of(line)
    return line


def _full_price(scope: Scope, subscription: Obj, item: Obj) -> Obj:
    price = item["price"]
    gross = price["unit_amount"] * item["quantity"]
    taken = discounts_on(gross, discounts_of(scope, subscription), price["product"])
    return {"gross": gross, "discounts": taken, "tax_rates": taxes_of(subscription, item)}


def _whole(subscription: Obj, item: Obj) -> Obj:
    """The item's natural period on the anchor's grid, also while a planned end cuts the running one short."""
    anchor, inside = subscription["billing_cycle_anchor"], item["current_period_end"] - 1
    start, end = period_at(anchor, *rhythm(item["price"]), inside)
    return {"start": start, "end": end}


def _line(
    scope: Scope,
    subscription: Obj,
    item: Obj,
    tax_rates: list[Obj],
    word: str,
    span: tuple[int, int],
    money: tuple[int, int, list[list[object]]],
) -> Obj:
    gross, net, shares = money
    itemized = (subscription["billing_mode"]["flexible"] or {}).get("proration_discounts") == "itemized"
    day = datetime.fromtimestamp(span[0], UTC).strftime("%d %b %Y")
    product = named(item["quantity"], scope.get("product", item["price"]["product"])["name"])
    line = price_line(
        item["price"],
        item["quantity"],
        span,
        item=item,
        subscription=subscription,
        amount=gross if itemized else net,
        text=f"{word} time on {product} after {day}",
        tax_rates=tax_rates,
    )
    line |= {
        "discountable": False,
        "discounts": [identifier for identifier, _ in shares],
        "discount_amounts": _itemised(shares, gross - net, shown=itemized),
    }
    line["parent"]["subscription_item_details"] |= {
        "invoice_item": new_id("ii"),
        "proration": True,
        "proration_details": {"credited_items": None},
    }
    return line


def _itemised(shares: list[list[object]], total: int, *, shown: bool) -> list[Obj]:
    """Each discount's part; the last one takes the rounding, so that gross less discounts is the net share."""
    if not shown:
        return [{"amount": 0, "discount": identifier} for identifier, _ in shares]
    rows: list[Obj] = [{"amount": amount, "discount": identifier} for identifier, amount in shares]
    if rows:
        rows[-1]["amount"] += total - sum(row["amount"] for row in rows)
    return rows
