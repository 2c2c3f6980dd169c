"""The money itself: balance transactions, the balance, and the rules that decide what is available."""

from __future__ import annotations

from typing import Any

from creator_hub.stripe_sandbox.billing import DAY
from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED, PAGE
from creator_hub.stripe_sandbox.routes import Page, created_range, retrieval, route
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj

CATEGORIES = {
    "charge": "charge",
    "payment": "charge",
    "application_fee": "platform_earning",
    "application_fee_refund": "platform_earning_refund",
    "refund": "refund",
    "refund_failure": "refund_failure",
    "payment_refund": "refund",
    "transfer": "transfer",
    "transfer_refund": "transfer_reversal",
    "payout": "payout",
    "payout_failure": "payout_reversal",
    "payout_cancel": "payout_reversal",
    "adjustment": "dispute",
    "payout_minimum_balance_hold": "payout_minimum_balance_hold",
    "payout_minimum_balance_release": "payout_minimum_balance_release",
}


def book(
    scope: Scope,
    kind: str,
    amount: int,
    currency: str,
    source: str | None,
    *,
    fee: int = 0,
    application_fee: int = 0,
    category: str | None = None,
    description: str | None = None,
    settles: bool = False,
) -> Obj:
    """Write one balance transaction; `settles` marks card money, available only after the settlement delay."""
    delay = scope.settlement_days * DAY if settles else 0
    row: Obj = {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": scope.now + delay,
        "balance_type": "payments",
        "created": scope.now,
        "currency": currency,
        "description": description,
        "exchange_rate": None,
        "fee": fee + application_fee,
        "fee_details": [
            {"amount": part, "application": application, "currency": currency, "description": text, "type": fee_type}
            for part, application, text, fee_type in (
                (fee, None, _FEE_TEXT.get(kind, "Stripe fee"), "stripe_fee"),
                (application_fee, "ca_sandbox", "Creator Hub application fee", "application_fee"),
            )
            if part
        ],
        "net": amount - fee - application_fee,
        "reporting_category": category or CATEGORIES[kind],
        "source": source,
        "status": "pending",
        "type": kind,
        "_payout": None,
    }
    return scope.add(row)


_FEE_TEXT = {"charge": "Stripe processing fees", "adjustment": "Dispute fee"}


def totals(scope: Scope) -> tuple[dict[str, int], dict[str, int]]:
    """(available, pending) by currency."""
    return scope.store.balance(scope.account, scope.now)


def need(scope: Scope, amount: int, currency: str) -> None:
    """Refuse what the available balance cannot cover, as Stripe does."""
    if amount > totals(scope)[0].get(currency, 0):
        raise invalid(
            "You have insufficient available funds in your Stripe account. Wait until charges settle, or lower the "
            "amount.",
            code="balance_insufficient",
            param="amount",
        )


@route("GET", "/v1/balance")
def retrieve_balance(scope: Scope, params: Obj) -> Obj:
    available, pending = totals(scope)
    currencies = sorted({*available, *pending} or {"usd"})
    return {
        "object": "balance",
        "livemode": False,
        "available": _amounts(available, currencies),
        "pending": _amounts(pending, currencies),
    }


def _amounts(side: dict[str, int], currencies: list[str]) -> list[Obj]:
    return [
        {"amount": side.get(currency, 0), "currency": currency, "source_types": {"card": side.get(currency, 0)}}
        for currency in currencies
    ]


retrieval("/v1/balance_transactions/{id}", "balance_transaction")


@route(
    "GET",
    "/v1/balance_transactions",
    {
        **PAGE,
        "created": CREATED,
        "currency": str,
        "payout": str,
        "source": str,
        "type": str,
    },
)
def list_balance_transactions(scope: Scope, params: Obj) -> Page:
    equal: dict[str, Any] = {name: params[name] for name in ("currency", "source", "type") if name in params}
    if params.get("payout"):
        payout = scope.get("payout", params["payout"], "payout")
        if not payout["automatic"]:
            raise invalid("Balance transaction history can only be filtered on automatic payouts.", param="payout")
        equal["_payout"] = payout["id"]
    return Page("balance_transaction", equal, created_range(params))


def payout_settings(scope: Scope) -> Obj:
    """The account's payout settings, with Stripe's defaults: daily, no minimum balance."""
    stored = scope.store.meta(f"payouts:{scope.account}", {})
    return {"interval": stored.get("interval", "daily"), "minimum": stored.get("minimum", {})}


@route("GET", "/v1/balance_settings")
def retrieve_balance_settings(scope: Scope, params: Obj) -> Obj:
    settings = payout_settings(scope)
    answer: Obj = {
        "object": "balance_settings",
        "payments": {
            "debit_negative_balances": True,
            "payouts": {
                "minimum_balance_by_currency": settings["minimum"] or None,
                "schedule": {"interval": settings["interval"]},
                "statement_descriptor": None,
                "status": "enabled",
            },
            "settlement_timing": {"delay_days": scope.settlement_days, "delay_days_override": None},
        },
    }
    return answer


SETTLEMENT_CURRENCIES = (
    "usd",
    "eur",
    "gbp",
    "jpy",
    "cad",
    "aud",
    "chf",
    "sek",
    "nok",
    "dkk",
    "pln",
    "krw",
    "inr",
    "brl",
    "mxn",
    "sgd",
)


@route(
    "POST",
    "/v1/balance_settings",
    {
        "payments": {
            "payouts": {
                "minimum_balance_by_currency": dict.fromkeys(SETTLEMENT_CURRENCIES, int),
                "schedule": {"interval": ("daily", "manual")},
            }
        }
    },
)
def update_balance_settings(scope: Scope, params: Obj) -> Obj:
    settings, given = payout_settings(scope), (params.get("payments") or {}).get("payouts") or {}
    if "minimum_balance_by_currency" in given:
        changes = given["minimum_balance_by_currency"] or {}
        settings["minimum"] = {key: value for key, value in {**settings["minimum"], **changes}.items() if value}
    if given.get("schedule"):
        settings["interval"] = given["schedule"].get("interval") or settings["interval"]
    scope.store.set_meta(f"payouts:{scope.account}", settings)
    return retrieve_balance_settings(scope, params)


__all__ = ["book", "need", "payout_settings", "totals"]
