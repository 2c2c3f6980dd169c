"""The hosted invoice page, what dunning mails link to: pay an open invoice, approve it, or read a paid one."""

from __future__ import annotations

from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from creator_hub.stripe_sandbox.errors import ApiError
from creator_hub.stripe_sandbox.hosted.card_form import details_of, mistakes_in, refusal_text
from creator_hub.stripe_sandbox.hosted.page import page, sorry
from creator_hub.stripe_sandbox.resources.dunning import method_of
from creator_hub.stripe_sandbox.resources.invoices import subscription_of
from creator_hub.stripe_sandbox.resources.methods import attach, make_method
from creator_hub.stripe_sandbox.resources.payment_intents import try_intent
from creator_hub.stripe_sandbox.resources.payments import card_error
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj


def invoice(scope: Scope, identifier: str, form: dict[str, str], method: str) -> Response:
    found = scope.anywhere("invoice", identifier)
    if found is None or found[1]["status"] == "draft":
        return sorry("Invoice not found", "This invoice does not exist, or is not final yet.")
    own, document = found
    if method == "GET" or document["status"] not in ("open", "uncollectible"):
        return _show(own, document, form)
    if "saved" in form:
        card = method_of(own, own.find("subscription", subscription_of(document)), document["customer"])
        return _pay(own, document, form, card) if card else _show(own, document, form)
    mistakes = mistakes_in(form, needs_email=False)
    if mistakes:
        return _show(own, document, form, mistakes, status=422)
    details = details_of(form, document["customer_email"])
    address = {"country": details["country"]}
    known = {"email": details["email"], "name": details["name"], "address": address}
    card = make_method(own, form["card"], month=details["month"], year=details["year"], details=known)
    return _pay(own, document, form, card)


def _pay(scope: Scope, document: Obj, form: dict[str, str], card: Obj) -> Response:
    """The card that paid becomes the customer's and the subscription's, so that the next renewal works too."""
    intent = scope.get("payment_intent", document["_intent"])
    intent["_return_url"] = f"{scope.base_url}/c/invoice/{document['id']}"
    try:
        with scope.store.step():
            outcome = try_intent(scope, intent, card, present=True)
            if outcome.decline:
                raise card_error(outcome.decline, intent)
            if not card["customer"]:
                attach(scope, card, document["customer"])
    except ApiError as error:
        return _show(scope, document, form, {"card": refusal_text(error)}, declined=True, status=402)
    if outcome.needs_approval:
        scope.save(scope.get("payment_intent", intent["id"]) | {"_return_url": intent["_return_url"]})
        return redirect(f"/c/3ds/{intent['id']}", 303)
    subscription = scope.find("subscription", subscription_of(document))
    if subscription and subscription["default_payment_method"] != card["id"]:
        with scope.changing(subscription, "customer.subscription.updated"):
            subscription["default_payment_method"] = card["id"]
    return redirect(intent["_return_url"], 303)


def _show(
    scope: Scope,
    document: Obj,
    form: dict[str, str],
    mistakes: dict[str, str] | None = None,
    *,
    declined: bool = False,
    status: int = 200,
) -> Response:
    document = scope.get("invoice", document["id"])
    subscription = scope.find("subscription", subscription_of(document))
    return page(
        "invoice.html",
        status,
        invoice=document,
        lines=document["lines"]["data"],
        saved=method_of(scope, subscription, document["customer"]),
        form=form,
        mistakes=mistakes or {},
        declined=declined,
    )
