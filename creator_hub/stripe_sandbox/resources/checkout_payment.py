"""Completing a Checkout: what the hosted page and the control plane do with a person's card and code."""

from __future__ import annotations

from creator_hub.stripe_sandbox.billing import DAY
from creator_hub.stripe_sandbox.errors import ApiError, invalid
from creator_hub.stripe_sandbox.forms import merge_metadata
from creator_hub.stripe_sandbox.resources.checkout_items import total_up
from creator_hub.stripe_sandbox.resources.customers import create_customer, whole_address
from creator_hub.stripe_sandbox.resources.discounts import coupon_for, redeem
from creator_hub.stripe_sandbox.resources.first_invoice import begin
from creator_hub.stripe_sandbox.resources.methods import attach, card_of, make_method, make_setup
from creator_hub.stripe_sandbox.resources.payments import attempt, card_error, judge, make_intent
from creator_hub.stripe_sandbox.resources.subscriptions import build
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj
from creator_hub.stripe_sandbox.timers import timer

BANK_TAKES = 3 * DAY


def apply_code(scope: Scope, session: Obj, code: str) -> None:
    """Put a promotion code on an open Checkout, or take it off with an empty one. Raises 400 for a code that does not
    hold; nothing is redeemed before the payment."""
    found = scope.all("promotion_code", code=code.strip(), active=True) if code.strip() else []
    if code.strip() and not found:
        raise invalid("This code is not valid.", param="discounts")
    session["_discounts"] = [{"promotion_code": found[-1]["id"]}] if found else []
    total_up(scope, session)
    scope.save(session)


def success_url(session: Obj) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def start_payment(scope: Scope, identifier: str, number: str, details: Obj) -> Obj:
    """Take the card a person typed. Raises the decline (402); a session left open by 3-D Secure is returned open,
    with the card remembered for `finish_approval`."""
    session = scope.get("checkout.session", identifier)
    if session["status"] != "open":
        raise invalid(f"This Checkout is {session['status']}. Go back to the shop and start again.")
    method = make_method(
        scope,
        number,
        month=details.get("month", 12),
        year=details.get("year", 2034),
        details={
            "email": details.get("email"),
            "name": details.get("name"),
            "address": {"country": details.get("country")},
        },
    )
    if details.get("delayed") and session["mode"] != "payment":
        raise invalid("Only a Checkout in `payment` mode can be paid by a delayed method here.", param="delayed")
    session |= {"_method": method["id"], "_details": details}
    scope.save(session)
    if card_of(method).authenticates and (session["amount_total"] or session["mode"] == "setup"):
        return session
    return _complete(scope, session, method, approved=False)


def finish_approval(scope: Scope, identifier: str, *, approved: bool) -> Obj:
    """The cardholder answered the bank's question on the 3-D Secure page."""
    session = scope.get("checkout.session", identifier)
    if session["status"] != "open" or not session.get("_method"):
        raise invalid("There is nothing to approve for this Checkout.")
    if not approved:
        raise ApiError(
            402,
            "card_error",
            "We are unable to authenticate your payment method. Please choose a "
            "different payment method and try again.",
            code="payment_intent_authentication_failure",
        )
    return _complete(scope, session, scope.get("payment_method", session["_method"]), approved=True)


