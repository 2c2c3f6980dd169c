"""Checkout sessions as the API makes, lists and expires them; `checkout_payment` completes them."""

from __future__ import annotations

from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, PAGE, Spec, merge_metadata
from creator_hub.stripe_sandbox.render import list_object
from creator_hub.stripe_sandbox.resources.checkout_items import line_item, total_up
from creator_hub.stripe_sandbox.resources.payment_intents import INTENT_DATA, refuse_platform_fee
from creator_hub.stripe_sandbox.resources.prices import PRICE_DATA
from creator_hub.stripe_sandbox.resources.subscription_params import BILLING_MODE, NEW_DISCOUNT, TRIAL_SETTINGS
from creator_hub.stripe_sandbox.routes import listing, retrieval, route
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj
from creator_hub.stripe_sandbox.timers import timer

LIFETIME = 24 * 3600
_SUBSCRIPTION_DATA: Spec = {
    "application_fee_percent": float,
    "billing_cycle_anchor": int,
    "billing_mode": BILLING_MODE,
    "default_tax_rates": [str],
    "description": str,
    "metadata": META,
    "trial_end": int,
    "trial_period_days": int,
    "trial_settings": TRIAL_SETTINGS,
}


@route(
    "POST",
    "/v1/checkout/sessions",
    {
        "allow_promotion_codes": bool,
        "billing_address_collection": ("auto", "required"),
        "cancel_url": str,
        "client_reference_id": str,
        "currency": str,
        "customer": str,
        "customer_creation": ("always", "if_required"),
        "customer_email": str,
        "customer_update": {"address": ("auto", "never"), "name": ("auto", "never")},
        "discounts": [NEW_DISCOUNT],
        "expires_at": int,
        "line_items": [{"price": str, "price_data": PRICE_DATA, "quantity": int, "tax_rates": [str]}],
        "locale": ("auto", "de", "en", "es", "fr", "it", "ja", "ko", "pt", "zh"),
        "metadata": META,
        "mode": ("payment", "setup", "subscription"),
        "payment_intent_data": INTENT_DATA,
        "payment_method_collection": ("always", "if_required"),
        "setup_intent_data": {"description": str, "metadata": META},
        "submit_type": ("auto", "book", "donate", "pay", "subscribe"),
        "subscription_data": _SUBSCRIPTION_DATA,
        "success_url": str,
        "ui_mode": ("hosted_page",),
    },
)
def create_session(scope: Scope, params: Obj) -> Obj:
    mode = params.get("mode") or "payment"
    if not params.get("success_url"):
        raise invalid("Missing required param: success_url.", code="parameter_missing", param="success_url")
    if mode != "setup" and not params.get("line_items"):
        raise invalid("Missing required param: line_items.", code="parameter_missing", param="line_items")
    if params.get("customer") and params.get("customer_email"):
        raise invalid("You may only specify one of these parameters: customer, customer_email.", param="customer")
    if params.get("allow_promotion_codes") and params.get("discounts"):
        raise invalid("You may only specify one of these parameters: allow_promotion_codes, discounts.")
    refuse_platform_fee(scope, params.get("payment_intent_data") or {})
    customer = scope.get("customer", params["customer"], "customer") if params.get("customer") else None
    expires = params.get("expires_at") or scope.now + LIFETIME
    if not scope.now + 1800 <= expires <= scope.now + LIFETIME:
        raise invalid(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.", param="expires_at"
        )
    identifier = new_id("cs_test", 32)
    items = [
        line_item(scope, given, mode, f"line_items[{index}]")
        for index, given in enumerate(params.get("line_items", []))
    ]
    session = _blank(scope, identifier, params, mode, customer)
    session |= {"expires_at": expires, "_line_items": items}
    total_up(scope, session)
    scope.add(session)
    scope.timer("expire_session", identifier, expires, (customer or {}).get("test_clock") or "")
    return session


def _blank(scope: Scope, identifier: str, params: Obj, mode: str, customer: Obj | None) -> Obj:
    email = (customer or {}).get("email") or params.get("customer_email")
    return {
        "id": identifier,
        "object": "checkout.session",
        "adaptive_pricing": None,
        "after_expiration": None,
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "amount_subtotal": None,
        "amount_total": None,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": params.get("billing_address_collection"),
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": scope.now,
        "currency": params.get("currency"),
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": customer and customer["id"],
        "customer_creation": None
        if customer
        else params.get("customer_creation") or ("always" if mode == "subscription" else "if_required"),
        "customer_details": email
        and {"address": None, "email": email, "name": None, "phone": None, "tax_exempt": "none", "tax_ids": None},
        "customer_email": params.get("customer_email"),
        "discounts": [],
        "expires_at": scope.now,
        "invoice": None,
        "invoice_creation": None,
        "livemode": False,
        "locale": params.get("locale"),
        "metadata": merge_metadata(None, params.get("metadata")),
        "mode": mode,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": params.get("payment_method_collection") or "always",
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": params.get("submit_type"),
        "subscription": None,
        "success_url": params["success_url"],
        "total_details": None,
        "ui_mode": "hosted_page",
        "url": f"{scope.base_url}/c/pay/{identifier}",
        "wallet_options": None,
        "_line_items": [],
        "_discounts": params.get("discounts", []),
        "_subscription_data": params.get("subscription_data") or {},
        "_intent_data": params.get("payment_intent_data") or {},
        "_setup_data": params.get("setup_intent_data") or {},
    }


retrieval("/v1/checkout/sessions/{id}", "checkout.session")
listing(
    "/v1/checkout/sessions",
    "checkout.session",
    {
        "created": CREATED,
        "customer": str,
        "payment_intent": str,
        "status": ("complete", "expired", "open"),
        "subscription": str,
    },
)


@route("GET", "/v1/checkout/sessions/{id}/line_items", PAGE)
def list_line_items(scope: Scope, params: Obj, identifier: str) -> Obj:
    session = scope.get("checkout.session", identifier)
    return list_object(f"/v1/checkout/sessions/{identifier}/line_items", session["_line_items"])


@route("POST", "/v1/checkout/sessions/{id}/expire")
def expire_session(scope: Scope, params: Obj, identifier: str) -> Obj:
    session = scope.get("checkout.session", identifier)
    if session["status"] != "open":
        raise invalid(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This one is {session["status"]}.'
        )
    _expire(scope, identifier)
    return scope.get("checkout.session", identifier)


@timer("expire_session")
def _expire(scope: Scope, identifier: str) -> None:
    session = scope.get("checkout.session", identifier)
    if session["status"] != "open":
        return
    scope.drop_timer("expire_session", identifier)
    session |= {"status": "expired", "url": None}
    scope.save(session)
    scope.emit("checkout.session.expired", session)
