"""Subscription schedules: phases that change a subscription later, such as a downgrade at the period's end."""

from __future__ import annotations

from typing import Any

from creator_hub.stripe_sandbox.billing import boundary
from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import merge_metadata
from creator_hub.stripe_sandbox.resources.changes import apply_changes, bill, change_items
from creator_hub.stripe_sandbox.resources.dunning import end
from creator_hub.stripe_sandbox.resources.first_invoice import begin
from creator_hub.stripe_sandbox.resources.subscription_routes import collect_change
from creator_hub.stripe_sandbox.resources.subscriptions import (
    build,
    period_of,
    price_for,
    rhythm,
    schedule,
    set_discounts,
)
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj
from creator_hub.stripe_sandbox.timers import timer

MOST_PHASES = 10


def make_phases(scope: Scope, given: list[Obj], start: int, currency: str | None = None) -> list[Obj]:
    """Phases in a row from `start`; each ends at its `end_date`, after its `duration`, or after one billing period."""
    if len(given) > MOST_PHASES:
        raise invalid("A schedule can have at most 10 current and future phases.", param="phases")
    phases: list[Obj] = []
    for index, wanted in enumerate(given):
        phase = _phase(scope, wanted, start, f"phases[{index}]")
        if currency and phase["currency"] != currency:
            raise invalid("All phases must have the same currency.", param=f"phases[{index}]")
        if phase["end_date"] <= phase["start_date"]:
            raise invalid("A phase must end after it starts.", param=f"phases[{index}][end_date]")
        phases.append(phase)
        start, currency = phase["end_date"], phase["currency"]
    return phases


def _phase(scope: Scope, given: Obj, start: int, param: str) -> Obj:
    items, prices = [], []
    for index, item in enumerate(given["items"]):
        price = price_for(scope, item, f"{param}[items][{index}]")
        prices.append(price)
        items.append(
            {
                "billing_thresholds": None,
                "discounts": [],
                "metadata": merge_metadata(None, item.get("metadata")),
                "plan": price["id"],
                "price": price["id"],
                "quantity": item.get("quantity", 1),
                "tax_rates": [scope.get("tax_rate", rate, "tax_rates") for rate in item.get("tax_rates", [])],
            }
        )
    if not items:
        raise invalid("A phase needs at least one item.", code="parameter_missing", param=f"{param}[items]")
    lasts = given.get("duration") or {}
    every, count = (lasts["interval"], lasts.get("interval_count") or 1) if lasts else rhythm(prices[0])
    rates = given.get("default_tax_rates")
    return {
        "add_invoice_items": [],
        "application_fee_percent": given.get("application_fee_percent"),
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": given.get("billing_cycle_anchor"),
        "billing_thresholds": None,
        "collection_method": None,
        "currency": prices[0]["currency"],
        "default_payment_method": given.get("default_payment_method"),
        "default_tax_rates": rates and [scope.get("tax_rate", rate, "default_tax_rates") for rate in rates],
        "description": given.get("description"),
        "discounts": [
            {name: row.get(name) for name in ("coupon", "discount", "promotion_code")}
            for row in given.get("discounts") or []
        ],
        "end_date": given.get("end_date") or boundary(start, every, count, 1),
        "invoice_settings": None,
        "items": items,
        "metadata": merge_metadata(None, given.get("metadata")),
        "on_behalf_of": None,
        "proration_behavior": given.get("proration_behavior") or "create_prorations",
        "start_date": start,
        "transfer_data": None,
        "trial": given.get("trial"),
        "trial_end": given.get("trial_end"),
    }


def phase_of(subscription: Obj) -> Obj:
    """The running period of a subscription as a schedule's first phase."""
    start, stop = period_of(subscription)
    return {
        "default_payment_method": subscription["default_payment_method"],
        "default_tax_rates": [rate["id"] for rate in subscription["default_tax_rates"]],
        "discounts": [{"discount": identifier} for identifier in subscription["discounts"]],
        "end_date": stop,
        "items": [
            {
                "price": item["price"]["id"],
                "quantity": item["quantity"],
                "metadata": item["metadata"],
                "tax_rates": [rate["id"] for rate in item["tax_rates"]],
            }
            for item in subscription["items"]["data"]
        ],
        "metadata": subscription["metadata"],
        "start_date": start,
    }


def enter_phase(scope: Scope, subscription: Obj) -> None:
    """At the end of a period: a phase that begins now changes the subscription before it is renewed, so that nothing
    is prorated; after the last phase the schedule lets go or ends the subscription."""
    plan = scope.find("subscription_schedule", subscription["schedule"])
    if plan is None or plan["status"] != "active" or plan["current_phase"]["end_date"] > scope.now:
        return
    phase = _next_phase(scope, plan)
    if phase is None:
        _finish(scope, plan, subscription)
        return
    before = rhythm(subscription["items"]["data"][0]["price"])
    change_items(scope, subscription, _item_changes(subscription, phase))
    _set_fields(scope, subscription, phase)
    anew = rhythm(subscription["items"]["data"][0]["price"]) != before
    if anew or phase["billing_cycle_anchor"] == "phase_start":
        subscription["billing_cycle_anchor"] = scope.now
    scope.save(subscription)


