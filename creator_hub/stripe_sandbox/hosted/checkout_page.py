"""The hosted Checkout page."""

from __future__ import annotations

from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from creator_hub.stripe_sandbox.errors import ApiError
from creator_hub.stripe_sandbox.hosted.card_form import details_of, mistakes_in, refusal_text
from creator_hub.stripe_sandbox.hosted.page import page, sorry, web_only
from creator_hub.stripe_sandbox.resources import checkout_payment as checkout
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj


def pay(scope: Scope, identifier: str, form: dict[str, str], method: str) -> Response:
    found = scope.anywhere("checkout.session", identifier)
    if found is None:
        return sorry("Checkout not found", "This Checkout does not exist.")
    own, session = found
    if session["status"] == "complete":
        return redirect(checkout.success_url(session), 303)
    if session["status"] == "expired":
        return sorry("This Checkout has expired", "Go back to the shop and start again.", session["cancel_url"], 410)
    if method == "GET":
        return _form(own, session, form)
    if "use_code" in form and session["allow_promotion_codes"]:
        return _use_code(own, session, form)
    mistakes = mistakes_in(form, needs_email=not _known_email(own, session))
    if mistakes:
        return _form(own, session, form, mistakes, status=422)
    try:
        with own.store.step():
            done = checkout.start_payment(own, identifier, form["card"], details_of(form, _known_email(own, session)))
    except ApiError as error:
        return refused(own, identifier, form, error)
    if done["status"] == "open":
        return redirect(f"/c/3ds/{identifier}", 303)
    return redirect(checkout.success_url(done), 303)


def _use_code(scope: Scope, session: Obj, form: dict[str, str]) -> Response:
    try:
        checkout.apply_code(scope, session, form.get("code", ""))
    except ApiError as error:
        return _form(scope, session, form, {"code": error.error["message"]}, status=422)
    return _form(scope, session, form)


def refused(scope: Scope, identifier: str, form: dict[str, str], error: ApiError) -> Response:
    """The form again, with what the bank said."""
    session = scope.get("checkout.session", identifier)
    return _form(scope, session, form, {"card": refusal_text(error)}, declined=True, status=402)


def _form(
    scope: Scope,
    session: Obj,
    form: dict[str, str],
    mistakes: dict[str, str] | None = None,
    *,
    declined: bool = False,
    status: int = 200,
) -> Response:
    items = session["_line_items"]
    interval = items[0]["price"]["recurring"] if items else None
    trial = session["_subscription_data"].get("trial_period_days")
    codes = [row["promotion_code"] for row in session["_discounts"] if row.get("promotion_code")]
    return page(
        "pay.html",
        status,
        session=session,
        items=items,
        interval=interval,
        trial=trial,
        form=form,
        email=_known_email(scope, session),
        code=scope.get("promotion_code", codes[0])["code"] if codes else "",
        mistakes=mistakes or {},
        declined=declined,
        cancel_url=web_only(session["cancel_url"]),
    )


def _known_email(scope: Scope, session: Obj) -> str | None:
    customer = scope.find("customer", session["customer"])
    email: str | None = (customer or {}).get("email") or session["customer_email"]
    return email
