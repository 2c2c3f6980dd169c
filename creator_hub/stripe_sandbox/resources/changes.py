"""A subscription's change: items, anchor, trial and planned end, and the invoice that follows.

The same functions run for an update, for its preview (whose transaction is rolled back) and for a schedule's next
phase, so what is previewed is what is charged.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field

from creator_hub.stripe_sandbox.billing import period_at
from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import merge_metadata
from creator_hub.stripe_sandbox.resources.invoices import draft
from creator_hub.stripe_sandbox.resources.prorations import charge, credit
from creator_hub.stripe_sandbox.resources.subscriptions import (
    discounts_of,
    lines_for,
    make_item,
    one_rhythm,
    period_of,
    plan_of,
    price_for,
    remember_debits,
    rhythm,
    set_period,
    spend_discounts,
)
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj


@dataclass(slots=True)
class Change:
    """The proration lines, and whether a new period (a cycle or a trial) begins now and is invoiced at once."""

    lines: list[Obj] = field(default_factory=list)
    begins: bool = False


def apply_changes(scope: Scope, subscription: Obj, params: Obj) -> Change:
    """Write the change to the object and say what it costs; `bill` makes the invoice."""
    moment = _proration_moment(scope, subscription, params)
    prorates = params.get("proration_behavior") != "none" and subscription["status"] not in ("trialing", "paused")
    before = deepcopy(subscription["items"]["data"])
    touched = change_items(scope, subscription, params.get("items", []))
    change = Change()
    change.begins = _begins_anew(subscription, before, params) or _enters_trial(subscription, params)
    if prorates:
        given_back = before if change.begins else [item for item in before if item["id"] in touched]
        change.lines = [credit(scope, subscription, item, moment) for item in given_back]
    _move_periods(scope, subscription, params, change)
    if prorates and not change.begins:
        change.lines += [
            charge(scope, subscription, item, moment) for item in subscription["items"]["data"] if item["id"] in touched
        ]
    change.lines += _move_end(scope, subscription, params, prorates=prorates)
    return change


def _proration_moment(scope: Scope, subscription: Obj, params: Obj) -> int:
    moment: int = params.get("proration_date") or scope.now
    start, end = period_of(subscription)
    if params.get("proration_date") and not start <= moment <= end:
        raise invalid(
            "The proration date must be within the current billing period.", param="subscription_proration_date"
        )
    return moment


def change_items(scope: Scope, subscription: Obj, given: list[Obj]) -> set[str]:
    """Apply the item changes; the ids of items whose price or quantity is now another (also the new and the gone)."""
    items = subscription["items"]["data"]
    touched: set[str] = set()
    for index, change in enumerate(given):
        param = f"items[{index}]"
        item = next((item for item in items if item["id"] == change.get("id")), None)
        if change.get("id") and item is None:
            raise invalid(f"No such subscription item: '{change['id']}'", code="resource_missing", param=f"{param}[id]")
        if item is None:
            item = make_item(scope, subscription, change, price_for(scope, change, param))
            item["current_period_start"], item["current_period_end"] = period_of(subscription)
            items.append(item)
            touched.add(item["id"])
        elif change.get("deleted"):
            items.remove(item)
            touched.add(item["id"])
        elif _changed(scope, item, change, param):
            touched.add(item["id"])
    if not items:
        raise invalid("A subscription must have at least one active price.", param="items")
    one_rhythm(items)
    return touched


def _changed(scope: Scope, item: Obj, change: Obj, param: str) -> bool:
    before = (item["price"]["id"], item["quantity"])
    if change.get("price") or change.get("price_data"):
        price = price_for(scope, change, param)
        if price["currency"] != item["price"]["currency"]:
            raise invalid("A subscription cannot change its currency.", param=f"{param}[price]")
        item |= {"price": price, "plan": plan_of(price)}
    if "quantity" in change:
        item["quantity"] = change["quantity"]
    if "tax_rates" in change:
        item["tax_rates"] = [scope.get("tax_rate", rate, "tax_rates") for rate in change["tax_rates"]]
    item["metadata"] = merge_metadata(item["metadata"], change.get("metadata"))
    return before != (item["price"]["id"], item["quantity"])


def _begins_anew(subscription: Obj, before: list[Obj], params: Obj) -> bool:
    """A new cycle begins now: asked for, the trial ended, another interval, or (classic mode) from free to paid."""
    if params.get("trial_end") == "now" and subscription["status"] == "trialing":
        return True
    if (params.get("billing_cycle_anchor") or {}).get("type") == "now":
        return True
    if subscription["status"] in ("trialing", "paused"):
        return False
    items = subscription["items"]["data"]
    if rhythm(items[0]["price"]) != rhythm(before[0]["price"]):
        return True
    classic = subscription["billing_mode"]["type"] == "classic"
    return classic and not any(map(_full, before)) and any(map(_full, items))


def _full(item: Obj) -> int:
    return int(item["price"]["unit_amount"] * item["quantity"])


def _enters_trial(subscription: Obj, params: Obj) -> bool:
    return isinstance(params.get("trial_end"), int) and subscription["status"] != "trialing"


def _move_periods(scope: Scope, subscription: Obj, params: Obj, change: Change) -> None:
    trial_end = params.get("trial_end")
    if isinstance(trial_end, int):
        if trial_end <= scope.now:
            raise invalid("trial_end must be a timestamp in the future.", param="trial_end")
        start = scope.now if change.begins else period_of(subscription)[0]
        subscription |= {
            "status": "trialing",
            "trial_end": trial_end,
            "billing_cycle_anchor": trial_end,
            "trial_start": scope.now if change.begins else subscription["trial_start"],
        }
        set_period(subscription, (start, trial_end))
    elif change.begins:
        if subscription["status"] == "trialing":
            subscription |= {"status": "active", "trial_end": scope.now}
        restart(scope, subscription)


def restart(scope: Scope, subscription: Obj) -> None:
    """The anchor moves to now and a whole period begins."""
    subscription["billing_cycle_anchor"] = scope.now
    set_period(subscription, period_at(scope.now, *rhythm(subscription["items"]["data"][0]["price"]), scope.now))


def _move_end(scope: Scope, subscription: Obj, params: Obj, *, prorates: bool) -> list[Obj]:
    """A planned end inside the running period cuts it short with a credit; without it the period is whole again."""
    if "cancel_at" not in params and "cancel_at_period_end" not in params:
        return []
    start, end = period_of(subscription)
    lines: list[Obj] = []
    anchor, first = subscription["billing_cycle_anchor"], subscription["items"]["data"][0]
    natural = end if subscription["status"] == "trialing" else period_at(anchor, *rhythm(first["price"]), start)[1]
    wanted = subscription["cancel_at"]
    until = wanted if isinstance(wanted, int) and wanted < natural else natural
    if until <= scope.now or until == end:
        return []
    for item in subscription["items"]["data"] if prorates else []:
        if until < end:
            lines.append(credit(scope, subscription, item, until))
        else:
            kept = item.get("_debit")
            lines.append(charge(scope, subscription, item, end, until))
            item["_debit"] = kept
    set_period(subscription, (start, until))
    return lines


def bill(scope: Scope, subscription: Obj, params: Obj, change: Change) -> Obj | None:
    """The draft for a new period or, when asked for, for the prorations; else they wait for the renewal."""
    lines = change.lines
    trial = subscription["status"] == "trialing"
    if change.begins:
        lines = lines + lines_for(scope, subscription, trial=trial)
    elif params.get("proration_behavior") != "always_invoice":
        subscription["_pending_lines"] += lines
        return None
    if not lines:
        return None
    lines, subscription["_pending_lines"] = subscription["_pending_lines"] + lines, []
    invoice = draft(
        scope,
        scope.get("customer", subscription["customer"]),
        lines,
        "subscription_update",
        subscription=subscription,
        discounts=discounts_of(scope, subscription),
        period_start=scope.now,
        period_end=scope.now,
    )
    remember_debits(subscription, invoice)
    if change.begins and not trial:
        spend_discounts(scope, subscription)
    subscription["latest_invoice"] = invoice["id"]
    return invoice


def bill_rest(scope: Scope, subscription: Obj) -> Obj | None:
    """An invoice now over what waited for the renewal; None when nothing waited."""
    waiting, subscription["_pending_lines"] = subscription["_pending_lines"], []
    return bill(scope, subscription, {"proration_behavior": "always_invoice"}, Change(waiting))
