"""Which entry of the ledger stands behind a row of Stripe's balance, found by what caused it; and which has none."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, or_, select
from sqlalchemy.orm import aliased

from creator_hub.money.billing_models import Payment
from creator_hub.money.export_models import BalanceTransaction
from creator_hub.money.ledger_models import LedgerAccount, LedgerTransaction, Posting
from creator_hub.money.payout_models import Payout

STRIPES_OWN = ("payout_minimum_balance_hold", "payout_minimum_balance_release")
CHARGES = ("charge", "payment")


def _causes(fact: Any, row: Any, invoice_id: Any, payout: Any) -> ColumnElement[bool]:
    """Whether the entry `fact` is what the row `row` of Stripe caused. A charge causes two: its payment and its fee."""
    return or_(
        and_(fact.kind == "payment", fact.source == invoice_id, row.type.in_(CHARGES)),
        and_(fact.kind == "processor_fee", fact.source == row.source_id, row.type.in_(CHARGES)),
        and_(fact.kind == "refund", fact.source == row.source_id, row.type.in_(("refund", "payment_refund"))),
        and_(fact.kind == "refund_failed", fact.source == row.source_id, row.type == "refund_failure"),
        and_(fact.kind == "dispute", fact.source == row.id),
        and_(fact.kind == "payout_sent", fact.source == payout, row.type == "transfer"),
        and_(fact.kind == "payout_reversed", fact.source == row.source_id, row.type == "transfer_refund"),
        and_(fact.kind == "bank_payout", fact.source == row.source_id, row.type == "payout"),
        and_(
            fact.kind == "bank_payout_failed",
            fact.source == row.source_id,
            row.type.in_(("payout_failure", "payout_cancel")),
        ),
    )


def ledger_moved(position: int | None) -> Any:
    """What a balance transaction moved on the processor account, up to a position of the ledger. For a query that joins
    the row's `Payment` and `Payout`."""
    fact, payout = LedgerTransaction, "payout:" + cast(Payout.id, String)
    sources = (BalanceTransaction.id, BalanceTransaction.source_id, Payment.invoice_id, payout)
    query = (
        select(func.coalesce(func.sum(Posting.amount_minor), 0))
        .select_from(fact)
        .join(Posting, Posting.transaction_id == fact.id)
        .join(LedgerAccount, LedgerAccount.id == Posting.account_id)
        .where(
            fact.source.in_(sources),
            _causes(fact, BalanceTransaction, Payment.invoice_id, payout),
            LedgerAccount.kind == "processor",
        )
        .correlate(BalanceTransaction, Payment, Payout)
    )
    return (query if position is None else query.where(fact.position <= position)).scalar_subquery()


def entries_without_a_row() -> Select[LedgerTransaction, int]:
    """Entries that moved the processor account though nothing at Stripe did, with by how much."""
    row, paid, sent = aliased(BalanceTransaction), aliased(Payment), aliased(Payout)
    payout = "payout:" + cast(sent.id, String)
    behind = (
        select(row.id)
        .outerjoin(paid, paid.charge_id == row.charge_id)
        .outerjoin(sent, sent.transfer_id == row.source_id)
        .where(_causes(LedgerTransaction, row, paid.invoice_id, payout))
        .correlate(LedgerTransaction)
        .exists()
    )
    return (
        select(LedgerTransaction, func.sum(Posting.amount_minor))
        .join(Posting, Posting.transaction_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == Posting.account_id)
        .where(LedgerAccount.kind == "processor", ~behind)
        .group_by(LedgerTransaction.id)
        .order_by(LedgerTransaction.position)
    )
