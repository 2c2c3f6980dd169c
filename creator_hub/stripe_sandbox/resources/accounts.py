"""Connected accounts: creation, capabilities, and the end of the platform's access."""

from __future__ import annotations

from creator_hub.stripe_sandbox.errors import ApiError, invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, PAGE, Spec, merge_metadata
from creator_hub.stripe_sandbox.render import list_object
from creator_hub.stripe_sandbox.routes import Page, created_range, route
from creator_hub.stripe_sandbox.scope import PLATFORM, Scope, new_id
from creator_hub.stripe_sandbox.store import Obj

PLATFORM_ID = "acct_sandboxplatform"
DUE_FIRST = [
    "business_type",
    "external_account",
    "individual.first_name",
    "individual.last_name",
    "tos_acceptance.date",
]
CURRENCIES = {
    "US": "usd",
    "GB": "gbp",
    "JP": "jpy",
    "CA": "cad",
    "AU": "aud",
    "CH": "chf",
    "SE": "sek",
    "NO": "nok",
    "DK": "dkk",
    "SG": "sgd",
    "IN": "inr",
    "BR": "brl",
    "MX": "mxn",
    "PL": "pln",
    "KR": "krw",
}
_PROFILE: Spec = {"mcc": str, "name": str, "product_description": str, "support_email": str, "url": str}
_CAPABILITIES: Spec = {"card_payments": {"requested": bool}, "transfers": {"requested": bool}}
_SETTINGS: Spec = {
    "payouts": {
        "debit_negative_balances": bool,
        "statement_descriptor": str,
        "schedule": {"interval": ("daily", "manual", "monthly", "weekly"), "delay_days": int},
    }
}
_FIELDS: Spec = {
    "business_profile": _PROFILE,
    "business_type": ("company", "individual", "non_profit"),
    "capabilities": _CAPABILITIES,
    "email": str,
    "metadata": META,
    "settings": _SETTINGS,
    "default_currency": str,
}


def requirements(due: list[str]) -> Obj:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": due,
        "disabled_reason": "requirements.past_due" if due else None,
        "errors": [],
        "eventually_due": due,
        "past_due": due,
        "pending_verification": [],
    }


def _account(scope: Scope, identifier: str, kind: str, country: str) -> Obj:
    currency = CURRENCIES.get(country, "eur")
    return {
        "id": identifier,
        "object": "account",
        "business_profile": {
            "annual_revenue": None,
            "estimated_worker_count": None,
            "mcc": None,
            "minority_owned_business_designation": None,
            "name": None,
            "product_description": None,
            "support_address": None,
            "support_email": None,
            "support_phone": None,
            "support_url": None,
            "url": None,
        },
        "business_type": None,
        "capabilities": {},
        "charges_enabled": False,
        "controller": None,
        "country": country,
        "created": scope.now,
        "default_currency": currency,
        "details_submitted": False,
        "email": None,
        "external_accounts": list_object(f"/v1/accounts/{identifier}/external_accounts", []),
        "future_requirements": requirements([]),
        "metadata": {},
        "payouts_enabled": False,
        "requirements": requirements(list(DUE_FIRST)),
        "settings": {
            "bacs_debit_payments": {"display_name": None, "service_user_number": None},
            "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
            "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
            "card_payments": {
                "decline_on": {"avs_failure": False, "cvc_failure": False},
                "statement_descriptor_prefix": None,
                "statement_descriptor_prefix_kana": None,
                "statement_descriptor_prefix_kanji": None,
            },
            "dashboard": {"display_name": None, "timezone": "Etc/UTC"},
            "payments": {
                "statement_descriptor": None,
                "statement_descriptor_kana": None,
                "statement_descriptor_kanji": None,
            },
            "payouts": {
                "debit_negative_balances": True,
                "schedule": {"delay_days": 2, "interval": "daily"},
                "statement_descriptor": None,
            },
            "sepa_debit_payments": {},
        },
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": kind,
    }


def _controller(given: Obj | None, kind: str) -> Obj:
    given = given or {}
    dashboard = (given.get("stripe_dashboard") or {}).get("type") or {"standard": "full"}.get(kind, "express")
    ours = kind != "standard"
    return {
        "fees": {"payer": (given.get("fees") or {}).get("payer") or ("application_express" if ours else "account")},
        "is_controller": True,
        "losses": {"payments": (given.get("losses") or {}).get("payments") or ("application" if ours else "stripe")},
        "requirement_collection": given.get("requirement_collection") or "stripe",
        "stripe_dashboard": {"type": dashboard},
        "type": "application",
    }


@route(
    "POST",
    "/v1/accounts",
    {
        "country": str,
        "type": ("custom", "express", "standard"),
        "controller": {
            "fees": {"payer": ("account", "application")},
            "losses": {"payments": ("application", "stripe")},
            "requirement_collection": ("application", "stripe"),
            "stripe_dashboard": {"type": ("express", "full", "none")},
        },
        **_FIELDS,
    },
)
def create_account(scope: Scope, params: Obj) -> Obj:
    if params.get("type") and params.get("controller"):
        raise invalid("You may only specify one of these parameters: type, controller.", param="type")
    kind = params.get("type") or ("none" if params.get("controller") else "standard")
    account = _account(scope, new_id("acct", 16), kind, (params.get("country") or "US").upper())
    account["controller"] = _controller(params.get("controller"), kind)
    account["default_currency"] = params.get("default_currency") or account["default_currency"]
    _set_fields(account, params)
    scope.add(account)
    return account


