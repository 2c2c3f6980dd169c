"""Stripe's own account of the platform's money, read into our tables to hold the ledger against it.

Rows are read oldest first, page by page, each page in a unit of work of its own. The stored rows themselves are the
position: reading goes on from the newest one, a little back, because rows are not listed strictly in order.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from creator_hub.core import clock, outbox
from creator_hub.core.db import unit_of_work
from creator_hub.core.money import Money
from creator_hub.money import gateway, matching, payout_events
from creator_hub.money.billing_models import Payment
from creator_hub.money.export_models import BalanceTransaction, BankPayout
from creator_hub.money.ledger_models import LedgerAccount, LedgerTransaction, Posting
from creator_hub.money.payout_models import Payout

TOPIC = "money.reconcile"
PAGE = 100
OVERLAP = timedelta(minutes=10)
ON_THE_WAY = ("pending", "in_transit")
ITEMISED_WITHIN = timedelta(days=30)
MOST_EXPLAINED = 100
BANK_PAYOUTS = ("payout", "payout_failure", "payout_cancel")


def ask_for_sync(session: Session) -> None:
    """Have a worker read on. Once every ten minutes, however often it is asked."""
    outbox.record(session, TOPIC, {}, key=f"{clock.now():%Y-%m-%dT%H:%M}"[:-1])


def sync() -> None:
    """Bring balance transactions and the platform's bank payouts up to date. Safe to repeat and to break off."""
    _read_balance()
    with unit_of_work() as session:
        waiting = session.scalars(
            select(BankPayout.id)
            .where(
                or_(
                    BankPayout.state.in_(ON_THE_WAY),
                    ~BankPayout.itemised & (BankPayout.effective_at > clock.now() - ITEMISED_WITHIN),
                )
            )
            .order_by(BankPayout.effective_at, BankPayout.id)
        ).all()
    for payout_id in waiting:
        _follow(payout_id)


def differences(session: Session) -> dict[str, int]:
    """By currency: what Stripe's rows sum to minus the ledger's processor account, where the two are not equal."""
    at_stripe = _by_currency(session, select(BalanceTransaction.currency, func.sum(BalanceTransaction.net_minor)))
    in_ledger = _by_currency(
        session,
        select(LedgerAccount.currency, func.sum(Posting.amount_minor))
        .join(Posting, Posting.account_id == LedgerAccount.id)
        .where(LedgerAccount.kind == "processor"),
    )
    found = {code: at_stripe.get(code, 0) - in_ledger.get(code, 0) for code in {*at_stripe, *in_ledger}}
    return {code: difference for code, difference in sorted(found.items()) if difference}


def explain(session: Session) -> list[str]:
    """Why Stripe and the ledger differ, entry by entry: rows of Stripe that the ledger has otherwise or not at all, and
    entries of the ledger that no row of Stripe stands behind. The amounts of the sentences sum to the difference."""
    moved = matching.ledger_moved(None).label("moved")
    rows = session.execute(
        select(BalanceTransaction, moved)
        .outerjoin(Payment, Payment.charge_id == BalanceTransaction.charge_id)
        .outerjoin(Payout, Payout.transfer_id == BalanceTransaction.source_id)
        .where(BalanceTransaction.type.not_in(matching.STRIPES_OWN), BalanceTransaction.net_minor != moved)
        .order_by(BalanceTransaction.created_at, BalanceTransaction.id)
        .limit(MOST_EXPLAINED)
    ).all()
    said = [_row_differs(row[0], int(row[1])) for row in rows]
    alone = session.execute(matching.entries_without_a_row().limit(MOST_EXPLAINED)).all()
    return said + [_entry_is_alone(row[0], int(row[1])) for row in alone]


def _entry_is_alone(entry: LedgerTransaction, moved: int) -> str:
    return f"{entry.source}/{entry.kind}: {Money(moved, entry.currency)} in the ledger, nothing at Stripe"


def _row_differs(row: BalanceTransaction, moved: int) -> str:
    there, here = Money(row.net_minor, row.currency), Money(moved, row.currency)
    what = f"{row.id} ({row.type} {row.source_id or ''})".replace(" )", ")")
    return f"{what}: {there} at Stripe, {here if moved else 'nothing'} in the ledger"


