"""Customers and their credit balance."""

from __future__ import annotations

from creator_hub.stripe_sandbox.errors import invalid, missing
from creator_hub.stripe_sandbox.forms import ADDRESS, CREATED, META, PAGE, Spec, merge_metadata
from creator_hub.stripe_sandbox.resources.methods import attach, resolve
from creator_hub.stripe_sandbox.routes import Page, apply, listing, retrieval, route
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj

_FIELDS: Spec = {
    "address": ADDRESS,
    "description": str,
    "email": str,
    "metadata": META,
    "name": str,
    "phone": str,
    "invoice_settings": {"default_payment_method": str},
    "preferred_locales": [str],
    "tax_exempt": ("exempt", "none", "reverse"),
}


def whole_address(given: Obj | None) -> Obj | None:
    """An address with every part, the missing ones null."""
    return None if given is None else {part: given.get(part) for part in ADDRESS}


@route("POST", "/v1/customers", {**_FIELDS, "payment_method": str, "test_clock": str})
def create_customer(scope: Scope, params: Obj) -> Obj:
    clock = params.get("test_clock")
    if clock:
        scope.get("test_helpers.test_clock", clock, "test_clock")
    customer: Obj = {
        "id": new_id("cus", 14),
        "object": "customer",
        "address": whole_address(params.get("address")),
        "balance": 0,
        "created": scope.now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": params.get("description"),
        "discount": None,
        "email": params.get("email"),
        "invoice_prefix": new_id("", 8)[1:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": merge_metadata(None, params.get("metadata")),
        "name": params.get("name"),
        "next_invoice_sequence": 1,
        "phone": params.get("phone"),
        "preferred_locales": params.get("preferred_locales", []),
        "shipping": None,
        "tax_exempt": params.get("tax_exempt") or "none",
        "test_clock": clock,
    }
    scope.add(customer)
    if params.get("payment_method"):
        attach(scope, resolve(scope, params["payment_method"]), customer["id"])
    _set_default(scope, customer, params.get("invoice_settings"))
    scope.save(customer)
    scope.emit("customer.created", customer)
    return customer


def _set_default(scope: Scope, customer: Obj, settings: Obj | None) -> None:
    method = (settings or {}).get("default_payment_method")
    if method:
        found = scope.get("payment_method", method, "invoice_settings[default_payment_method]")
        if found["customer"] != customer["id"]:
            raise missing("payment method", method, "invoice_settings[default_payment_method]")
        customer["invoice_settings"]["default_payment_method"] = method


@route("POST", "/v1/customers/{id}", _FIELDS)
def update_customer(scope: Scope, params: Obj, identifier: str) -> Obj:
    with scope.changing(scope.get("customer", identifier), "customer.updated") as customer:
        _set_default(scope, customer, params.pop("invoice_settings", None))
        if "address" in params:
            params["address"] = whole_address(params["address"])
        apply(customer, params)
    return customer


retrieval("/v1/customers/{id}", "customer")
listing("/v1/customers", "customer", {"created": CREATED, "email": str, "test_clock": str})


def move_balance(scope: Scope, customer_id: str, amount: int, currency: str, kind: str, **about: str | None) -> Obj:
    """Add to the customer's balance (negative: credit for the customer) and write its row."""
    customer = scope.get("customer", customer_id)
    customer["balance"] += amount
    scope.save(customer)
    row: Obj = {
        "id": new_id("cbtxn"),
        "object": "customer_balance_transaction",
        "amount": amount,
        "checkout_session": None,
        "created": scope.now,
        "credit_note": None,
        "currency": currency,
        "customer": customer_id,
        "description": about.get("description"),
        "ending_balance": customer["balance"],
        "invoice": about.get("invoice"),
        "livemode": False,
        "metadata": {},
        "type": kind,
    }
    return scope.add(row)


@route(
    "POST",
    "/v1/customers/{id}/balance_transactions",
    {
        "amount*": int,
        "currency*": str,
        "description": str,
        "metadata": META,
    },
)
def adjust_balance(scope: Scope, params: Obj, identifier: str) -> Obj:
    customer = scope.get("customer", identifier)
    currency = params["currency"].lower()
    if customer["currency"] not in (None, currency):
        raise invalid(
            f"This customer's balance is kept in {customer['currency']}; it cannot hold {currency}.", param="currency"
        )
    if params["amount"] == 0:
        raise invalid("Customer balance adjustments cannot be zero.", param="amount")
    row = move_balance(
        scope,
        identifier,
        params["amount"],
        currency,
        "adjustment",
        description=params.get("description"),
    )
    row["metadata"] = merge_metadata(None, params.get("metadata"))
    return scope.save(row)


@route("GET", "/v1/customers/{id}/balance_transactions", PAGE)
def list_balance(scope: Scope, params: Obj, identifier: str) -> Page:
    scope.get("customer", identifier)
    return Page("customer_balance_transaction", {"customer": identifier})


@route("GET", "/v1/customers/{id}/balance_transactions/{row}")
def retrieve_balance_row(scope: Scope, params: Obj, identifier: str, row: str) -> Obj:
    return scope.get("customer_balance_transaction", row)


@route("POST", "/v1/customers/{id}/balance_transactions/{row}", {"description": str, "metadata": META})
def update_balance_row(scope: Scope, params: Obj, identifier: str, row: str) -> Obj:
    found = scope.get("customer_balance_transaction", row)
    apply(found, params)
    return scope.save(found)


@route("GET", "/v1/customers/{id}/payment_methods", {**PAGE, "type": ("card",)})
def list_methods(scope: Scope, params: Obj, identifier: str) -> Page:
    scope.get("customer", identifier)
    return Page("payment_method", {"customer": identifier})
