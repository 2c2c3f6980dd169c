"""Collecting an invoice, and what success and failure do to its subscription: retries, grace, the end."""

from __future__ import annotations

from creator_hub.stripe_sandbox.billing import DAY
from creator_hub.stripe_sandbox.cards import decline_for
from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.resources.invoices import close_unpaid, finalize, mark_paid, subscription_of
from creator_hub.stripe_sandbox.resources.methods import attach, resolve
from creator_hub.stripe_sandbox.resources.payments import Outcome, attempt
from creator_hub.stripe_sandbox.resources.subscriptions import schedule
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj
from creator_hub.stripe_sandbox.timers import timer

# Days between attempts (the last falls on day 14) and what comes after the last; `/_control/dunning` changes both.
DEFAULT_RULES: Obj = {"retry_days": [1, 3, 3, 3, 4], "then": "cancel"}
AFTER_RETRIES = ("cancel", "past_due", "unpaid")
# After these the bank will refuse again: a retry waits until the customer has another card.
HARD_DECLINES = ("authentication_required", "expired_card", "lost_card", "pickup_card", "stolen_card")


def rules(scope: Scope) -> Obj:
    """{retry_days, then}: the account's settings for failed renewals."""
    found: Obj = scope.store.meta("dunning", DEFAULT_RULES)
    return found


def method_of(scope: Scope, subscription: Obj | None, customer_id: str) -> Obj | None:
    """The card that pays: the subscription's own, else the customer's default."""
    customer = scope.get("customer", customer_id)
    own = subscription and subscription["default_payment_method"]
    return scope.find("payment_method", own or customer["invoice_settings"]["default_payment_method"])


def collect(
    scope: Scope,
    invoice: Obj,
    method: Obj | None,
    *,
    present: bool = False,
    approved: bool = False,
) -> Outcome:
    """Attempt an open invoice once and carry the result to its subscription."""
    invoice |= {"attempt_count": invoice["attempt_count"] + 1, "attempted": True}
    outcome = Outcome(decline=decline_for("generic_decline"))
    if method is not None:
        intent = scope.get("payment_intent", invoice["_intent"])
        outcome = attempt(scope, intent, method, present=present, approved=approved)
    subscription = scope.find("subscription", subscription_of(invoice))
    if outcome.paid:
        scope.drop_timer("retry", invoice["id"])
        mark_paid(scope, invoice)
        if subscription:
            recover(scope, subscription, invoice)
    else:
        _failed(scope, invoice, subscription, outcome)
    return outcome


def recover(scope: Scope, subscription: Obj, invoice: Obj) -> None:
    """A paid invoice ends incomplete, past_due and unpaid, and makes a change that waited for it."""
    scope.drop_timer("incomplete", subscription["id"])
    _mark_delinquent(scope, invoice, False)
    if invoice.get("_applies_update"):
        _apply_pending(scope, subscription)
    if subscription["status"] not in ("incomplete", "past_due", "unpaid"):
        return
    newest = invoice["id"] == subscription["latest_invoice"]
    if subscription["status"] != "incomplete" and not newest and _other_open(scope, subscription, invoice):
        return
    with scope.changing(subscription, "customer.subscription.updated"):
        subscription["status"] = "active"
        keep_card(scope, subscription, invoice)
    schedule(scope, subscription)


def _other_open(scope: Scope, subscription: Obj, invoice: Obj) -> bool:
    return any(
        subscription_of(row) == subscription["id"] and row["id"] != invoice["id"]
        for row in scope.all("invoice", status="open", customer=invoice["customer"])
    )


def _apply_pending(scope: Scope, subscription: Obj) -> None:
    """The change that `pending_if_incomplete` held back becomes real with its payment."""
    waiting = subscription.pop("_waiting", None)
    if waiting is None:
        return
    waited = subscription["pending_update"] is not None
    with scope.changing(subscription, "customer.subscription.updated"):
        subscription |= {**waiting, "pending_update": None}
    scope.drop_timer("pending_update", subscription["id"])
    schedule(scope, subscription)
    if waited:
        scope.emit("customer.subscription.pending_update_applied", subscription)


def _mark_delinquent(scope: Scope, invoice: Obj, late: bool) -> None:
    customer = scope.find("customer", invoice["customer"])
    if customer and customer["delinquent"] != late:
        with scope.changing(customer, "customer.updated"):
            customer["delinquent"] = late


def keep_card(scope: Scope, subscription: Obj, invoice: Obj) -> None:
    if subscription["payment_settings"]["save_default_payment_method"] != "on_subscription":
        return
    intent = scope.find("payment_intent", invoice["_intent"])
    if intent and intent["payment_method"]:
        subscription["default_payment_method"] = intent["payment_method"]


def _failed(scope: Scope, invoice: Obj, subscription: Obj | None, outcome: Outcome) -> None:
    first = invoice["billing_reason"] == "subscription_create"
    held = bool(invoice.get("_applies_update"))
    invoice["_refused"] = outcome.decline.decline_code if outcome.decline else None
    again = not first and not held and not outcome.needs_approval and _schedule_retry(scope, invoice)
    scope.save(invoice)
    asked = outcome.needs_approval or (outcome.decline and outcome.decline.code == "authentication_required")
    if asked:
        scope.emit("invoice.payment_action_required", invoice)
    if not outcome.needs_approval:
        scope.emit("invoice.payment_failed", invoice)
    if subscription is None or first or held:
        return
    _mark_delinquent(scope, invoice, True)
    if subscription["status"] in ("active", "trialing"):
        with scope.changing(subscription, "customer.subscription.updated"):
            subscription["status"] = "past_due"
    if not again and not outcome.needs_approval:
        _give_up(scope, subscription)


