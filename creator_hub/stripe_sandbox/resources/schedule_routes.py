"""`/v1/subscription_schedules`."""

from __future__ import annotations

from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, PAGE, Either, Spec, merge_metadata
from creator_hub.stripe_sandbox.resources.changes import bill_rest
from creator_hub.stripe_sandbox.resources.dunning import end
from creator_hub.stripe_sandbox.resources.prorations import credit
from creator_hub.stripe_sandbox.resources.schedules import let_go, make_phases, phase_of, put_into, start, watch
from creator_hub.stripe_sandbox.resources.subscription_params import BILLING_MODE, DISCOUNT, ITEM, PRORATION
from creator_hub.stripe_sandbox.resources.subscription_routes import collect_change
from creator_hub.stripe_sandbox.resources.subscriptions import billing_mode
from creator_hub.stripe_sandbox.routes import Page, created_range, retrieval, route
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj

_PHASE: Spec = {
    "application_fee_percent": float,
    "billing_cycle_anchor": ("automatic", "phase_start"),
    "currency": str,
    "default_payment_method": str,
    "default_tax_rates": [str],
    "description": str,
    "discounts": [DISCOUNT],
    "duration": {"interval*": ("day", "month", "week", "year"), "interval_count": int},
    "end_date": int,
    "items*": [ITEM],
    "metadata": META,
    "proration_behavior": PRORATION,
    "trial": bool,
    "trial_end": int,
}
_END = ("cancel", "release")


@route(
    "POST",
    "/v1/subscription_schedules",
    {
        "billing_mode": BILLING_MODE,
        "customer": str,
        "end_behavior": _END,
        "from_subscription": str,
        "metadata": META,
        "phases": [_PHASE],
        "start_date": Either(("now",), plain=int),
    },
)
def create_schedule(scope: Scope, params: Obj) -> Obj:
    if params.get("from_subscription"):
        return _from_subscription(scope, params)
    if not params.get("customer") or not params.get("phases"):
        raise invalid(
            "You must pass `from_subscription`, or `customer` with `phases`.", code="parameter_missing", param="phases"
        )
    customer = scope.get("customer", params["customer"], "customer")
    given = params.get("start_date") or "now"
    begins = scope.now if given == "now" else int(given)
    plan = _blank(scope, customer, params)
    plan["phases"] = make_phases(scope, params["phases"], begins)
    scope.add(plan)
    scope.emit("subscription_schedule.created", plan)
    if begins <= scope.now:
        start(scope, plan)
    else:
        scope.timer("phase", plan["id"], begins, customer["test_clock"] or "")
    return scope.get("subscription_schedule", plan["id"])


def _from_subscription(scope: Scope, params: Obj) -> Obj:
    for name in ("phases", "customer", "start_date", "end_behavior", "metadata"):
        if params.get(name):
            raise invalid(f"You cannot set `{name}` with `from_subscription`; update the schedule.", param=name)
    subscription = scope.get("subscription", params["from_subscription"], "from_subscription")
    if subscription["schedule"]:
        raise invalid(
            f"You cannot migrate a subscription that is already attached to a schedule: `{subscription['schedule']}`.",
            param="from_subscription",
        )
    if subscription["status"] in ("canceled", "incomplete", "incomplete_expired"):
        raise invalid("You cannot schedule a subscription that is not running.", param="from_subscription")
    plan = _blank(scope, scope.get("customer", subscription["customer"]), params)
    first = phase_of(subscription)
    plan |= {
        "billing_mode": {**subscription["billing_mode"], "updated_at": None},
        "phases": make_phases(scope, [first], first["start_date"]),
        "status": "active",
        "subscription": subscription["id"],
    }
    if subscription["cancel_at_period_end"]:
        plan["end_behavior"] = "cancel"
    watch(scope, plan, plan["phases"][0])
    scope.add(plan)
    scope.emit("subscription_schedule.created", plan)
    with scope.changing(subscription, "customer.subscription.updated"):
        subscription["schedule"] = plan["id"]
    return plan


def _blank(scope: Scope, customer: Obj, params: Obj) -> Obj:
    return {
        "id": new_id("sub_sched"),
        "object": "subscription_schedule",
        "application": None,
        "billing_mode": {**billing_mode(params.get("billing_mode")), "updated_at": None},
        "canceled_at": None,
        "completed_at": None,
        "created": scope.now,
        "current_phase": None,
        "customer": customer["id"],
        "default_settings": {
            "application_fee_percent": None,
            "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
            "billing_cycle_anchor": "automatic",
            "billing_thresholds": None,
            "collection_method": "charge_automatically",
            "default_payment_method": None,
            "description": None,
            "invoice_settings": {
                "account_tax_ids": None,
                "custom_fields": None,
                "days_until_due": None,
                "description": None,
                "footer": None,
                "issuer": {"type": "self"},
            },
            "on_behalf_of": None,
            "transfer_data": None,
        },
        "end_behavior": params.get("end_behavior") or "release",
        "livemode": False,
        "metadata": merge_metadata(None, params.get("metadata")),
        "pause_schedules": [],
        "phases": [],
        "released_at": None,
        "released_subscription": None,
        "status": "not_started",
        "subscription": None,
        "test_clock": customer["test_clock"],
    }


