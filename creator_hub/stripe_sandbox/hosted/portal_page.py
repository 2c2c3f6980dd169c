"""The billing portal: a customer's subscriptions, card and invoices."""

from __future__ import annotations

from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from creator_hub.stripe_sandbox.errors import ApiError
from creator_hub.stripe_sandbox.hosted.card_form import details_of, mistakes_in, refusal_text
from creator_hub.stripe_sandbox.hosted.page import page, sorry, web_only
from creator_hub.stripe_sandbox.resources.customers import update_customer
from creator_hub.stripe_sandbox.resources.methods import attach, make_method
from creator_hub.stripe_sandbox.resources.subscription_routes import update_subscription
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj

GONE = ("canceled", "incomplete_expired")


def portal(scope: Scope, identifier: str, form: dict[str, str], method: str) -> Response:
    found = scope.anywhere("billing_portal.session", identifier)
    if found is None:
        return sorry("Page not found", "Ask the site that sent you here for a new link.")
    own, session = found
    if method == "GET":
        return _show(own, session, {})
    try:
        with own.store.step():
            return _act(own, session, form)
    except ApiError as error:
        text = refusal_text(error) if error.status == 402 else error.error["message"]
        return _show(own, session, form, {"card": text}, declined=error.status == 402, status=error.status)


def _act(scope: Scope, session: Obj, form: dict[str, str]) -> Response:
    action, target = form.get("action"), form.get("subscription", "")
    if action in ("cancel", "keep"):
        subscription = scope.get("subscription", target)
        if subscription["customer"] == session["customer"]:
            update_subscription(scope, {"cancel_at_period_end": action == "cancel"}, target)
    elif action == "card":
        mistakes = mistakes_in(form, needs_email=False)
        if mistakes:
            return _show(scope, session, form, mistakes, status=422)
        _change_card(scope, session["customer"], form)
    return redirect(f"/p/session/{session['id']}", 303)


def _change_card(scope: Scope, customer: str, form: dict[str, str]) -> None:
    details = details_of(form, None)
    known = {"name": details["name"], "address": {"country": details["country"]}}
    card = make_method(scope, form["card"], month=details["month"], year=details["year"], details=known)
    attach(scope, card, customer)
    update_customer(scope, {"invoice_settings": {"default_payment_method": card["id"]}}, customer)
    for subscription in scope.all("subscription", customer=customer):
        if subscription["status"] not in GONE:
            update_subscription(scope, {"default_payment_method": card["id"]}, subscription["id"])


def _show(
    scope: Scope,
    session: Obj,
    form: dict[str, str],
    mistakes: dict[str, str] | None = None,
    *,
    declined: bool = False,
    status: int = 200,
) -> Response:
    customer = scope.get("customer", session["customer"])
    subscriptions = [row for row in scope.all("subscription", customer=customer["id"]) if row["status"] not in GONE]
    held = next((row["default_payment_method"] for row in subscriptions if row["default_payment_method"]), None)
    names = {
        item["price"]["product"]: scope.get("product", item["price"]["product"])["name"]
        for row in subscriptions
        for item in row["items"]["data"]
    }
    return page(
        "portal.html",
        status,
        session=session,
        customer=customer,
        subscriptions=subscriptions,
        names=names,
        card=scope.find("payment_method", held or customer["invoice_settings"]["default_payment_method"]),
        invoices=[row for row in scope.all("invoice", customer=customer["id"]) if row["status"] != "draft"][::-1],
        back=web_only(session["return_url"]),
        form=form,
        mistakes=mistakes or {},
        declined=declined,
    )
