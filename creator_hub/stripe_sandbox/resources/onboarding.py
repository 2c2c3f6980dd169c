"""Onboarding a connected account: the link to the hosted form, and what sending the form does."""

from __future__ import annotations

import secrets

from creator_hub.stripe_sandbox.resources.accounts import capability, requirements
from creator_hub.stripe_sandbox.routes import route
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj

LINK_LIFETIME = 300


@route(
    "POST",
    "/v1/account_links",
    {
        "account*": str,
        "type*": ("account_onboarding", "account_update"),
        "refresh_url": str,
        "return_url": str,
        "collect": ("currently_due", "eventually_due"),
        "collection_options": {
            "fields": ("currently_due", "eventually_due"),
            "future_requirements": ("include", "omit"),
        },
    },
)
def create_account_link(scope: Scope, params: Obj) -> Obj:
    account = scope.get("account", params["account"], "account")
    token = secrets.token_urlsafe(16)
    link = {
        "id": token,
        "object": "account_link",
        "created": scope.now,
        "expires_at": scope.now + LINK_LIFETIME,
        "url": f"{scope.base_url}/connect/onboard/{token}",
        "_account": account["id"],
        "_refresh_url": params.get("refresh_url"),
        "_return_url": params.get("return_url"),
    }
    scope.add(link)
    return {key: value for key, value in link.items() if key != "id"}


def complete_onboarding(scope: Scope, identifier: str, *, name: str = "Test Person", last4: str = "6789") -> Obj:
    """What Stripe's hosted form does when it is sent: capabilities become active, charges and payouts too."""
    account = scope.get("account", identifier)
    own = scope.of(identifier)
    before = {**account, "capabilities": dict(account["capabilities"])}
    bank = {
        "id": new_id("ba"),
        "object": "bank_account",
        "account": identifier,
        "account_holder_name": name,
        "account_holder_type": "individual",
        "account_type": None,
        "available_payout_methods": ["standard"],
        "bank_name": "STRIPE TEST BANK",
        "country": account["country"],
        "currency": account["default_currency"],
        "default_for_currency": True,
        "fingerprint": new_id("f", 16)[2:],
        "last4": last4,
        "metadata": {},
        "routing_number": "110000000" if account["country"] == "US" else None,
        "status": "new",
    }
    new_bank = all(held["status"] == "errored" for held in account["external_accounts"]["data"])
    account |= {
        "details_submitted": True,
        "charges_enabled": True,
        "payouts_enabled": True,
        "business_type": account["business_type"] or "individual",
        "requirements": requirements([]),
    }
    account["tos_acceptance"] = {"date": scope.now, "ip": "127.0.0.1", "user_agent": None}
    if new_bank:
        account["external_accounts"]["data"] = [bank]
    account["capabilities"] = dict.fromkeys(account["capabilities"] or ("transfers",), "active")
    scope.save(account)
    if new_bank:
        own.emit("account.external_account.created", bank)
    own.emit("account.updated", account, before)
    for capability_name in account["capabilities"]:
        if before["capabilities"].get(capability_name) != "active":
            own.emit(
                "capability.updated",
                capability(account, capability_name),
                {**capability(account, capability_name), "status": "inactive"},
            )
    return account