def _by_currency(session: Session, sums: Any) -> dict[str, int]:
    grouped = sums.group_by(sums.selected_columns[0])
    return {code: int(total) for code, total in session.execute(grouped).all()}


def _read_balance() -> None:
    position = _position()
    if position is None:
        position = _keep_oldest()
    while position is not None:
        found = _page(ending_before=position)
        _keep(found["data"])
        position = found["data"][0]["id"] if found["has_more"] else None


def _position() -> str | None:
    """The newest row that is old enough for nothing to be listed before it any more."""
    with unit_of_work() as session:
        newest = session.scalar(select(func.max(BalanceTransaction.created_at)))
        if newest is None:
            return None
        settled = select(BalanceTransaction.id).where(BalanceTransaction.created_at <= newest - OVERLAP)
        order = (BalanceTransaction.created_at.desc(), BalanceTransaction.id.desc())
        return session.scalar(settled.order_by(*order).limit(1))


def _keep_oldest() -> str | None:
    """Walk back to the oldest row of the account and keep its page; the id of the newest row kept."""
    found = _page()
    while found["has_more"]:
        found = _page(starting_after=found["data"][-1]["id"])
    _keep(found["data"])
    return str(found["data"][0]["id"]) if found["data"] else None


def _page(**cursor: str) -> dict[str, Any]:
    """Newest first, as Stripe lists them; with `ending_before` the page that comes right after that row in time."""
    params: Any = {"limit": PAGE, "expand": ["data.source"], **cursor}
    return gateway.ask(lambda at: at.v1.balance_transactions.list(params))


def _keep(rows: Iterable[dict[str, Any]]) -> None:
    with unit_of_work() as session:
        for row in rows:
            if row["type"] in BANK_PAYOUTS:
                _expect_news(session, row)
            _keep_row(session, row)


def _keep_row(session: Session, row: dict[str, Any]) -> None:
    source = row["source"] or {}
    charge = source.get("id") if source.get("object") == "charge" else source.get("charge")
    session.execute(
        insert(BalanceTransaction)
        .values(
            id=row["id"],
            type=row["type"],
            category=row["reporting_category"],
            currency=row["currency"].upper(),
            amount_minor=row["amount"],
            fee_minor=row["fee"],
            net_minor=row["net"],
            created_at=gateway.moment(row["created"]),
            available_on=gateway.moment(row["available_on"]),
            source_id=source.get("id"),
            charge_id=charge,
            dispute_reason=source.get("reason") if source.get("object") == "dispute" else None,
            description=row["description"] or "",
        )
        .on_conflict_do_nothing(index_elements=["id"])
    )


def _expect_news(session: Session, row: dict[str, Any]) -> None:
    """A bank payout was made or came back: ask Stripe for its state, unless this row has been seen before."""
    if session.get(BalanceTransaction, row["id"]) is not None:
        return
    payout = row["source"]
    statement = insert(BankPayout).values(
        id=payout["id"],
        currency=payout["currency"].upper(),
        amount_minor=payout["amount"],
        state="pending",
        effective_at=gateway.moment(payout["arrival_date"]),
        itemised=False,
    )
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"state": "pending"}))


def _follow(payout_id: str) -> None:
    """Take over a bank payout as Stripe shows it: post it, and once Stripe has itemised it, mark the rows inside it."""
    found = gateway.ask(lambda at: at.v1.payouts.retrieve(payout_id))
    ready = found["reconciliation_status"] == "completed"
    with unit_of_work() as session:
        itemised = session.get_one(BankPayout, payout_id).itemised
    if ready and not itemised:
        _itemise(payout_id)
    with unit_of_work() as session:
        payout = session.get_one(BankPayout, payout_id, with_for_update=True)
        payout.state, payout.itemised = found["status"], ready
        payout.effective_at = gateway.moment(found["arrival_date"])
        payout_events.post_bank_payout(session, found)


def _itemise(payout_id: str) -> None:
    cursor: dict[str, str] = {"payout": payout_id}
    while True:
        found = _page(**cursor)
        _keep(found["data"])
        ids = [row["id"] for row in found["data"]]
        with unit_of_work() as session:
            inside = update(BalanceTransaction).where(BalanceTransaction.id.in_(ids))
            session.execute(inside.values(payout_id=payout_id))
        if not found["has_more"]:
            return
        cursor["starting_after"] = ids[-1]
