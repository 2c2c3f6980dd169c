"""Payouts to the bank: automatic ones every day at midnight UTC, which itemise; manual ones; failures."""

from __future__ import annotations

from creator_hub.stripe_sandbox.billing import DAY
from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, merge_metadata
from creator_hub.stripe_sandbox.resources.balance import book, need, payout_settings
from creator_hub.stripe_sandbox.routes import listing, retrieval, route, updating
from creator_hub.stripe_sandbox.scope import PLATFORM, Scope, new_id
from creator_hub.stripe_sandbox.store import Obj
from creator_hub.stripe_sandbox.timers import timer

FAILURE_TEXT = {
    "account_frozen": "The bank account has been frozen.",
    "bank_account_restricted": "The bank account has restrictions on the payouts it can receive.",
    "debit_not_authorized": "Debit transactions are not approved on the bank account.",
    "declined": "The bank has declined this transfer.",
    "incorrect_account_holder_name": "The bank says that the account holder's name is wrong.",
    "invalid_account_number": "The routing number seems correct, but the account number is invalid.",
    "invalid_currency": "The bank account does not take this currency.",
    "account_closed": "The bank account has been closed.",
    "no_account": "The bank account could not be located.",
    "insufficient_funds": "Your Stripe account has insufficient funds to cover the payout.",
    "could_not_process": "The bank could not process this payout.",
}


