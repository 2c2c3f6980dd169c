"""Subscriptions: what they are made of, their periods, and the lines of a period."""

from __future__ import annotations

from creator_hub.stripe_sandbox.billing import DAY, period_at, share
from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import merge_metadata
from creator_hub.stripe_sandbox.render import list_object
from creator_hub.stripe_sandbox.resources.discounts import redeem
from creator_hub.stripe_sandbox.resources.lines import cycle_text, price_line
from creator_hub.stripe_sandbox.resources.prices import make_price
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj

INCOMPLETE_FOR = 23 * 3600


def plan_of(price: Obj) -> Obj:
    """The older shape of a price that subscription items still carry."""
    recurring = price["recurring"]
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def price_for(scope: Scope, given: Obj, param: str) -> Obj:
    """The price an item names, or makes inline; it must recur."""
    price = (
        make_price(scope, given["price_data"])
        if given.get("price_data")
        else scope.get("price", given.get("price") or "", f"{param}[price]")
    )
    if not price["recurring"]:
        raise invalid(
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
            param=f"{param}[price]",
        )
    if not price["active"]:
        raise invalid("The price specified is inactive.", param=f"{param}[price]")
    return price


def make_item(scope: Scope, subscription: Obj, given: Obj, price: Obj) -> Obj:
    return {
        "id": new_id("si", 14),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": scope.now,
        "current_period_end": scope.now,
        "current_period_start": scope.now,
        "discounts": [],
        "metadata": merge_metadata(None, given.get("metadata")),
        "plan": plan_of(price),
        "price": price,
        "quantity": given.get("quantity", 1),
        "subscription": subscription["id"],
        "tax_rates": [scope.get("tax_rate", rate, "tax_rates") for rate in given.get("tax_rates", [])],
        "_debit": None,
    }


def build(scope: Scope, customer: Obj, params: Obj) -> Obj:
    """A subscription in its first period or trial; status `incomplete` until its first invoice says otherwise."""
    subscription: Obj = {
        "id": new_id("sub"),
        "object": "subscription",
        "application": None,
        "application_fee_percent": params.get("application_fee_percent"),
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": scope.now,
        "billing_cycle_anchor_config": None,
        "billing_mode": billing_mode(params.get("billing_mode")),
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": params.get("cancel_at"),
        "cancel_at_period_end": params.get("cancel_at_period_end", False),
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": scope.now,
        "currency": "usd",
        "customer": customer["id"],
        "days_until_due": None,
        "default_payment_method": params.get("default_payment_method"),
        "default_source": None,
        "default_tax_rates": [
            scope.get("tax_rate", rate, "default_tax_rates") for rate in params.get("default_tax_rates", [])
        ],
        "description": params.get("description"),
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "latest_invoice": None,
        "livemode": False,
        "metadata": merge_metadata(None, params.get("metadata")),
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": (params.get("payment_settings") or {}).get("save_default_payment_method")
            or "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": scope.now,
        "status": "incomplete",
        "test_clock": customer["test_clock"],
        "transfer_data": None,
        "trial_end": None,
        "trial_settings": {"end_behavior": {"missing_payment_method": missing_method_rule(params)}},
        "trial_start": None,
        "_pending_lines": [],
        "_free_stub": params.get("proration_behavior") == "none",
    }
    items = [
        make_item(scope, subscription, given, price_for(scope, given, f"items[{index}]"))
        for index, given in enumerate(params["items"])
    ]
    one_rhythm(items)
    subscription["items"] = list_object(f"/v1/subscription_items?subscription={subscription['id']}", items)
    subscription["currency"] = items[0]["price"]["currency"]
    start_cycle(scope, subscription, _trial_end(scope, params), params.get("billing_cycle_anchor"))
    scope.add(subscription)
    set_discounts(scope, subscription, params.get("discounts", []))
    return scope.save(subscription)


def set_discounts(scope: Scope, subscription: Obj, given: list[Obj]) -> None:
    """Replace the subscription's discounts; a `discount` already there may be named to keep it."""
    kept = [item["discount"] for item in given if item.get("discount")]
    for identifier in kept:
        if identifier not in subscription["discounts"]:
            raise invalid(f"No such discount: '{identifier}'", code="resource_missing", param="discounts")
    for identifier in subscription["discounts"]:
        if identifier not in kept:
            scope.emit("customer.discount.deleted", scope.get("discount", identifier))
    fresh = [item for item in given if not item.get("discount")]
    bound = {"customer": subscription["customer"], "subscription": subscription["id"]}
    amount = sum(item["price"]["unit_amount"] * item["quantity"] for item in subscription["items"]["data"])
    made = redeem(scope, fresh, currency=subscription["currency"], amount=amount, **bound)
    for discount in made:
        scope.add(discount)
        scope.emit("customer.discount.created", discount)
    subscription["discounts"] = [*kept, *(discount["id"] for discount in made)]


def billing_mode(given: Obj | None) -> Obj:
    """Flexible unless classic is asked for, as since API clover."""
    mode = (given or {}).get("type") or "flexible"
    wanted = ((given or {}).get("flexible") or {}).get("proration_discounts") or "included"
    return {"type": mode, "flexible": {"proration_discounts": wanted} if mode == "flexible" else None}


def missing_method_rule(params: Obj) -> str:
    behaviour = (params.get("trial_settings") or {}).get("end_behavior") or {}
    return behaviour.get("missing_payment_method") or "create_invoice"


def one_rhythm(items: list[Obj]) -> None:
    rhythms = {(item["price"]["currency"], *rhythm(item["price"])) for item in items}
    if len(rhythms) != 1:
        raise invalid("Currency and interval fields must match across all prices on this subscription.", param="items")


