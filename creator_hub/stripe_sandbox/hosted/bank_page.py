"""The bank's 3-D Secure question."""

from __future__ import annotations

from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from creator_hub.stripe_sandbox.errors import ApiError
from creator_hub.stripe_sandbox.hosted.checkout_page import refused
from creator_hub.stripe_sandbox.hosted.page import page, sorry, web_only
from creator_hub.stripe_sandbox.resources import checkout_payment as checkout
from creator_hub.stripe_sandbox.resources.payment_intents import try_intent
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj


def approve(scope: Scope, identifier: str, form: dict[str, str], method: str) -> Response:
    """For a Checkout by its session, for an intent of the API or an invoice by the intent's own id."""
    session = scope.anywhere("checkout.session", identifier)
    found = session or scope.anywhere("payment_intent", identifier)
    if found is None:
        return sorry("Nothing to approve", "This payment does not exist.")
    own, subject = found
    if method == "GET":
        amount = (subject["amount_total"] or 0) if session else subject["amount"]
        return page("approve.html", amount=amount, currency=subject["currency"] or "usd")
    approved = form.get("answer") == "approve"
    return _checkout(own, identifier, approved) if session else _intent(own, subject, approved)


def _checkout(scope: Scope, identifier: str, approved: bool) -> Response:
    try:
        with scope.store.step():
            return redirect(checkout.success_url(checkout.finish_approval(scope, identifier, approved=approved)), 303)
    except ApiError as error:
        return refused(scope, identifier, {}, error)


def _intent(scope: Scope, intent: Obj, approved: bool) -> Response:
    if intent["status"] != "requires_action":
        return sorry("Nothing to approve", "This payment is already settled.", intent.get("_return_url"), 409)
    if approved:
        try_intent(scope, intent, scope.get("payment_method", intent["payment_method"]), present=True, approved=True)
    else:
        intent |= {"status": "requires_payment_method", "next_action": None}
        scope.save(intent)
        scope.emit("payment_intent.payment_failed", intent)
    back = web_only(intent.get("_return_url"))
    return redirect(back, 303) if back else sorry("Done", "You can close this page.", status=200)
