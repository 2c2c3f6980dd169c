"""The pages a person clicks through: Checkout, the bank's 3-D Secure question, and Connect onboarding."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jinja2 import Environment, FileSystemLoader, select_autoescape
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from creator_hub.stripe_sandbox import fees
from creator_hub.stripe_sandbox.cards import lookup
from creator_hub.stripe_sandbox.errors import ApiError
from creator_hub.stripe_sandbox.resources import checkout_payment as checkout
from creator_hub.stripe_sandbox.resources import onboarding
from creator_hub.stripe_sandbox.resources.payment_intents import try_intent
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj

COUNTRIES = {
    "AU": "Australia",
    "AT": "Austria",
    "BE": "Belgium",
    "BR": "Brazil",
    "CA": "Canada",
    "DK": "Denmark",
    "FI": "Finland",
    "FR": "France",
    "DE": "Germany",
    "IN": "India",
    "IE": "Ireland",
    "IT": "Italy",
    "JP": "Japan",
    "KR": "South Korea",
    "MX": "Mexico",
    "NL": "Netherlands",
    "NO": "Norway",
    "PL": "Poland",
    "PT": "Portugal",
    "SG": "Singapore",
    "ES": "Spain",
    "SE": "Sweden",
    "CH": "Switzerland",
    "GB": "United Kingdom",
    "US": "United States",
}
DECLINE_HELP = {
    "insufficient_funds": "Your card has insufficient funds. Try another card, or top this one up and try again.",
    "expired_card": "Your card has expired. Check the date or use another card.",
    "generic_decline": "Your card was declined. Try another card, or ask your bank why and try again.",
    "incorrect_cvc": "The security code is wrong. Check the three digits on the back and try again.",
}
_CSP = "default-src 'none'; style-src 'unsafe-inline'; form-action *; base-uri 'none'; frame-ancestors 'none'"


def money(amount: int, currency: str) -> str:
    """`12.00 USD`."""
    return f"{fees.major(amount, currency)} {currency.upper()}"


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(["html"]),
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["money"] = money


def _page(template: str, status: int = 200, **values: Any) -> Response:
    body = _TEMPLATES.get_template(template).render(countries=COUNTRIES, **values)
    return Response(
        body,
        status,
        {"Content-Security-Policy": _CSP, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
        mimetype="text/html",
    )


def _web_only(url: str | None) -> str | None:
    """A link a page may carry: http(s) only, never `javascript:`."""
    return url if url and urlsplit(url).scheme in ("http", "https") else None


def _sorry(title: str, text: str, back: str | None = None, status: int = 404) -> Response:
    return _page("message.html", status, title=title, text=text, back=_web_only(back))


def handle(scope: Scope, request: Request) -> Response:
    """Answer a page or its form. Errors a person can mend come back on the page itself."""
    form = {} if request.method == "GET" else dict(parse_qsl(request.get_data(as_text=True)))
    parts = request.path.strip("/").split("/")
    if parts[:2] == ["c", "pay"] and len(parts) == 3:
        return _pay(scope, parts[2], form, request.method)
    if parts[:2] == ["c", "3ds"] and len(parts) == 3:
        return _approve(scope, parts[2], form, request.method)
    if parts[:2] == ["connect", "onboard"] and len(parts) == 3:
        return _onboard(scope, parts[2], form, request.method)
    if parts[:2] == ["connect", "account"] and len(parts) == 3:
        return _account(scope, parts[2])
    return _sorry("Page not found", "The address is wrong or the page is gone.")


def _session(scope: Scope, identifier: str) -> tuple[Scope, Obj] | None:
    for account in ("", *(row["id"] for row in scope.all("account"))):
        found = scope.of(account).find("checkout.session", identifier)
        if found is not None:
            return scope.of(account), found
    return None


def _pay(scope: Scope, identifier: str, form: dict[str, str], method: str) -> Response:
    found = _session(scope, identifier)
    if found is None:
        return _sorry("Checkout not found", "This Checkout does not exist.")
    own, session = found
    if session["status"] == "complete":
        return redirect(checkout.success_url(session), 303)
    if session["status"] == "expired":
        return _sorry("This Checkout has expired", "Go back to the shop and start again.", session["cancel_url"], 410)
    if method == "GET":
        return _form(own, session, form)
    mistakes = _mistakes(form, needs_email=not _known_email(own, session))
    if mistakes:
        return _form(own, session, form, mistakes, status=422)
    month, year = _expiry(form["expiry"]) or (12, 34)
    details = {
        "email": form.get("email") or _known_email(own, session),
        "name": form.get("name"),
        "country": form.get("country"),
        "month": month,
        "year": 2000 + year,
    }
    try:
        done = checkout.start_payment(own, identifier, form["card"], details)
    except ApiError as error:
        return _refused(own, identifier, form, error)
    if done["status"] == "open":
        return redirect(f"/c/3ds/{identifier}", 303)
    return redirect(checkout.success_url(done), 303)


def _refused(scope: Scope, identifier: str, form: dict[str, str], error: ApiError) -> Response:
    session = scope.get("checkout.session", identifier)
    text = DECLINE_HELP.get(error.error.get("decline_code", ""), error.error["message"])
    return _form(scope, session, form, {"card": text}, declined=True, status=402)


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
    return _page(
        "pay.html",
        status,
        session=session,
        items=items,
        interval=interval,
        trial=trial,
        form=form,
        email=_known_email(scope, session),
        mistakes=mistakes or {},
        declined=declined,
        cancel_url=_web_only(session["cancel_url"]),
    )


def _known_email(scope: Scope, session: Obj) -> str | None:
    customer = scope.find("customer", session["customer"])
    email: str | None = (customer or {}).get("email") or session["customer_email"]
    return email


def _mistakes(form: dict[str, str], *, needs_email: bool) -> dict[str, str]:
    found = {}
    if needs_email and "@" not in form.get("email", ""):
        found["email"] = "Enter your e-mail address, for the receipt."
    if lookup(form.get("card", "")) is None:
        found["card"] = "That is no test card. 4242 4242 4242 4242 always works."
    if _expiry(form.get("expiry", "")) is None:
        found["expiry"] = "Enter month and year as on the card, such as 12 / 34."
    if not form.get("cvc", "").isdigit() or len(form["cvc"]) not in (3, 4):
        found["cvc"] = "Enter the three or four digits of the security code."
    if not form.get("name", "").strip():
        found["name"] = "Enter the name on the card."
    if form.get("country") not in COUNTRIES:
        found["country"] = "Choose your country."
    return found


def _expiry(text: str) -> tuple[int, int] | None:
    digits = "".join(character for character in text if character.isdigit())
    if len(digits) != 4 or not 1 <= int(digits[:2]) <= 12:
        return None
    return int(digits[:2]), int(digits[2:])


def _approve(scope: Scope, identifier: str, form: dict[str, str], method: str) -> Response:
    """The bank's page: for a Checkout by its session, for an intent of the API by its own id."""
    found = _session(scope, identifier)
    intent = scope.find("payment_intent", identifier)
    if found is None and intent is None:
        return _sorry("Nothing to approve", "This payment does not exist.")
    if method == "GET":
        amount, currency = (
            (intent["amount"], intent["currency"])
            if intent
            else (found[1]["amount_total"] or 0, found[1]["currency"] or "usd")
            if found
            else (0, "usd")
        )
        return _page("approve.html", amount=amount, currency=currency)
    approved = form.get("answer") == "approve"
    if found is not None:
        return _approve_checkout(found[0], identifier, approved)
    return _approve_intent(scope, intent or {}, approved)


