"""What Stripe leaves in the platform's balance when it pays the platform's bank: enough for all that is owed.

Only automatic payouts itemise, so the platform's money leaves every day by itself. Without a minimum balance it would
take the creators' shares and the tax along.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import stripe
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from creator_hub.core import clock, logs, outbox
from creator_hub.core.db import unit_of_work
from creator_hub.money import gateway
from creator_hub.money.ledger_models import LedgerAccount, Posting
from creator_hub.money.payout_models import KeptBack

TOPIC = "money.keep_back"
LIABILITIES = (
    "creator_payable",
    "payout_clearing",
    "tax_payable",
    "fan_credit",
    "gift_deferred",
    "deferred_revenue",
)
TELL_AGAIN = timedelta(hours=1)  # two workers may have told Stripe in the wrong order
log = logs.get(__name__)


def owed(session: Session) -> dict[str, int]:
    """What the platform owes to others by currency, minor units, never negative."""
    rows = session.execute(
        select(LedgerAccount.currency, func.sum(-Posting.amount_minor))
        .join(Posting, Posting.account_id == LedgerAccount.id)
        .where(LedgerAccount.kind.in_(LIABILITIES))
        .group_by(LedgerAccount.currency)
        .order_by(LedgerAccount.currency)
    ).all()
    return {currency: max(0, int(total)) for currency, total in rows}


def ask_to_keep_back(session: Session) -> None:
    """Have a worker tell Stripe when what is owed has changed. Once a minute, however often it is asked."""
    if _untold(session):
        outbox.record(session, TOPIC, {}, key=f"{clock.now():%Y-%m-%dT%H:%M}")


def keep_back() -> None:
    """Tell Stripe the minimum balance of every currency in which what is owed has changed."""
    with unit_of_work() as session:
        untold = _untold(session)
    for currency, amount in untold.items():
        _tell(currency, amount)


def _untold(session: Session) -> dict[str, int]:
    told = {row.currency: row for row in session.scalars(select(KeptBack))}
    stale = clock.now() - TELL_AGAIN
    return {
        currency: amount
        for currency, amount in owed(session).items()
        if currency not in told or told[currency].amount_minor != amount or told[currency].told_at < stale
    }


def _tell(currency: str, amount: int) -> None:
    """One currency a call: one that Stripe does not know must not keep it from hearing of the others."""
    minimum: dict[str, int | Literal[""]] = {currency.lower(): amount}
    params: stripe.params.BalanceSettingsUpdateParams = {
        "payments": {"payouts": {"minimum_balance_by_currency": minimum}}
    }
    try:
        gateway.ask(lambda at: at.v1.balance_settings.update(params))
    except stripe.InvalidRequestError as refusal:
        log.error("minimum_balance_refused", currency=currency, amount=amount, reason=str(refusal))
        return
    with unit_of_work() as session:
        session.merge(KeptBack(currency=currency, amount_minor=amount, told_at=clock.now()))
