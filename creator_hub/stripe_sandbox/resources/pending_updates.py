"""`payment_behavior: pending_if_incomplete`: a change that becomes real only when its invoice is paid."""

from __future__ import annotations

from copy import deepcopy

from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.resources.changes import apply_changes, bill
from creator_hub.stripe_sandbox.resources.dunning import collect, method_of, recover
from creator_hub.stripe_sandbox.resources.invoices import close_unpaid, finalize
from creator_hub.stripe_sandbox.resources.subscriptions import INCOMPLETE_FOR, schedule
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj
from creator_hub.stripe_sandbox.timers import timer

_SUPPORTED = {
    *("billing_cycle_anchor", "expand", "items", "off_session", "payment_behavior", "proration_behavior"),
    *("proration_date", "trial_end"),
}
_CHANGED = (
    *("billing_cycle_anchor", "items", "latest_invoice", "status", "trial_end", "trial_start", "discounts"),
    "_pending_lines",
)


def update_when_paid(scope: Scope, subscription: Obj, params: Obj) -> Obj:
    """Bill the change now; without the money nothing changes but `pending_update`, for 23 hours."""
    for name in sorted(set(params) - _SUPPORTED):
        raise invalid(
            f"When `payment_behavior` is set to `pending_if_incomplete`, you cannot pass `{name}`.", param=name
        )
    _drop(scope, subscription)
    after = deepcopy(subscription)
    change = apply_changes(scope, after, params)
    invoice = bill(scope, after, params, change)
    subscription["_waiting"] = {name: after[name] for name in _CHANGED}
    if invoice is None:
        _make_real(scope, subscription)
        return subscription
    invoice["_applies_update"] = True
    subscription["latest_invoice"] = invoice["id"]
    scope.save(subscription)
    finalize(scope, invoice)
    if invoice["status"] == "paid":
        recover(scope, subscription, invoice)
        return scope.get("subscription", subscription["id"])
    method = method_of(scope, subscription, subscription["customer"])
    collect(scope, invoice, method, present=not params.get("off_session"))
    subscription = scope.get("subscription", subscription["id"])
    if subscription.get("_waiting"):
        _keep_waiting(scope, subscription, params)
    return subscription


def _make_real(scope: Scope, subscription: Obj) -> None:
    waiting = subscription.pop("_waiting")
    with scope.changing(subscription, "customer.subscription.updated"):
        subscription |= waiting
        schedule(scope, subscription)


def _keep_waiting(scope: Scope, subscription: Obj, params: Obj) -> None:
    waiting = subscription["_waiting"]
    with scope.changing(subscription, "customer.subscription.updated"):
        subscription["pending_update"] = {
            "billing_cycle_anchor": waiting["billing_cycle_anchor"] if params.get("billing_cycle_anchor") else None,
            "discounts": None,
            "expires_at": scope.now + INCOMPLETE_FOR,
            "subscription_items": waiting["items"]["data"] if params.get("items") else None,
            "trial_end": waiting["trial_end"] if params.get("trial_end") else None,
            "trial_from_plan": None,
        }
    due = subscription["pending_update"]["expires_at"]
    scope.timer("pending_update", subscription["id"], due, subscription["test_clock"] or "")


def _drop(scope: Scope, subscription: Obj) -> None:
    """An older waiting change and its invoice give way."""
    if subscription.pop("_waiting", None) is None:
        return
    invoice = scope.get("invoice", subscription["latest_invoice"])
    if invoice["status"] == "open":
        close_unpaid(scope, invoice, "void")
    subscription["pending_update"] = None
    scope.drop_timer("pending_update", subscription["id"])
    scope.save(subscription)


@timer("pending_update")
def expire_pending(scope: Scope, identifier: str) -> None:
    subscription = scope.get("subscription", identifier)
    if subscription.get("_waiting") is None:
        return
    before = dict(subscription)
    _drop(scope, subscription)
    scope.emit("customer.subscription.pending_update_expired", subscription, before)
