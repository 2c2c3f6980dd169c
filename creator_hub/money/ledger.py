"""The double-entry ledger: money moves from somewhere to somewhere, append-only.

Sign: a positive amount debits, a negative one credits. Assets and expenses grow by debits; liabilities and income by
credits. Python checks nothing that the database refuses anyway (migration 0006).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from creator_hub.core import clock
from creator_hub.core.ids import new_id
from creator_hub.core.schemas import rfc3339
from creator_hub.money.ledger_models import LedgerAccount, LedgerPeriod, LedgerTransaction, Posting

NEVER_OVERDRAWN = ("payout_clearing", "fan_credit", "gift_deferred", "deferred_revenue")


@dataclass(frozen=True, slots=True)
class AccountRef:
    """Names an account; it comes into being when it is first posted to."""

    kind: str
    currency: str
    owner_id: uuid.UUID | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Leg:
    """`amount` minor units: positive debits, negative credits. Zero legs are dropped by `post`."""

    account: AccountRef
    amount: int


def processor(currency: str) -> AccountRef:
    return AccountRef("processor", currency)


def processor_fee(currency: str) -> AccountRef:
    return AccountRef("processor_fee", currency)


def platform_fee(currency: str) -> AccountRef:
    return AccountRef("platform_fee", currency)


def tax_payable(currency: str, place: str) -> AccountRef:
    return AccountRef("tax_payable", currency, place=place)


def creator_payable(currency: str, creator_id: uuid.UUID) -> AccountRef:
    return AccountRef("creator_payable", currency, owner_id=creator_id)


def creator_receivable(currency: str, creator_id: uuid.UUID) -> AccountRef:
    return AccountRef("creator_receivable", currency, owner_id=creator_id)


def deferred_revenue(currency: str) -> AccountRef:
    return AccountRef("deferred_revenue", currency)


def fan_credit(currency: str, fan_id: uuid.UUID) -> AccountRef:
    return AccountRef("fan_credit", currency, owner_id=fan_id)


def post(
    session: Session,
    *,
    source: str,
    kind: str,
    currency: str,
    occurred_at: datetime,
    legs: Sequence[Leg],
    memo: str = "",
    payment_id: uuid.UUID | None = None,
) -> LedgerTransaction:
    """Record one movement, once per (source, kind): a repeat returns what is there already.

    The legs must sum to zero and share `currency`; the database refuses the commit otherwise. News that belongs into a
    month that is closed already is booked now, and says so.
    """
    if _is_closed(session, occurred_at):
        memo = f"{memo} (occurred {rfc3339(occurred_at)})".lstrip()
        occurred_at = clock.now()
    transaction_id = session.scalar(
        insert(LedgerTransaction)
        .values(
            id=new_id(),
            source=source,
            kind=kind,
            currency=currency,
            occurred_at=occurred_at,
            recorded_at=clock.now(),
            memo=memo,
            payment_id=payment_id,
        )
        .on_conflict_do_nothing(index_elements=["source", "kind"])
        .returning(LedgerTransaction.id)
    )
    if transaction_id is None:
        return session.scalars(
            select(LedgerTransaction).where(LedgerTransaction.source == source, LedgerTransaction.kind == kind)
        ).one()
    for line, leg in enumerate((leg for leg in legs if leg.amount), 1):
        session.add(
            Posting(
                transaction_id=transaction_id,
                line=line,
                account_id=_account_id(session, leg.account),
                currency=leg.account.currency,
                amount_minor=leg.amount,
            )
        )
    session.flush()
    return session.get_one(LedgerTransaction, transaction_id)


def _is_closed(session: Session, moment: datetime) -> bool:
    return session.get(LedgerPeriod, moment.astimezone(UTC).date().replace(day=1)) is not None


def balance(session: Session, ref: AccountRef) -> int:
    """The account's debits minus its credits, in minor units; a liability that is owed is negative."""
    total = session.scalar(
        select(func.coalesce(func.sum(Posting.amount_minor), 0))
        .join(LedgerAccount, LedgerAccount.id == Posting.account_id)
        .where(*_is(ref))
    )
    return int(total or 0)


def balances(session: Session) -> list[tuple[AccountRef, int]]:
    """Every account with its balance, by kind and currency."""
    rows = session.execute(
        select(LedgerAccount, func.sum(Posting.amount_minor).label("total"))
        .join(Posting, Posting.account_id == LedgerAccount.id)
        .group_by(LedgerAccount.id)
        .order_by(LedgerAccount.kind, LedgerAccount.currency, LedgerAccount.id)
    ).all()
    return [(ref_of(row.LedgerAccount), int(row.total)) for row in rows]


def lock_account(session: Session, ref: AccountRef) -> None:
    """Lock one account's row, before a decision that depends on its balance. Postings, which only refer to the row, are
    not held up. Whoever locks a subscription, a payment or a group as well locks those first."""
    account_id = _account_id(session, ref)
    session.execute(select(LedgerAccount.id).where(LedgerAccount.id == account_id).with_for_update(key_share=True))


def check(session: Session) -> list[str]:
    """What is wrong with the ledger, one sentence each; an empty list is a clean ledger."""
    return [*_unbalanced(session), *_overpaid(session), *_negative(session)]


def _unbalanced(session: Session) -> list[str]:
    rows = session.execute(
        select(LedgerTransaction.source, LedgerTransaction.kind, func.coalesce(func.sum(Posting.amount_minor), 0))
        .outerjoin(Posting, Posting.transaction_id == LedgerTransaction.id)
        .group_by(LedgerTransaction.id)
        .having((func.coalesce(func.sum(Posting.amount_minor), 1) != 0) | (func.count(Posting.line) < 2))
    ).all()
    return [f"transaction {source}/{kind} does not balance: {total}" for source, kind, total in rows]


def _overpaid(session: Session) -> list[str]:
    return [
        f"creator {ref.owner_id} was paid {total} {ref.currency} more than was due"
        for ref, total in balances(session)
        if ref.kind == "creator_payable" and total > 0
    ]


def _negative(session: Session) -> list[str]:
    """Liabilities of which more was given out than had come in."""
    return [
        f"{ref.kind} {ref.owner_id or ref.place or ''} is overdrawn by {total} {ref.currency}".replace("  ", " ")
        for ref, total in balances(session)
        if ref.kind in NEVER_OVERDRAWN and total > 0
    ]


def _account_id(session: Session, ref: AccountRef) -> uuid.UUID:
    found = session.scalar(select(LedgerAccount.id).where(*_is(ref)))
    if found is not None:
        return found
    values = {"kind": ref.kind, "currency": ref.currency, "owner_id": ref.owner_id, "place": ref.place}
    session.execute(insert(LedgerAccount).values(id=new_id(), **values).on_conflict_do_nothing())
    return session.scalars(select(LedgerAccount.id).where(*_is(ref))).one()


def ref_of(account: LedgerAccount) -> AccountRef:
    return AccountRef(account.kind, account.currency, account.owner_id, account.place)


def _is(ref: AccountRef) -> list[ColumnElement[bool]]:
    return [
        LedgerAccount.kind == ref.kind,
        LedgerAccount.currency == ref.currency,
        LedgerAccount.owner_id.is_not_distinct_from(ref.owner_id),
        LedgerAccount.place.is_not_distinct_from(ref.place),
    ]