def _set_fields(account: Obj, params: Obj) -> None:
    account["metadata"] = merge_metadata(account["metadata"], params.get("metadata"))
    account["business_profile"] |= params.get("business_profile") or {}
    for name in ("business_type", "email"):
        if name in params:
            account[name] = params[name]
    for name, wish in (params.get("capabilities") or {}).items():
        if wish and wish.get("requested"):
            status = "active" if account["details_submitted"] else "inactive"
            account["capabilities"].setdefault(name, status)
    payouts = (params.get("settings") or {}).get("payouts") or {}
    account["settings"]["payouts"]["schedule"] |= payouts.pop("schedule", None) or {}
    account["settings"]["payouts"] |= payouts


@route("POST", "/v1/accounts/{id}", _FIELDS)
def update_account(scope: Scope, params: Obj, identifier: str) -> Obj:
    account = scope.get("account", identifier)
    before = {**account, "metadata": dict(account["metadata"]), "capabilities": dict(account["capabilities"])}
    _set_fields(account, params)
    scope.save(account)
    scope.of(identifier).emit("account.updated", account, before)
    return account


@route("GET", "/v1/accounts/{id}")
def retrieve_account(scope: Scope, params: Obj, identifier: str) -> Obj:
    return reachable(scope, identifier)


def reachable(scope: Scope, identifier: str) -> Obj:
    """A connected account the platform may use. Raises 403 when it is unknown or has taken that right away."""
    account = scope.of(PLATFORM).find("account", identifier)
    if account is None or account.get("_deauthorized"):
        raise ApiError(
            403,
            "invalid_request_error",
            f"The provided key does not have access to account '{identifier}' (or that account does not exist). "
            "Application access may have been revoked.",
            code="account_invalid",
        )
    return account


@route("GET", "/v1/account")
def retrieve_own_account(scope: Scope, params: Obj) -> Obj:
    if scope.account:
        return scope.of(PLATFORM).get("account", scope.account)
    account = _account(scope, PLATFORM_ID, "standard", "US")
    return account | {
        "charges_enabled": True,
        "payouts_enabled": True,
        "details_submitted": True,
        "controller": {"type": "account"},
        "requirements": requirements([]),
    }


@route("GET", "/v1/accounts", {**PAGE, "created": CREATED})
def list_accounts(scope: Scope, params: Obj) -> Page:
    return Page("account", {}, created_range(params), lambda account: not account.get("_deauthorized"))


@route("DELETE", "/v1/accounts/{id}")
def delete_account(scope: Scope, params: Obj, identifier: str) -> Obj:
    deauthorize(scope, identifier)
    scope.store.delete(PLATFORM, "account", identifier)
    return {"id": identifier, "object": "account", "deleted": True}


def deauthorize(scope: Scope, identifier: str) -> Obj:
    """The creator takes the platform's access away: from now on it cannot see or pay this account."""
    account = scope.get("account", identifier)
    scope.save({**account, "_deauthorized": True})
    scope.of(identifier).emit(
        "account.application.deauthorized", {"id": "ca_sandbox", "object": "application", "name": "Creator Hub"}
    )
    return account


@route("POST", "/v1/accounts/{id}/login_links")
def create_login_link(scope: Scope, params: Obj, identifier: str) -> Obj:
    account = scope.get("account", identifier)
    if not account["details_submitted"]:
        raise invalid("Cannot create a login link for an account that has not completed onboarding.")
    return {"object": "login_link", "created": scope.now, "url": f"{scope.base_url}/connect/account/{identifier}"}


@route("GET", "/v1/accounts/{id}/capabilities")
def list_capabilities(scope: Scope, params: Obj, identifier: str) -> Obj:
    account = scope.get("account", identifier)
    return list_object(
        f"/v1/accounts/{identifier}/capabilities", [capability(account, name) for name in account["capabilities"]]
    )


@route("GET", "/v1/accounts/{id}/external_accounts", {**PAGE, "object": ("bank_account", "card")})
def list_external_accounts(scope: Scope, params: Obj, identifier: str) -> Obj:
    banks: Obj = scope.get("account", identifier)["external_accounts"]
    return banks


def capability(account: Obj, name: str) -> Obj:
    active = account["capabilities"][name] == "active"
    due = requirements([] if active else list(DUE_FIRST))
    due["disabled_reason"] = None if active else "requirements.fields_needed"
    return {
        "id": name,
        "object": "capability",
        "account": account["id"],
        "future_requirements": {**requirements([]), "disabled_reason": None},
        "requested": True,
        "requested_at": account["created"],
        "requirements": due,
        "status": account["capabilities"][name],
    }
