"""Checkout sessions: made over the API, completed by a person on the hosted page or by the control plane."""

from __future__ import annotations

from creator_hub.stripe_sandbox.errors import ApiError, invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, PAGE, Spec, merge_metadata
from creator_hub.stripe_sandbox.render import list_object
from creator_hub.stripe_sandbox.resources.customers import create_customer, whole_address
from creator_hub.stripe_sandbox.resources.discounts import redeem
from creator_hub.stripe_sandbox.resources.invoices import draft
from creator_hub.stripe_sandbox.resources.lines import line_tax, price_line
from creator_hub.stripe_sandbox.resources.methods import attach, card_of, make_method
from creator_hub.stripe_sandbox.resources.payments import attempt, card_error, judge, make_intent
from creator_hub.stripe_sandbox.resources.prices import PRICE_DATA, make_price
from creator_hub.stripe_sandbox.resources.subscription_params import BILLING_MODE, NEW_DISCOUNT, TRIAL_SETTINGS
from creator_hub.stripe_sandbox.resources.subscription_routes import begin
from creator_hub.stripe_sandbox.resources.subscriptions import build
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
_INTENT_DATA: Spec = {
    "application_fee_amount": int,
    "description": str,
    "metadata": META,
    "receipt_email": str,
    "setup_future_usage": ("off_session", "on_session"),
    "statement_descriptor": str,
    "statement_descriptor_suffix": str,
    "transfer_group": str,
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
        "payment_intent_data": _INTENT_DATA,
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
    customer = scope.get("customer", params["customer"], "customer") if params.get("customer") else None
    expires = params.get("expires_at") or scope.now + LIFETIME
    if not scope.now + 1800 <= expires <= scope.now + LIFETIME:
        raise invalid(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.", param="expires_at"
        )
    identifier = new_id("cs_test", 32)
    items = [
        _line_item(scope, given, mode, f"line_items[{index}]")
        for index, given in enumerate(params.get("line_items", []))
    ]
    session = _blank(scope, identifier, params, mode, customer)
    session |= {"expires_at": expires, "_line_items": items}
    _total(scope, session)
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
    }


def _line_item(scope: Scope, given: Obj, mode: str, param: str) -> Obj:
    price = (
        make_price(scope, given["price_data"])
        if given.get("price_data")
        else scope.get("price", given.get("price") or "", f"{param}[price]")
    )
    if mode == "payment" and price["recurring"]:
        raise invalid(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` "
            "mode or use only one-time prices.",
            param=param,
        )
    if mode == "subscription" and not price["recurring"]:
        raise invalid("The sandbox sells recurring prices only in `subscription` mode.", param=param)
    if not price["active"]:
        raise invalid("The price specified is inactive. This field only accepts active prices.", param=param)
    quantity = given.get("quantity") or 1
    amount = price["unit_amount"] * quantity
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": scope.get("product", price["product"])["name"],
        "metadata": {},
        "price": price,
        "quantity": quantity,
        "_tax_rates": given.get("tax_rates", []),
    }


def _total(scope: Scope, session: Obj) -> None:
    """What the page shows and the first payment costs; computed as the first invoice will be."""
    items, data = session["_line_items"], session["_subscription_data"]
    if not items:
        return
    lines = []
    for item in items:
        rates = item["_tax_rates"] or data.get("default_tax_rates", [])
        found = [scope.get("tax_rate", rate, "tax_rates") for rate in rates]
        item["amount_tax"] = sum(line_tax(item["amount_subtotal"], rate)["amount"] for rate in found)
        lines.append(price_line(item["price"], item["quantity"], (scope.now, scope.now), tax_rates=found))
    blank = {
        "id": "none",
        "currency": None,
        "address": None,
        "email": None,
        "name": None,
        "phone": None,
        "tax_exempt": "none",
        "test_clock": None,
        "balance": 0,
    }
    trial = bool(data.get("trial_period_days") or data.get("trial_end"))
    coupons = [_coupon(scope, row) for row in session["_discounts"]]
    discounts: list[Obj] = [{"id": "preview", "source": {"coupon": row["id"]}, "_coupon": row} for row in coupons]
    invoice = draft(scope, blank, lines, "upcoming", discounts=discounts, preview=True)
    session |= {
        "currency": items[0]["currency"],
        "amount_subtotal": 0 if trial else invoice["subtotal"],
        "amount_total": 0 if trial else invoice["total"],
        "discounts": [{"coupon": row["source"]["coupon"], "promotion_code": None} for row in discounts],
        "total_details": {
            "amount_discount": sum(row["amount"] for row in invoice["total_discount_amounts"]),
            "amount_shipping": 0,
            "amount_tax": sum(row["amount"] for row in invoice["total_taxes"]),
        },
    }


def _coupon(scope: Scope, given: Obj) -> Obj:
    if given.get("promotion_code"):
        promotion = scope.get("promotion_code", given["promotion_code"], "discounts")
        return scope.get("coupon", promotion["promotion"]["coupon"], "discounts")
    return scope.get("coupon", given.get("coupon") or "", "discounts")


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
        attach(scope, method, _customer(scope, session)["id"])
        session["payment_status"] = "no_payment_required"
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
    data = session["_intent_data"]
    intent = scope.find("payment_intent", session["payment_intent"]) or make_intent(
        scope,
        session["amount_total"],
        session["currency"],
        session["customer"],
        **{**data, "metadata": merge_metadata(None, data.get("metadata"))},
    )
    session["payment_intent"] = intent["id"]
    scope.save(session)
    if session["customer_creation"] == "always" and not session["customer"]:
        intent["customer"] = _customer(scope, session)["id"]
    outcome = attempt(scope, intent, method, present=True, approved=approved)
    if outcome.decline:
        raise card_error(outcome.decline, intent)
    if intent["setup_future_usage"] and session["customer"]:
        attach(scope, method, session["customer"])
    for item in session["_discounts"]:
        redeem(scope, [item], currency=session["currency"], checkout_session=session["id"])
    session["payment_status"] = "paid"


__all__ = ["create_session", "finish_approval", "start_payment", "success_url"]
