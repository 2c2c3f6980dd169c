"""Application fees: what the platform takes from a direct charge on a connected account, and gives back."""

from __future__ import annotations

from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, PAGE, merge_metadata
from creator_hub.stripe_sandbox.render import list_object
from creator_hub.stripe_sandbox.resources.balance import book
from creator_hub.stripe_sandbox.routes import Page, apply, listing, retrieval, route
from creator_hub.stripe_sandbox.scope import PLATFORM, Scope, new_id
from creator_hub.stripe_sandbox.store import Obj

APPLICATION = "ca_sandbox"


def collect_fee(own: Scope, charge: Obj) -> Obj:
    """Book the fee of a connected account's settled charge on the platform."""
    platform = own.of(PLATFORM)
    identifier = new_id("fee")
    amount, currency = charge["application_fee_amount"], charge["currency"]
    row = book(platform, "application_fee", amount, currency, identifier, settles=True)
    fee: Obj = {
        "id": identifier,
        "object": "application_fee",
        "account": own.account,
        "amount": amount,
        "amount_refunded": 0,
        "application": APPLICATION,
        "balance_transaction": row["id"],
        "charge": charge["id"],
        "created": own.now,
        "currency": currency,
        "fee_source": {"charge": charge["id"], "payout": None, "type": "charge"},
        "livemode": False,
        "originating_transaction": None,
        "refunded": False,
        "refunds": list_object(f"/v1/application_fees/{identifier}/refunds", []),
    }
    platform.add(fee)
    platform.emit("application_fee.created", fee)
    return fee


def refund_fee(platform: Scope, fee: Obj, amount: int, own: Scope, metadata: Obj | None = None) -> Obj:
    """Give a part of the fee back to the connected account."""
    left = fee["amount"] - fee["amount_refunded"]
    if not 0 < amount <= left:
        raise invalid(f"Refund amount ({amount}) is greater than unrefunded amount on fee ({left}).", param="amount")
    identifier = new_id("fr")
    refund: Obj = {
        "id": identifier,
        "object": "fee_refund",
        "amount": amount,
        "balance_transaction": book(platform, "application_fee_refund", -amount, fee["currency"], identifier)["id"],
        "created": platform.now,
        "currency": fee["currency"],
        "fee": fee["id"],
        "metadata": merge_metadata(None, metadata),
    }
    platform.add(refund)
    book(own, "adjustment", amount, fee["currency"], fee["charge"], category="platform_earning_refund")
    before = dict(fee)
    fee["amount_refunded"] += amount
    fee["refunded"] = fee["amount_refunded"] == fee["amount"]
    fee["refunds"] = {**fee["refunds"], "data": [refund, *fee["refunds"]["data"]]}
    platform.save(fee)
    platform.emit("application_fee.refunded", fee, before)
    return refund


retrieval("/v1/application_fees/{id}", "application_fee")
listing("/v1/application_fees", "application_fee", {"charge": str, "created": CREATED})


@route("POST", "/v1/application_fees/{id}/refunds", {"amount": int, "metadata": META})
def create_fee_refund(scope: Scope, params: Obj, identifier: str) -> Obj:
    fee = scope.get("application_fee", identifier)
    left = fee["amount"] - fee["amount_refunded"]
    amount = left if params.get("amount") is None else params["amount"]
    return refund_fee(scope, fee, amount, scope.of(fee["account"]), params.get("metadata"))


@route("GET", "/v1/application_fees/{id}/refunds", PAGE)
def list_fee_refunds(scope: Scope, params: Obj, identifier: str) -> Page:
    return Page("fee_refund", {"fee": identifier})


@route("GET", "/v1/application_fees/{id}/refunds/{refund}")
def retrieve_fee_refund(scope: Scope, params: Obj, identifier: str, refund: str) -> Obj:
    return scope.get("fee_refund", refund)


@route("POST", "/v1/application_fees/{id}/refunds/{refund}", {"metadata": META})
def update_fee_refund(scope: Scope, params: Obj, identifier: str, refund: str) -> Obj:
    found = scope.get("fee_refund", refund)
    apply(found, params)
    return scope.save(found)