def next_midnight(moment: int) -> int:
    return (moment // DAY + 1) * DAY


@timer("payouts")
def pay_everyone(scope: Scope, _: str) -> None:
    """The daily run over the platform and every connected account that may be paid out."""
    scope.timer("payouts", "daily", next_midnight(scope.now))
    sweep(scope)
    for account in scope.all("account", payouts_enabled=True):
        if account["settings"]["payouts"]["schedule"]["interval"] != "manual":
            sweep(scope.of(account["id"]))


def sweep(scope: Scope) -> None:
    """One automatic payout per currency with money available above the minimum balance."""
    settings = payout_settings(scope)
    if settings["interval"] == "manual":
        return
    rows = [row for row in scope.all("balance_transaction", _payout=None) if row["available_on"] <= scope.now]
    for currency in sorted({row["currency"] for row in rows}):
        _sweep_currency(
            scope, [row for row in rows if row["currency"] == currency], currency, settings["minimum"].get(currency, 0)
        )


def _sweep_currency(scope: Scope, rows: list[Obj], currency: str, minimum: int) -> None:
    if sum(row["net"] for row in rows) - minimum <= 0:
        return
    if minimum:
        rows.append(book(scope, "payout_minimum_balance_hold", -minimum, currency, None))
    total = sum(row["net"] for row in rows)
    payout = make_payout(scope, total, currency, automatic=True)
    for row in rows:
        row["_payout"] = payout["id"]
        scope.save(row)
    if minimum:
        book(scope, "payout_minimum_balance_release", minimum, currency, None)


def make_payout(
    scope: Scope,
    amount: int,
    currency: str,
    *,
    automatic: bool,
    metadata: Obj | None = None,
    description: str | None = None,
) -> Obj:
    identifier = new_id("po")
    row = book(scope, "payout", -amount, currency, identifier, description=description or "STRIPE PAYOUT")
    if automatic:
        # A manual payout stays a row of its own: the next automatic one counts it among what it settles.
        row["_payout"] = identifier
        scope.save(row)
    payout: Obj = {
        "id": identifier,
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": next_midnight(scope.now),
        "automatic": automatic,
        "balance_transaction": row["id"],
        "created": scope.now,
        "currency": currency,
        "description": description or "STRIPE PAYOUT",
        "destination": _bank_of(scope),
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": metadata or {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "in_progress" if automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "in_transit",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }
    scope.add(payout)
    scope.emit("payout.created", payout)
    if automatic:
        scope.timer("reconciled", identifier, scope.now + 60)
    scope.timer("arrive", identifier, payout["arrival_date"])
    return payout


def _bank_of(scope: Scope) -> str:
    if not scope.account:
        return "ba_sandboxplatform"
    account = scope.of(PLATFORM).get("account", scope.account)
    banks = account["external_accounts"]["data"]
    if not banks:
        raise invalid("Sorry, you don't have any external accounts in that currency.", param="currency")
    return str(banks[0]["id"])


@timer("reconciled")
def reconciled(scope: Scope, identifier: str) -> None:
    payout = scope.get("payout", identifier)
    before, payout["reconciliation_status"] = dict(payout), "completed"
    scope.save(payout)
    scope.emit("payout.reconciliation_completed", payout, before)


@timer("arrive")
def arrive(scope: Scope, identifier: str) -> None:
    """The bank's answer: paid, or failed when the control plane asked for it."""
    payout = scope.get("payout", identifier)
    if payout["status"] not in ("pending", "in_transit"):
        return
    failures = scope.store.meta("payout_failures", {})
    code = failures.pop(scope.account or "platform", None)
    if code:
        scope.store.set_meta("payout_failures", failures)
        fail(scope, payout, code)
        return
    before = dict(payout)
    payout |= {"status": "paid", "trace_id": {"status": "supported", "value": new_id("t", 12)[2:].upper()}}
    scope.save(payout)
    scope.emit("payout.paid", payout, before)


def fail(scope: Scope, payout: Obj, code: str) -> Obj:
    """The bank sends the money back; it returns to the balance."""
    before = dict(payout)
    back = book(
        scope, "payout_failure", payout["amount"], payout["currency"], payout["id"], description="Payout failure"
    )
    payout |= {
        "status": "failed",
        "failure_code": code,
        "failure_balance_transaction": back["id"],
        "failure_message": FAILURE_TEXT.get(code, "The payout failed."),
    }
    scope.save(payout)
    scope.drop_timer("arrive", payout["id"])
    scope.emit("payout.failed", payout, before)
    _mark_bank(scope, payout)
    return payout


def _mark_bank(scope: Scope, payout: Obj) -> None:
    """The bank account that refused is marked; a new one comes by onboarding again."""
    platform = scope.of(PLATFORM)
    account = platform.find("account", scope.account)
    for bank in account["external_accounts"]["data"] if account else []:
        if bank["id"] == payout["destination"] and bank["status"] != "errored":
            before = dict(bank)
            bank["status"] = "errored"
            platform.save(account or {})
            scope.emit("account.external_account.updated", bank, before)


@route(
    "POST",
    "/v1/payouts",
    {
        "amount*": int,
        "currency*": str,
        "description": str,
        "metadata": META,
        "method": ("standard",),
        "statement_descriptor": str,
    },
)
def create_payout(scope: Scope, params: Obj) -> Obj:
    if params["amount"] < 1:
        raise invalid("This value must be greater than or equal to 1.", param="amount")
    need(scope, params["amount"], params["currency"].lower())
    return make_payout(
        scope,
        params["amount"],
        params["currency"].lower(),
        automatic=False,
        metadata=merge_metadata(None, params.get("metadata")),
        description=params.get("description"),
    )


updating("/v1/payouts/{id}", "payout", {"metadata": META})


@route("POST", "/v1/payouts/{id}/cancel")
def cancel_payout(scope: Scope, params: Obj, identifier: str) -> Obj:
    payout = scope.get("payout", identifier)
    if payout["automatic"] or payout["status"] != "in_transit":
        raise invalid("Only manual payouts that have not arrived can be canceled.")
    scope.drop_timer("arrive", identifier)
    back = book(scope, "payout_cancel", payout["amount"], payout["currency"], identifier)
    payout |= {"status": "canceled", "failure_balance_transaction": back["id"]}
    scope.save(payout)
    scope.emit("payout.canceled", payout)
    return payout


retrieval("/v1/payouts/{id}", "payout")
listing("/v1/payouts", "payout", {"created": CREATED, "destination": str, "status": str})