def rhythm(price: Obj) -> tuple[str, int]:
    return price["recurring"]["interval"], price["recurring"]["interval_count"]


def _trial_end(scope: Scope, params: Obj) -> int | None:
    if params.get("trial_period_days"):
        return scope.now + int(params["trial_period_days"]) * DAY
    end = params.get("trial_end")
    if end in (None, "now"):
        return None
    if end <= scope.now:
        raise invalid("trial_end must be a timestamp in the future.", param="trial_end")
    return int(end)


def start_cycle(scope: Scope, subscription: Obj, trial_end: int | None, anchor: int | None = None) -> None:
    """Set the anchor and the current period; a trial is one period that ends where billing begins."""
    if trial_end:
        subscription |= {"trial_start": scope.now, "trial_end": trial_end, "status": "trialing"}
        period = scope.now, trial_end
    else:
        begin = anchor or scope.now
        period = scope.now, period_at(begin, *rhythm(subscription["items"]["data"][0]["price"]), scope.now)[1]
    subscription["billing_cycle_anchor"] = trial_end or anchor or scope.now
    set_period(subscription, period)


def set_period(subscription: Obj, period: tuple[int, int]) -> None:
    for item in subscription["items"]["data"]:
        item |= {"current_period_start": period[0], "current_period_end": period[1]}


def period_of(subscription: Obj) -> tuple[int, int]:
    item = subscription["items"]["data"][0]
    return item["current_period_start"], item["current_period_end"]


def lines_for(scope: Scope, subscription: Obj, *, trial: bool = False, share_from: int | None = None) -> list[Obj]:
    """The lines of the current period; a trial costs nothing, a period cut short by an anchor or a planned end costs
    its share."""
    return [_cycle_line(scope, subscription, item, trial, share_from) for item in subscription["items"]["data"]]


def _cycle_line(scope: Scope, subscription: Obj, item: Obj, trial: bool, share_from: int | None) -> Obj:
    price, period = item["price"], (item["current_period_start"], item["current_period_end"])
    name = scope.get("product", price["product"])["name"]
    full = price["unit_amount"] * item["quantity"]
    amount, text = full, cycle_text(price, item["quantity"], name)
    if trial:
        amount, text = 0, f"Trial period for {name}"
    else:
        grid = period_at(subscription["billing_cycle_anchor"], *rhythm(price), share_from or period[0])
        if share_from is not None or period[1] < grid[1]:
            amount = share(full, period[1] - period[0], grid[1] - grid[0])
        if share_from is not None and subscription.get("_free_stub"):
            amount = 0
    return price_line(
        price,
        item["quantity"],
        period,
        item=item,
        subscription=subscription,
        amount=amount,
        text=text,
        tax_rates=taxes_of(subscription, item),
    )


def debit_of(line: Obj, invoice: str | None = None) -> Obj:
    """What an item remembers of the line that charged it: the base of a later credit in flexible billing mode."""
    return {
        "line": line["id"],
        "invoice": invoice,
        "gross": line["amount"],
        "discounts": [[row["discount"], row["amount"]] for row in line["discount_amounts"]],
        "start": line["period"]["start"],
        "end": line["period"]["end"],
        "tax_rates": line["_tax_rates"],
    }


def remember_debits(subscription: Obj, invoice: Obj) -> None:
    """After an invoice was drafted: the items' newest charges are on it."""
    items = {item["id"]: item for item in subscription["items"]["data"]}
    for line in invoice["lines"]["data"]:
        about = (line["parent"] or {}).get("subscription_item_details")
        item = items.get(about["subscription_item"]) if about else None
        if about is None or item is None:
            continue
        if not about["proration"]:
            item["_debit"] = debit_of(line, invoice["id"])
        elif item.get("_debit") and item["_debit"]["line"] == line["id"]:
            item["_debit"]["invoice"] = invoice["id"]


def taxes_of(subscription: Obj, item: Obj) -> list[Obj]:
    return item["tax_rates"] or subscription["default_tax_rates"] or []


def discounts_of(scope: Scope, subscription: Obj) -> list[Obj]:
    """The discounts that still run."""
    found = [scope.get("discount", identifier) for identifier in subscription["discounts"]]
    return [discount for discount in found if not discount["end"] or discount["end"] > scope.now]


def spend_discounts(scope: Scope, subscription: Obj) -> None:
    """After an invoice: a coupon for one invoice is gone, one whose months are over too."""
    running = discounts_of(scope, subscription)
    kept = [discount["id"] for discount in running if discount["_coupon"]["duration"] != "once"]
    for identifier in subscription["discounts"]:
        if identifier not in kept:
            scope.emit("customer.discount.deleted", scope.get("discount", identifier))
    subscription["discounts"] = kept


def schedule(scope: Scope, subscription: Obj) -> None:
    """Set what time will do to this subscription next."""
    clock = subscription["test_clock"] or ""
    scope.timer("renew", subscription["id"], period_of(subscription)[1], clock)
    if subscription["cancel_at"]:
        scope.timer("cancel", subscription["id"], subscription["cancel_at"], clock)
    else:
        scope.drop_timer("cancel", subscription["id"])
    if subscription["status"] == "trialing":
        scope.timer("trial_will_end", subscription["id"], max(subscription["trial_end"] - 3 * DAY, scope.now), clock)
    pause = subscription["pause_collection"]
    if pause and pause["resumes_at"]:
        scope.timer("unpause", subscription["id"], pause["resumes_at"], clock)