@timer("phase")
def end_phase(scope: Scope, identifier: str) -> None:
    """A phase ended, inside a period or at its end; at its end the renewal, due in this same second, does the work."""
    plan = scope.get("subscription_schedule", identifier)
    if plan["status"] == "not_started":
        start(scope, plan)
        return
    if plan["status"] != "active" or plan["current_phase"]["end_date"] > scope.now:
        return
    subscription = scope.get("subscription", plan["subscription"])
    if period_of(subscription)[1] <= scope.now:
        return
    phase = _next_phase(scope, plan)
    if phase is None:
        _finish(scope, plan, subscription)
    else:
        put_into(scope, subscription, phase, phase["proration_behavior"])


def put_into(scope: Scope, subscription: Obj, phase: Obj, behavior: str) -> None:
    """Give a running subscription the phase's items now, prorated as asked."""
    params: dict[str, Any] = {"items": _item_changes(subscription, phase), "proration_behavior": behavior}
    if phase["billing_cycle_anchor"] == "phase_start":
        params["billing_cycle_anchor"] = {"type": "now"}
    if phase["trial_end"] and phase["trial_end"] > scope.now:
        params["trial_end"] = phase["trial_end"]
    with scope.changing(subscription, "customer.subscription.updated"):
        _set_fields(scope, subscription, phase)
        change = apply_changes(scope, subscription, params)
        invoice = bill(scope, subscription, params, change)
        schedule(scope, subscription)
    if invoice is not None:
        collect_change(scope, subscription, invoice, "allow_incomplete", present=False)


def _item_changes(subscription: Obj, phase: Obj) -> list[Obj]:
    held = [item["id"] for item in subscription["items"]["data"]]
    changes: list[Obj] = []
    for index, item in enumerate(phase["items"]):
        wanted = {name: item[name] for name in ("price", "quantity", "metadata")}
        wanted["tax_rates"] = [rate["id"] for rate in item["tax_rates"]]
        changes.append({**wanted, "id": held[index]} if index < len(held) else wanted)
    return changes + [{"id": identifier, "deleted": True} for identifier in held[len(phase["items"]) :]]


def _set_fields(scope: Scope, subscription: Obj, phase: Obj) -> None:
    given = [_named(row) for row in phase["discounts"]]
    running = [row for row in given if row.get("discount") in (None, *subscription["discounts"])]
    set_discounts(scope, subscription, running)
    for name in ("default_payment_method", "description", "application_fee_percent"):
        subscription[name] = phase[name] or subscription[name]
    if phase["default_tax_rates"] is not None:
        subscription["default_tax_rates"] = phase["default_tax_rates"]
    subscription["metadata"] = merge_metadata(subscription["metadata"], phase["metadata"])


def _named(row: Obj) -> Obj:
    return {name: value for name, value in row.items() if value}


def _next_phase(scope: Scope, plan: Obj) -> Obj | None:
    """Move the schedule on; None after its last phase."""
    coming = [phase for phase in plan["phases"] if phase["start_date"] >= plan["current_phase"]["end_date"]]
    if not coming:
        return None
    phase: Obj = coming[0]
    with scope.changing(plan, "subscription_schedule.updated"):
        watch(scope, plan, phase)
    return phase


def watch(scope: Scope, plan: Obj, phase: Obj) -> None:
    plan["current_phase"] = {"start_date": phase["start_date"], "end_date": phase["end_date"]}
    scope.timer("phase", plan["id"], phase["end_date"], plan["test_clock"] or "")


def start(scope: Scope, plan: Obj) -> None:
    """The first phase makes the subscription."""
    customer, phase = scope.get("customer", plan["customer"]), plan["phases"][0]
    subscription = build(
        scope,
        customer,
        {
            "billing_mode": plan["billing_mode"],
            "default_payment_method": phase["default_payment_method"],
            "default_tax_rates": [rate["id"] for rate in phase["default_tax_rates"] or []],
            "description": phase["description"],
            "discounts": [_named(row) for row in phase["discounts"]],
            "items": [{**item, "tax_rates": [rate["id"] for rate in item["tax_rates"]]} for item in phase["items"]],
            "metadata": phase["metadata"],
            "trial_end": phase["end_date"] if phase["trial"] else phase["trial_end"],
        },
    )
    subscription["schedule"] = plan["id"]
    plan |= {"subscription": subscription["id"], "status": "active"}
    watch(scope, plan, phase)
    scope.save(plan)
    begin(scope, subscription, "allow_incomplete", present=False)


def _finish(scope: Scope, plan: Obj, subscription: Obj) -> None:
    if plan["end_behavior"] == "cancel":
        plan |= {"status": "completed", "completed_at": scope.now, "current_phase": None}
        scope.save(plan)
        scope.emit("subscription_schedule.completed", plan)
        end(scope, subscription, None)
    else:
        let_go(scope, plan, subscription)
        scope.save(subscription)


def let_go(scope: Scope, plan: Obj, subscription: Obj | None) -> None:
    """Release: the subscription goes on without the schedule."""
    scope.drop_timer("phase", plan["id"])
    plan |= {
        "status": "released",
        "released_at": scope.now,
        "released_subscription": plan["subscription"],
        "subscription": None,
        "current_phase": None,
    }
    scope.save(plan)
    if subscription:
        subscription["schedule"] = None
    scope.emit("subscription_schedule.released", plan)
