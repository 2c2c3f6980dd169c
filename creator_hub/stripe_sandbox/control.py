"""The control plane: what a test or a demo may make happen. JSON in and out, never part of Stripe's API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from creator_hub.stripe_sandbox.errors import ApiError, invalid, missing
from creator_hub.stripe_sandbox.resources import (
    accounts,
    checkout_payment,
    disputes,
    dunning,
    fraud_warnings,
    onboarding,
    payouts,
    refunds,
)
from creator_hub.stripe_sandbox.scope import PLATFORM, Scope, public
from creator_hub.stripe_sandbox.store import Obj
from creator_hub.stripe_sandbox.timers import run_due

WEBHOOK_MODES = ("normal", "drop", "duplicate", "delay", "reorder")
DECLINES = (
    "generic_decline",
    "insufficient_funds",
    "lost_card",
    "stolen_card",
    "expired_card",
    "incorrect_cvc",
    "processing_error",
    "authentication_required",
)
LONGEST_JUMP = 20 * 366 * 86_400


def _whole(body: Obj, name: str, default: int | None = None) -> int:
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid(f"{name} must be an integer.", param=name)
    return value


def _only(body: Obj, *names: str) -> None:
    for name in body:
        if name not in names:
            raise invalid(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def advance(scope: Scope, body: Obj) -> Obj:
    """{seconds} or {to: unix} → {now, ran}: move the clock on, running renewals, retries and payouts in order."""
    _only(body, "seconds", "to")
    now = scope.now
    target = _whole(body, "to") if "to" in body else now + _whole(body, "seconds")
    if not now <= target <= now + LONGEST_JUMP:
        raise invalid("The clock only moves forward, at most twenty years at once.", param="to")
    ran = run_due(scope, target)
    scope.clock.move_to(target)
    return {"now": target, "ran": ran}


def decline_next(scope: Scope, body: Obj) -> Obj:
    """{code?, count?} → the next charges are declined with this decline_code, whatever the card."""
    _only(body, "code", "count")
    code = body.get("code") or "generic_decline"
    if code not in DECLINES:
        raise invalid(f"code must be one of {', '.join(DECLINES)}", param="code")
    scope.store.set_meta("decline_next", [code] * _whole(body, "count", 1))
    return {"declining": scope.store.meta("decline_next")}


def dispute(scope: Scope, body: Obj) -> Obj:
    """{charge, action: open|inquire|escalate|win|lose, reason?, amount?, return_fee?, account?} → the dispute."""
    _only(body, "charge", "dispute", "action", "reason", "amount", "return_fee", "account")
    own = _account(scope, body)
    action = body.get("action", "open")
    if action not in ("open", "inquire", "escalate", "win", "lose"):
        raise invalid("action must be open, inquire, escalate, win or lose.", param="action")
    if action in ("open", "inquire"):
        amount = _whole(body, "amount") if "amount" in body else None
        reason = str(body.get("reason", "fraudulent"))
        inquiry = action == "inquire"
        return public(disputes.open_dispute(own, str(body.get("charge")), reason, inquiry=inquiry, amount=amount))
    identifier = body.get("dispute")
    if identifier is None:
        found = own.all("dispute", charge=body.get("charge"))
        if not found:
            raise invalid("This charge has no dispute.", param="charge")
        identifier = found[-1]["id"]
    if action == "escalate":
        return public(disputes.escalate(own, str(identifier)))
    return public(
        disputes.resolve_dispute(own, str(identifier), won=action == "win", return_fee=bool(body.get("return_fee")))
    )


def fraud_warning(scope: Scope, body: Obj) -> Obj:
    """{charge, fraud_type?, account?} → an early fraud warning over the charge."""
    _only(body, "charge", "fraud_type", "account")
    kind = body.get("fraud_type") or "misc"
    if kind not in fraud_warnings.FRAUD_TYPES:
        raise invalid(f"fraud_type must be one of {', '.join(fraud_warnings.FRAUD_TYPES)}", param="fraud_type")
    return public(fraud_warnings.warn(_account(scope, body), str(body.get("charge")), kind))


def refund_failure(scope: Scope, body: Obj) -> Obj:
    """{refund, account?, reason?} → this refund fails now; without `refund`: the next one, three days after it."""
    _only(body, "refund", "reason", "account")
    reason = body.get("reason") or "expired_or_canceled_card"
    if reason not in refunds.FAILURES:
        raise invalid(f"reason must be one of {', '.join(refunds.FAILURES)}", param="reason")
    own = _account(scope, body)
    if body.get("refund"):
        return public(refunds.fail(own, own.get("refund", str(body["refund"]), "refund"), reason))
    scope.store.set_meta("refund_failure", reason)
    return {"next_refund_fails": reason}


def deauthorize(scope: Scope, body: Obj) -> Obj:
    """{account} → the creator disconnects from the platform."""
    _only(body, "account")
    return public(accounts.deauthorize(scope, str(body.get("account"))))


def _account(scope: Scope, body: Obj) -> Scope:
    account = body.get("account") or PLATFORM
    if account:
        scope.get("account", str(account), "account")
    return scope.of(str(account))


def payout_failure(scope: Scope, body: Obj) -> Obj:
    """{account?, code?, payout?} → that payout fails now, or else the account's (the platform's) next one will."""
    _only(body, "account", "code", "payout")
    code = body.get("code") or "account_closed"
    if code not in payouts.FAILURE_TEXT:
        raise invalid(f"code must be one of {', '.join(payouts.FAILURE_TEXT)}", param="code")
    own = _account(scope, body)
    if body.get("payout"):
        return public(payouts.fail(own, own.get("payout", str(body["payout"]), "payout"), code))
    failures = scope.store.meta("payout_failures", {})
    failures[own.account or "platform"] = code
    scope.store.set_meta("payout_failures", failures)
    return {"will_fail": failures}


def set_dunning(scope: Scope, body: Obj) -> Obj:
    """{retry_days?, then?} → how failed renewals are retried (days between attempts) and what comes after the last."""
    _only(body, "retry_days", "then")
    settings = dict(dunning.rules(scope))
    if "retry_days" in body:
        days = body["retry_days"]
        if not isinstance(days, list) or any(type(day) is not int or day < 1 for day in days) or len(days) > 8:
            raise invalid("retry_days must be at most eight numbers of days.", param="retry_days")
        settings["retry_days"] = days
    if "then" in body:
        if body["then"] not in dunning.AFTER_RETRIES:
            raise invalid(f"then must be one of {', '.join(dunning.AFTER_RETRIES)}", param="then")
        settings["then"] = body["then"]
    scope.store.set_meta("dunning", settings)
    return settings


def webhooks(scope: Scope, body: Obj) -> Obj:
    """{mode, count?, seconds?} → how the next `count` deliveries go wrong; normal ends it."""
    _only(body, "mode", "count", "seconds")
    mode = body.get("mode", "normal")
    if mode not in WEBHOOK_MODES:
        raise invalid(f"mode must be one of {', '.join(WEBHOOK_MODES)}", param="mode")
    count = 0 if mode == "normal" else _whole(body, "count", 2 if mode == "reorder" else 1)
    state: dict[str, Any] = {"mode": mode, "count": count}
    if "seconds" in body:
        state["seconds"] = _whole(body, "seconds")
    scope.store.set_meta("webhooks", state)
    scope.store.arrivals.announce()
    return webhook_state(scope)


def resend(scope: Scope, body: Obj) -> Obj:
    """{event} → deliver this event once more to every endpoint that wants it."""
    _only(body, "event")
    found = scope.anywhere("event", str(body.get("event")))
    if found is None:
        raise missing("event", str(body.get("event")), "event")
    return {"endpoints": found[0].deliver(found[1])}


def webhook_state(scope: Scope) -> Obj:
    """{mode, count, pending}: `pending` deliveries are still queued; 0 tells a test that all are accepted."""
    state = scope.store.meta("webhooks", {"mode": "normal", "count": 0})
    return {"mode": state["mode"], "count": state["count"], "pending": scope.store.undelivered()}


def pay_checkout(scope: Scope, body: Obj, session: str) -> Obj:
    """{card, approve?, name?, email?, country?, account?, delayed?} → complete a Checkout; 402 for a decline."""
    _only(body, "card", "approve", "name", "email", "country", "account", "delayed")
    scope = _account(scope, body)
    details = {name: body.get(name) for name in ("name", "email", "country", "delayed")}
    details["country"] = details["country"] or "US"
    done = checkout_payment.start_payment(scope, session, str(body.get("card") or "4242424242424242"), details)
    if done["status"] == "open":
        done = checkout_payment.finish_approval(scope, session, approved=bool(body.get("approve", True)))
    return {**public(done), "redirect_url": checkout_payment.success_url(done)}


def onboard(scope: Scope, body: Obj, account: str) -> Obj:
    """Complete a connected account's onboarding without a browser."""
    _only(body, "name")
    return public(onboarding.complete_onboarding(scope, account, name=str(body.get("name") or "Test Person")))


COMMANDS: dict[str, Callable[[Scope, Obj], Obj]] = {
    "advance": advance,
    "deauthorize": deauthorize,
    "decline_next": decline_next,
    "dispute": dispute,
    "dunning": set_dunning,
    "fraud_warning": fraud_warning,
    "payout_failure": payout_failure,
    "refund_failure": refund_failure,
    "resend": resend,
    "webhooks": webhooks,
}


def run(scope: Scope, path: str, body: Any) -> Obj:
    """Answer one POST under /_control/."""
    if not isinstance(body, dict):
        raise invalid("The control plane reads a JSON object.")
    parts = path.removeprefix("/_control/").split("/")
    if len(parts) == 3 and (parts[0], parts[2]) == ("checkout", "pay"):
        return pay_checkout(scope, body, parts[1])
    if len(parts) == 2 and parts[0] == "onboard":
        return onboard(scope, body, parts[1])
    if path.removeprefix("/_control/") in COMMANDS:
        return COMMANDS[parts[0]](scope, body)
    raise ApiError(404, "invalid_request_error", f"The control plane has no {path}.")


__all__ = ["run", "webhook_state"]