@route(
    "POST",
    "/v1/subscription_schedules/{id}",
    {
        "end_behavior": _END,
        "metadata": META,
        "phases": [{**_PHASE, "start_date": Either(("now",), plain=int), "end_date": Either(("now",), plain=int)}],
        "proration_behavior": PRORATION,
    },
)
def update_schedule(scope: Scope, params: Obj, identifier: str) -> Obj:
    plan = _running(scope, identifier)
    with scope.changing(plan, "subscription_schedule.updated"):
        plan["metadata"] = merge_metadata(plan["metadata"], params.get("metadata"))
        plan["end_behavior"] = params.get("end_behavior") or plan["end_behavior"]
        if params.get("phases"):
            _replace_phases(scope, plan, params)
    return scope.get("subscription_schedule", identifier)


def _replace_phases(scope: Scope, plan: Obj, params: Obj) -> None:
    given = [{**phase} for phase in params["phases"]]
    for phase in given:
        if phase.get("end_date") == "now":
            phase["end_date"] = scope.now
    first = given[0].get("start_date")
    if first == "now":
        first = scope.now
    if plan["status"] == "not_started":
        plan["phases"] = make_phases(scope, given, first or plan["phases"][0]["start_date"])
        scope.timer("phase", plan["id"], plan["phases"][0]["start_date"], plan["test_clock"] or "")
        return
    running = plan["current_phase"]["start_date"]
    begins = first or running
    past = [phase for phase in plan["phases"] if phase["end_date"] <= begins]
    made = make_phases(scope, given, begins)
    now = next((phase for phase in made if phase["start_date"] <= scope.now < phase["end_date"]), None)
    if now is None:
        raise invalid("The phases must include the one that runs now.", param="phases")
    before = next(phase for phase in plan["phases"] if phase["start_date"] == running)
    plan["phases"] = past + made
    watch(scope, plan, now)
    if [(item["price"], item["quantity"]) for item in now["items"]] != [
        (item["price"], item["quantity"]) for item in before["items"]
    ]:
        subscription = scope.get("subscription", plan["subscription"])
        put_into(scope, subscription, now, params.get("proration_behavior") or "create_prorations")


def _running(scope: Scope, identifier: str) -> Obj:
    plan = scope.get("subscription_schedule", identifier)
    if plan["status"] not in ("active", "not_started"):
        raise invalid(f"This schedule is {plan['status']}; only an active or not started one can be changed.")
    return plan


@route("POST", "/v1/subscription_schedules/{id}/release", {"preserve_cancel_date": bool})
def release_schedule(scope: Scope, params: Obj, identifier: str) -> Obj:
    plan = _running(scope, identifier)
    subscription = scope.find("subscription", plan["subscription"])
    let_go(scope, plan, subscription)
    if subscription:
        with scope.changing(subscription, "customer.subscription.updated"):
            subscription["schedule"] = None
    return plan


@route("POST", "/v1/subscription_schedules/{id}/cancel", {"invoice_now": bool, "prorate": bool})
def cancel_schedule(scope: Scope, params: Obj, identifier: str) -> Obj:
    """Cancels the subscription too; what it has not used is credited and billed unless asked otherwise."""
    plan = _running(scope, identifier)
    subscription = scope.find("subscription", plan["subscription"])
    if subscription is None:
        scope.drop_timer("phase", identifier)
        plan |= {"status": "canceled", "canceled_at": scope.now}
        scope.save(plan)
        scope.emit("subscription_schedule.canceled", plan)
        return plan
    if params.get("prorate", True) and subscription["status"] not in ("trialing", "paused"):
        subscription["_pending_lines"] += [
            credit(scope, subscription, item, scope.now) for item in subscription["items"]["data"]
        ]
    last = bill_rest(scope, subscription) if params.get("invoice_now", True) else None
    end(scope, subscription, "cancellation_requested")
    if last is not None:
        collect_change(scope, subscription, last, "allow_incomplete", present=False)
    return scope.get("subscription_schedule", identifier)


retrieval("/v1/subscription_schedules/{id}", "subscription_schedule")


@route("GET", "/v1/subscription_schedules", {**PAGE, "created": CREATED, "customer": str, "scheduled": bool})
def list_schedules(scope: Scope, params: Obj) -> Page:
    equal = {"customer": params["customer"]} if params.get("customer") else {}
    waiting = (lambda plan: plan["status"] == "not_started") if params.get("scheduled") else None
    return Page("subscription_schedule", equal, created_range(params), waiting)