def _approve_checkout(scope: Scope, identifier: str, approved: bool) -> Response:
    try:
        return redirect(checkout.success_url(checkout.finish_approval(scope, identifier, approved=approved)), 303)
    except ApiError as error:
        return _refused(scope, identifier, {}, error)


def _approve_intent(scope: Scope, intent: Obj, approved: bool) -> Response:
    if intent["status"] != "requires_action":
        return _sorry("Nothing to approve", "This payment is already settled.", intent.get("_return_url"), 409)
    if approved:
        try_intent(scope, intent, scope.get("payment_method", intent["payment_method"]), present=True, approved=True)
    else:
        intent |= {"status": "requires_payment_method", "next_action": None}
        scope.save(intent)
        scope.emit("payment_intent.payment_failed", intent)
    back = _web_only(intent.get("_return_url"))
    return redirect(back, 303) if back else _sorry("Done", "You can close this page.", status=200)


def _onboard(scope: Scope, token: str, form: dict[str, str], method: str) -> Response:
    link = scope.find("account_link", token)
    if link is None:
        return _sorry("Link not found", "Ask the site that sent you here for a new link.")
    back = _web_only(link["_refresh_url"])
    if link["expires_at"] <= scope.now or link.get("_used"):
        return redirect(back, 303) if back else _sorry("This link has expired", "Ask for a new one.", status=410)
    account = scope.get("account", link["_account"])
    if method == "GET":
        return _page("onboard.html", account=account, form={}, mistakes={})
    mistakes = {}
    if not form.get("name", "").strip():
        mistakes["name"] = "Enter your legal name."
    if not form.get("bank", "").replace(" ", "").isalnum() or len(form.get("bank", "").replace(" ", "")) < 8:
        mistakes["bank"] = "Enter an account number or IBAN of at least eight characters."
    if form.get("terms") != "on":
        mistakes["terms"] = "Agree to the terms to be paid."
    if mistakes:
        return _page("onboard.html", 422, account=account, form=form, mistakes=mistakes)
    onboarding.complete_onboarding(scope, account["id"], name=form["name"].strip(), last4=form["bank"].strip()[-4:])
    scope.save({**link, "_used": True})
    back = _web_only(link["_return_url"])
    return redirect(back, 303) if back else _sorry("You are set up", "You can close this page.", status=200)


def _account(scope: Scope, identifier: str) -> Response:
    account = scope.find("account", identifier)
    if account is None:
        return _sorry("Account not found", "This account does not exist.")
    return _page("account.html", account=account, payouts=scope.of(identifier).all("payout")[::-1])
