"""Transfers to connected accounts and their reversals."""

from __future__ import annotations

from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, PAGE, merge_metadata
from creator_hub.stripe_sandbox.render import list_object
from creator_hub.stripe_sandbox.resources.balance import book, need
from creator_hub.stripe_sandbox.resources.charges import blank_charge
from creator_hub.stripe_sandbox.routes import Page, listing, retrieval, route, updating
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj


@route(
    "POST",
    "/v1/transfers",
    {
        "currency*": str,
        "destination*": str,
        "amount": int,
        "description": str,
        "metadata": META,
        "source_transaction": str,
        "transfer_group": str,
    },
)
def create_transfer(scope: Scope, params: Obj) -> Obj:
    amount, currency = params.get("amount") or 0, params["currency"].lower()
    account = _destination(scope, params["destination"])
    if amount < 1:
        raise invalid("This value must be greater than or equal to 1.", param="amount")
    source = params.get("source_transaction")
    if source:
        _within_charge(scope, source, amount)
    else:
        need(scope, amount, currency)
    identifier = new_id("tr")
    arrival = _arrive(scope.of(account["id"]), identifier, amount, currency)
    transfer: Obj = {
        "id": identifier,
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "balance_transaction": book(
            scope, "transfer", -amount, currency, identifier, description=params.get("description")
        )["id"],
        "created": scope.now,
        "currency": currency,
        "description": params.get("description"),
        "destination": account["id"],
        "destination_payment": arrival["id"],
        "livemode": False,
        "metadata": merge_metadata(None, params.get("metadata")),
        "reversals": list_object(f"/v1/transfers/{identifier}/reversals", []),
        "reversed": False,
        "source_transaction": source,
        "source_type": "card",
        "transfer_group": params.get("transfer_group"),
    }
    scope.add(transfer)
    scope.emit("transfer.created", transfer)
    return transfer


def _destination(scope: Scope, identifier: str) -> Obj:
    account = scope.find("account", identifier)
    if account is None or account.get("_deauthorized"):
        raise invalid(f"No such destination: '{identifier}'", code="resource_missing", param="destination")
    if account["capabilities"].get("transfers") != "active":
        raise invalid(
            "Your destination account needs to have at least one of the following capabilities enabled: "
            "transfers, crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
            param="destination",
        )
    return account


def _within_charge(scope: Scope, charge_id: str, amount: int) -> None:
    charge = scope.get("charge", charge_id, "source_transaction")
    used = sum(row["amount"] - row["amount_reversed"] for row in scope.all("transfer", source_transaction=charge_id))
    if used + amount > charge["amount"] - charge["amount_refunded"]:
        raise invalid("Transfers using this transaction as a source must not exceed the source amount.", param="amount")


def _arrive(own: Scope, transfer: str, amount: int, currency: str) -> Obj:
    payment = blank_charge(own, new_id("py"), amount, currency)
    payment["source_transfer"] = transfer
    payment["balance_transaction"] = book(own, "payment", amount, currency, payment["id"])["id"]
    own.add(payment)
    return payment


updating("/v1/transfers/{id}", "transfer", {"description": str, "metadata": META})
retrieval("/v1/transfers/{id}", "transfer")
listing("/v1/transfers", "transfer", {"created": CREATED, "destination": str, "transfer_group": str})


@route("POST", "/v1/transfers/{id}/reversals", {"amount": int, "description": str, "metadata": META})
def reverse_transfer(scope: Scope, params: Obj, identifier: str) -> Obj:
    transfer = scope.get("transfer", identifier)
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = left if params.get("amount") is None else params["amount"]
    if not 0 < amount <= left:
        raise invalid(f"Reversal amount ({amount}) is greater than the unreversed amount ({left}).", param="amount")
    own, currency = scope.of(transfer["destination"]), transfer["currency"]
    need(own, amount, currency)
    book(own, "payment_refund", -amount, currency, transfer["destination_payment"])
    payment = own.get("charge", transfer["destination_payment"])
    payment["amount_refunded"] += amount
    payment["refunded"] = payment["amount_refunded"] == payment["amount"]
    own.save(payment)
    reversal: Obj = {
        "id": new_id("trr"),
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": None,
        "created": scope.now,
        "currency": currency,
        "destination_payment_refund": None,
        "metadata": merge_metadata(None, params.get("metadata")),
        "source_refund": None,
        "transfer": identifier,
    }
    reversal["balance_transaction"] = book(scope, "transfer_refund", amount, currency, reversal["id"])["id"]
    scope.add(reversal)
    before = dict(transfer)
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    transfer["reversals"] = {**transfer["reversals"], "data": [reversal, *transfer["reversals"]["data"]]}
    scope.save(transfer)
    scope.emit("transfer.reversed", transfer, before)
    return reversal


@route("GET", "/v1/transfers/{id}/reversals", PAGE)
def list_reversals(scope: Scope, params: Obj, identifier: str) -> Page:
    return Page("transfer_reversal", {"transfer": identifier})


@route("GET", "/v1/transfers/{id}/reversals/{reversal}")
def retrieve_reversal(scope: Scope, params: Obj, identifier: str, reversal: str) -> Obj:
    return scope.get("transfer_reversal", reversal)