def _schedule_retry(scope: Scope, invoice: Obj) -> bool:
    """Set the next attempt; False when the last was made."""
    days = rules(scope)["retry_days"]
    if invoice["attempt_count"] > len(days):
        invoice["next_payment_attempt"] = None
        return False
    invoice["next_payment_attempt"] = scope.now + days[invoice["attempt_count"] - 1] * DAY
    scope.timer("retry", invoice["id"], invoice["next_payment_attempt"], invoice["test_clock"] or "")
    return True


def _give_up(scope: Scope, subscription: Obj) -> None:
    """All retries failed: the subscription ends, is left past_due, or is unpaid (renewals stay drafts), as set."""
    then = rules(scope)["then"]
    if then == "cancel":
        end(scope, subscription, "payment_failed")
    elif then == "unpaid" and subscription["status"] != "unpaid":
        with scope.changing(subscription, "customer.subscription.updated"):
            subscription["status"] = "unpaid"


@timer("retry")
def retry(scope: Scope, identifier: str) -> None:
    invoice = scope.get("invoice", identifier)
    if invoice["status"] != "open":
        return
    subscription = scope.find("subscription", subscription_of(invoice))
    method = method_of(scope, subscription, invoice["customer"])
    intent = scope.find("payment_intent", invoice["_intent"]) or {}
    if invoice.get("_refused") in HARD_DECLINES and method and method["id"] == intent.get("_refused_method"):
        _skip_attempt(scope, invoice, subscription)
        return
    collect(scope, invoice, method)


def _skip_attempt(scope: Scope, invoice: Obj, subscription: Obj | None) -> None:
    """The card was refused for good and is still the only one: the attempt counts, but the bank is not asked."""
    with scope.changing(invoice, "invoice.updated"):
        invoice["attempt_count"] += 1
        again = _schedule_retry(scope, invoice)
    if not again and subscription:
        _give_up(scope, subscription)


@timer("finalize")
def finalize_and_collect(scope: Scope, identifier: str) -> None:
    """A renewal's draft is finalised an hour after the period began, then collected at once."""
    invoice = scope.get("invoice", identifier)
    if invoice["status"] != "draft":
        return
    finalize(scope, invoice)
    if invoice["status"] == "open":
        subscription = scope.find("subscription", subscription_of(invoice))
        collect(scope, invoice, method_of(scope, subscription, invoice["customer"]))


@timer("incomplete")
def expire_incomplete(scope: Scope, identifier: str) -> None:
    """A first payment that never came: after 23 hours the subscription is dead and its invoice void."""
    subscription = scope.get("subscription", identifier)
    if subscription["status"] != "incomplete":
        return
    scope.drop_timer("renew", identifier)
    invoice = scope.find("invoice", subscription["latest_invoice"])
    if invoice and invoice["status"] == "open":
        close_unpaid(scope, invoice, "void")
    with scope.changing(subscription, "customer.subscription.updated"):
        subscription |= {"status": "incomplete_expired", "ended_at": scope.now}


def end(scope: Scope, subscription: Obj, reason: str | None) -> Obj:
    """Cancelled now: no timer runs any more, unpaid renewals are not tried again."""
    for action in ("renew", "cancel", "trial_will_end", "unpause", "incomplete", "pending_update"):
        scope.drop_timer(action, subscription["id"])
    for invoice in scope.all("invoice", status="open", customer=subscription["customer"]):
        if subscription_of(invoice) == subscription["id"]:
            scope.drop_timer("retry", invoice["id"])
            invoice |= {"next_payment_attempt": None, "auto_advance": False}
            scope.save(invoice)
    for invoice in scope.all("invoice", status="draft", customer=subscription["customer"]):
        if subscription_of(invoice) == subscription["id"]:
            scope.drop_timer("finalize", invoice["id"])
    _end_schedule(scope, subscription)
    subscription |= {
        "status": "canceled",
        "ended_at": scope.now,
        "canceled_at": subscription["canceled_at"] or scope.now,
    }
    details = subscription["cancellation_details"]
    details["reason"] = reason or details["reason"] or "cancellation_requested"
    scope.save(subscription)
    scope.emit("customer.subscription.deleted", subscription)
    return subscription


def _end_schedule(scope: Scope, subscription: Obj) -> None:
    plan = scope.find("subscription_schedule", subscription["schedule"])
    if plan and plan["status"] in ("active", "not_started"):
        scope.drop_timer("phase", plan["id"])
        plan |= {"status": "canceled", "canceled_at": scope.now, "current_phase": None}
        scope.save(plan)
        scope.emit("subscription_schedule.canceled", plan)


def pay_now(scope: Scope, invoice: Obj, given: str | None, *, present: bool) -> Outcome:
    """What `POST /v1/invoices/{id}/pay` does once the invoice is open."""
    subscription = scope.find("subscription", subscription_of(invoice))
    method = resolve(scope, given) if given else method_of(scope, subscription, invoice["customer"])
    if method is None:
        raise invalid(
            "There is no `default_payment_method` set on this Customer or Invoice. Please attach a payment method."
        )
    outcome = collect(scope, invoice, method, present=present)
    if given and outcome.paid and not method["customer"]:
        attach(scope, method, invoice["customer"])
    return outcome