def _complete(scope: Scope, session: Obj, method: Obj, *, approved: bool) -> Obj:
    if session["mode"] == "subscription":
        _subscribe(scope, session, method, approved=approved)
    elif session["mode"] == "payment":
        _pay(scope, session, method, approved=approved)
    else:
        _save_card(scope, session, method)
    scope.drop_timer("expire_session", session["id"])
    details, address = session["_details"], {"country": session["_details"].get("country")}
    email = details.get("email") or (session["customer_details"] or {}).get("email")
    session |= {
        "status": "complete",
        "url": None,
        "customer_details": {
            "address": whole_address(address),
            "email": email,
            "name": details.get("name"),
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
    }
    scope.save(session)
    scope.emit("checkout.session.completed", session)
    return session


def _save_card(scope: Scope, session: Obj, method: Obj) -> None:
    customer = _customer(scope, session)
    data = session["_setup_data"]
    setup = make_setup(scope, {**data, "customer": customer["id"], "payment_method": method["id"], "confirm": True})
    session |= {"setup_intent": setup["id"], "payment_status": "no_payment_required"}


def _customer(scope: Scope, session: Obj) -> Obj:
    if session["customer"]:
        return scope.get("customer", session["customer"])
    details = session["_details"]
    email = details.get("email") or session["customer_email"]
    country = details.get("country")
    customer = create_customer(
        scope, {"email": email, "name": details.get("name"), "address": {"country": country} if country else None}
    )
    session["customer"] = customer["id"]
    return customer


def _subscribe(scope: Scope, session: Obj, method: Obj, *, approved: bool) -> None:
    """A declined card leaves only its failed intent behind: the subscription begins with the payment."""
    if session["amount_total"]:
        _refuse_declined(scope, session, method, approved=approved)
    customer = _customer(scope, session)
    attach(scope, method, customer["id"])
    data = session["_subscription_data"]
    subscription = build(
        scope,
        customer,
        {
            **data,
            "default_payment_method": method["id"],
            "discounts": session["_discounts"],
            "items": [
                {"price": item["price"]["id"], "quantity": item["quantity"], "tax_rates": item["_tax_rates"]}
                for item in session["_line_items"]
            ],
        },
    )
    begin(scope, subscription, "allow_incomplete", present=True, method=method, approved=approved)
    subscription = scope.get("subscription", subscription["id"])
    session |= {
        "subscription": subscription["id"],
        "invoice": subscription["latest_invoice"],
        "payment_status": "paid" if session["amount_total"] else "no_payment_required",
    }


def _refuse_declined(scope: Scope, session: Obj, method: Obj, *, approved: bool) -> None:
    forced = scope.store.meta("decline_next", [])
    outcome = judge(scope, method, present=True, approved=approved)
    if not outcome.decline:
        return
    scope.store.set_meta("decline_next", forced)
    intent = make_intent(
        scope, session["amount_total"], session["currency"], session["customer"], description="Subscription creation"
    )
    refused = attempt(scope, intent, method, present=True, approved=approved)
    if refused.decline:
        raise card_error(refused.decline, intent)


def _pay(scope: Scope, session: Obj, method: Obj, *, approved: bool) -> None:
    data, currency = session["_intent_data"], session["currency"]
    about = {"customer": session["customer"], "amount": session["amount_subtotal"]}
    for item in session["_discounts"]:
        coupon_for(scope, item, currency=currency, **about)
    if session["amount_total"]:
        intent = scope.find("payment_intent", session["payment_intent"]) or make_intent(
            scope,
            session["amount_total"],
            currency,
            session["customer"],
            **{**data, "metadata": merge_metadata(None, data.get("metadata"))},
        )
        session["payment_intent"] = intent["id"]
        scope.save(session)
        _collect(scope, session, intent, method, approved=approved)
    else:
        session["payment_status"] = "no_payment_required"
    for item in session["_discounts"]:
        redeem(scope, [item], currency=currency, checkout_session=session["id"], **about)


def _collect(scope: Scope, session: Obj, intent: Obj, method: Obj, *, approved: bool) -> None:
    if session["customer_creation"] == "always" and not session["customer"]:
        intent["customer"] = _customer(scope, session)["id"]
    if session["_details"].get("delayed"):
        intent |= {"payment_method": method["id"], "status": "processing"}
        scope.save(intent)
        scope.emit("payment_intent.processing", intent)
        scope.timer("delayed", session["id"], scope.now + BANK_TAKES, scope.test_clock_of(session["customer"]))
        return
    outcome = attempt(scope, intent, method, present=True, approved=approved)
    if outcome.decline:
        raise card_error(outcome.decline, intent)
    if intent["setup_future_usage"] and session["customer"]:
        attach(scope, method, session["customer"])
    session["payment_status"] = "paid"


@timer("delayed")
def settle_delayed(scope: Scope, identifier: str) -> None:
    """The bank's answer to a delayed payment, days after the Checkout was completed."""
    session = scope.get("checkout.session", identifier)
    intent = scope.get("payment_intent", session["payment_intent"])
    method = scope.get("payment_method", session["_method"])
    paid = attempt(scope, intent, method, present=True, approved=True).paid
    if paid:
        session["payment_status"] = "paid"
        scope.save(session)
    scope.emit(f"checkout.session.async_payment_{'succeeded' if paid else 'failed'}", session)
