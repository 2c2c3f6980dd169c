"""Payment methods (cards only) and setup intents."""

from __future__ import annotations

from creator_hub.stripe_sandbox.cards import CARDS, TOKENS, Card, decline_for, lookup
from creator_hub.stripe_sandbox.errors import ApiError, invalid
from creator_hub.stripe_sandbox.forms import ADDRESS, CREATED, META, PAGE, Spec, merge_metadata
from creator_hub.stripe_sandbox.routes import Page, listing, retrieval, route
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj

BILLING_DETAILS: Spec = {"address": ADDRESS, "email": str, "name": str, "phone": str}


def billing_details(given: Obj | None) -> Obj:
    given = given or {}
    address = given.get("address") or {}
    return {
        "address": {part: address.get(part) for part in ADDRESS},
        "email": given.get("email"),
        "name": given.get("name"),
        "phone": given.get("phone"),
        "tax_id": None,
    }


def make_method(scope: Scope, number: str, *, month: int = 12, year: int = 2034, details: Obj | None = None) -> Obj:
    """A card payment method; only Stripe's test numbers exist here."""
    card = lookup(number)
    if card is None:
        raise ApiError(
            402,
            "card_error",
            "Your card number is incorrect. Use one of the test cards.",
            code="incorrect_number",
            param="number",
        )
    method: Obj = {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": billing_details(details),
        "card": {
            "brand": card.brand,
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": card.country,
            "display_brand": card.brand,
            "exp_month": month,
            "exp_year": year,
            "fingerprint": f"sandbox{card.number[-9:]}",
            "funding": "credit",
            "generated_from": None,
            "last4": card.number[-4:],
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": scope.now,
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
        "_number": card.number,
    }
    return scope.add(method)


def resolve(scope: Scope, identifier: str, param: str = "payment_method") -> Obj:
    """A payment method by id, or a new one for a `pm_card_*` token."""
    if identifier in TOKENS:
        return make_method(scope, TOKENS[identifier])
    return scope.get("payment_method", identifier, param)


def card_of(method: Obj) -> Card:
    return CARDS[method["_number"]]


def attach(scope: Scope, method: Obj, customer: str) -> Obj:
    """Give the card to a customer; cards that are refused at once raise the decline here."""
    scope.get("customer", customer, "customer")
    card = card_of(method)
    if card.decline and not card.attaches:
        refusal = decline_for(card.decline)
        raise ApiError(402, "card_error", refusal.message, code=refusal.code, decline_code=refusal.decline_code)
    if method["customer"] == customer:
        return method
    if method["customer"]:
        raise invalid("The payment method you provided has already been attached to a customer.")
    method["customer"] = customer
    scope.save(method)
    scope.emit("payment_method.attached", method)
    return method


@route(
    "POST",
    "/v1/payment_methods",
    {
        "type": ("card",),
        "card": {"number": str, "exp_month": int, "exp_year": int, "cvc": str, "token": str},
        "billing_details": BILLING_DETAILS,
        "metadata": META,
    },
)
def create_method(scope: Scope, params: Obj) -> Obj:
    card = params.get("card") or {}
    number = {"tok_visa": "4242424242424242"}.get(card.get("token", ""), card.get("number") or "")
    method = make_method(
        scope,
        number,
        month=card.get("exp_month", 12),
        year=card.get("exp_year", 2034),
        details=params.get("billing_details"),
    )
    method["metadata"] = merge_metadata(None, params.get("metadata"))
    return scope.save(method)


@route("POST", "/v1/payment_methods/{id}", {"billing_details": BILLING_DETAILS, "metadata": META})
def update_method(scope: Scope, params: Obj, identifier: str) -> Obj:
    with scope.changing(scope.get("payment_method", identifier), "payment_method.updated") as method:
        if "billing_details" in params:
            method["billing_details"] = billing_details(params["billing_details"])
        method["metadata"] = merge_metadata(method["metadata"], params.get("metadata"))
    return method


@route("POST", "/v1/payment_methods/{id}/attach", {"customer": str})
def attach_method(scope: Scope, params: Obj, identifier: str) -> Obj:
    return attach(scope, resolve(scope, identifier), params.get("customer") or "")


@route("POST", "/v1/payment_methods/{id}/detach")
def detach_method(scope: Scope, params: Obj, identifier: str) -> Obj:
    method = scope.get("payment_method", identifier)
    owner = scope.find("customer", method["customer"])
    before, method["customer"] = dict(method), None
    scope.save(method)
    if owner and owner["invoice_settings"]["default_payment_method"] == identifier:
        owner["invoice_settings"]["default_payment_method"] = None
        scope.save(owner)
    scope.emit("payment_method.detached", method, before)
    return method


retrieval("/v1/payment_methods/{id}", "payment_method")


@route("GET", "/v1/payment_methods", {**PAGE, "customer": str, "type": ("card",)})
def list_methods(scope: Scope, params: Obj) -> Page:
    return Page("payment_method", {"customer": params.get("customer")})


@route(
    "POST",
    "/v1/setup_intents",
    {
        "confirm": bool,
        "customer": str,
        "description": str,
        "metadata": META,
        "payment_method": str,
        "usage": ("off_session", "on_session"),
        "return_url": str,
    },
)
def create_setup(scope: Scope, params: Obj) -> Obj:
    return make_setup(scope, params)


def make_setup(scope: Scope, params: Obj) -> Obj:
    """A setup intent from its parameters, confirmed at once where they say so."""
    identifier = new_id("seti")
    intent: Obj = {
        "id": identifier,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": f"{identifier}_secret_{new_id('s')[2:]}",
        "created": scope.now,
        "customer": params.get("customer"),
        "description": params.get("description"),
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": merge_metadata(None, params.get("metadata")),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": None,
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": params.get("usage") or "off_session",
    }
    if params.get("payment_method"):
        intent["payment_method"] = resolve(scope, params["payment_method"])["id"]
        intent["status"] = "requires_confirmation"
    scope.add(intent)
    scope.emit("setup_intent.created", intent)
    return _confirm(scope, intent) if params.get("confirm") else intent


@route("POST", "/v1/setup_intents/{id}/confirm", {"payment_method": str, "return_url": str})
def confirm_setup(scope: Scope, params: Obj, identifier: str) -> Obj:
    intent = scope.get("setup_intent", identifier)
    if params.get("payment_method"):
        intent["payment_method"] = resolve(scope, params["payment_method"])["id"]
    return _confirm(scope, intent)


def _confirm(scope: Scope, intent: Obj) -> Obj:
    if not intent["payment_method"]:
        raise invalid("You cannot confirm this SetupIntent because it's missing a payment method.")
    if intent["customer"]:
        attach(scope, scope.get("payment_method", intent["payment_method"]), intent["customer"])
    intent["status"] = "succeeded"
    scope.save(intent)
    scope.emit("setup_intent.succeeded", intent)
    return intent


@route(
    "POST",
    "/v1/setup_intents/{id}/cancel",
    {
        "cancellation_reason": ("abandoned", "duplicate", "requested_by_customer"),
    },
)
def cancel_setup(scope: Scope, params: Obj, identifier: str) -> Obj:
    intent = scope.get("setup_intent", identifier)
    intent |= {"status": "canceled", "cancellation_reason": params.get("cancellation_reason")}
    scope.save(intent)
    scope.emit("setup_intent.canceled", intent)
    return intent


retrieval("/v1/setup_intents/{id}", "setup_intent")
listing("/v1/setup_intents", "setup_intent", {"created": CREATED, "customer": str, "payment_method": str})
