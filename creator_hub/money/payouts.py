"""Payout runs: what creators are due, who proposed paying it, who approved it.

The two-person rule: whoever opens a run cannot approve it (the table refuses it too). Approval moves each amount from
creator_payable to payout_clearing and records the transfer to come; `payout_transfers` does the rest.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, text
from sqlalchemy.orm import Session

from creator_hub import settings
from creator_hub.core import clock, outbox
from creator_hub.core.access import Actor
from creator_hub.core.errors import Conflict, Invalid, NotFound
from creator_hub.core.ids import new_id
from creator_hub.core.money import round_half_up
from creator_hub.money import bank_details, ledger
from creator_hub.money.ledger import AccountRef, Leg
from creator_hub.money.ledger_models import LedgerAccount, LedgerTransaction, Posting
from creator_hub.money.payout_models import Payout, PayoutAccount, PayoutRun
from creator_hub.money.splits import BASIS_POINTS

SEND = "money.send_payout"
RUNS_LOCK = 7_260_121  # any number of its own: one run is opened at a time


@dataclass(frozen=True, slots=True)
class Due:
    """What a creator could be paid in one currency, in minor units."""

    creator_id: uuid.UUID
    currency: str
    payable: int
    held: int
    reserved: int
    owed: int

    @property
    def available(self) -> int:
        """payable − holds − reserve − debt; what disputes and late refunds left as a debt nets first."""
        return max(0, self.payable - self.held - self.reserved - self.owed)


def payout_clearing(currency: str) -> AccountRef:
    return AccountRef("payout_clearing", currency)


def due(
    session: Session, *, currency: str | None = None, creator_id: uuid.UUID | None = None, at: datetime | None = None
) -> list[Due]:
    """What each creator is owed at `at` (now). Payments younger than the hold days wait whole; of the older ones that
    are younger than the reserve days, a part stays back."""
    config, at = settings.current(), at or clock.now()
    narrow = [LedgerAccount.currency == currency] if currency is not None else []
    narrow += [LedgerAccount.owner_id == creator_id] if creator_id is not None else []
    hold_from = at - timedelta(days=config.payout_hold_days)
    held = _earned_since(session, hold_from, narrow)
    reserve = {}
    if config.payout_reserve_bps:
        recent = _earned_since(session, at - timedelta(days=config.payout_reserve_days), narrow)
        reserve = {
            key: round_half_up(max(0, total - held.get(key, 0)) * config.payout_reserve_bps, BASIS_POINTS)
            for key, total in recent.items()
        }
    query = (
        select(
            LedgerAccount.owner_id,
            LedgerAccount.currency,
            func.coalesce(func.sum(-Posting.amount_minor).filter(LedgerAccount.kind == "creator_payable"), 0),
            func.coalesce(func.sum(Posting.amount_minor).filter(LedgerAccount.kind == "creator_receivable"), 0),
        )
        .join(Posting, Posting.account_id == LedgerAccount.id)
        .where(LedgerAccount.kind.in_(("creator_payable", "creator_receivable")), *narrow)
        .group_by(LedgerAccount.owner_id, LedgerAccount.currency)
        .order_by(LedgerAccount.currency, LedgerAccount.owner_id)
    )
    return [
        Due(owner, money, int(total), held.get((owner, money), 0), reserve.get((owner, money), 0), int(owed))
        for owner, money, total, owed in session.execute(query).all()
        if owner is not None
    ]


def _earned_since(
    session: Session, since: datetime, narrow: Sequence[ColumnElement[bool]]
) -> dict[tuple[uuid.UUID, str], int]:
    """By creator and currency: what payments made after `since` are still worth to the creator. What was refunded or
    lost of a payment counts against that payment alone, so that a refund of held money is not taken off twice."""
    about = func.coalesce(LedgerTransaction.payment_id, LedgerTransaction.id)
    one = (
        select(
            LedgerAccount.owner_id,
            LedgerAccount.currency,
            func.greatest(0, func.sum(-Posting.amount_minor)).label("worth"),
        )
        .join(Posting, Posting.account_id == LedgerAccount.id)
        .join(LedgerTransaction, LedgerTransaction.id == Posting.transaction_id)
        .where(LedgerAccount.kind == "creator_payable", LedgerTransaction.occurred_at > since, *narrow)
        .group_by(LedgerAccount.owner_id, LedgerAccount.currency, about)
        .having(func.bool_or(LedgerTransaction.kind == "payment"))
        .subquery()
    )
    sums = select(one.c.owner_id, one.c.currency, func.sum(one.c.worth)).group_by(one.c.owner_id, one.c.currency)
    return {(row[0], row[1]): int(row[2]) for row in session.execute(sums)}


def open_run(
    session: Session,
    actor: Actor,
    *,
    currency: str,
    cut_off: datetime | None = None,
    minimum_minor: int = 0,
    method: str = "stripe",
) -> PayoutRun:
    """Propose paying every creator who is due at least the minimum and whose payout account is ready.

    A draft of the same currency that still waits is superseded: two drafts would promise the same money twice.
    """
    at = clock.now()
    if cut_off is not None and cut_off > at:
        raise Invalid(errors={"cut_off": ["The cut-off cannot lie in the future."]})
    session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": RUNS_LOCK})
    proposed = _payable(session, currency, cut_off or at, max(1, minimum_minor), method)
    if not proposed:
        raise Conflict(
            "Nobody can be paid in %(currency)s now: nothing is due, or no payout account is ready.",
            code="nothing_due",
            currency=currency,
        )
    _supersede(session, currency)
    run = PayoutRun(
        id=new_id(),
        currency=currency,
        cut_off=cut_off or at,
        minimum_minor=minimum_minor,
        state="draft",
        method=method,
        requested_by=actor.person(),
        created_at=at,
    )
    session.add(run)
    session.flush()
    for item in proposed:
        session.add(
            Payout(
                id=new_id(),
                run_id=run.id,
                creator_id=item.creator_id,
                currency=currency,
                amount_minor=item.available,
                reversed_minor=0,
                state="draft",
            )
        )
    session.flush()
    return run


def _payable(session: Session, currency: str, cut_off: datetime, minimum: int, method: str) -> list[Due]:
    ready = bank_details.payable_to(session) if method == "bank" else _at_stripe(session)
    found = due(session, currency=currency, at=cut_off)
    return [item for item in found if item.available >= minimum and item.creator_id in ready]


def _at_stripe(session: Session) -> set[uuid.UUID]:
    return set(session.scalars(select(PayoutAccount.user_id).where(PayoutAccount.transfers_active)))


def _supersede(session: Session, currency: str) -> None:
    """Drafts moved no money and nobody approved them: the newer proposal takes their place."""
    drafts = select(PayoutRun.id).where(PayoutRun.currency == currency, PayoutRun.state == "draft")
    waiting = session.scalars(drafts.with_for_update()).all()
    session.execute(delete(Payout).where(Payout.run_id.in_(waiting)))
    session.execute(delete(PayoutRun).where(PayoutRun.id.in_(waiting)))


def approve(session: Session, actor: Actor, run_id: uuid.UUID) -> PayoutRun:
    """Approve a draft that somebody else opened: the money leaves creator_payable, the transfers are on their way."""
    run = session.get(PayoutRun, run_id, with_for_update=True, populate_existing=True)
    if run is None:
        raise NotFound
    if run.state != "draft":
        raise Conflict("This run is not waiting for approval any more.", code="not_a_draft")
    if run.requested_by == actor.person():
        raise Conflict("Whoever opened a run cannot approve it. Ask a colleague of finance.", code="same_person")
    at = clock.now()
    for payout in payouts_of(session, run):
        _approve_payout(session, run, payout, at)
    run.state, run.approved_by, run.approved_at = "approved", actor.person(), at
    session.flush()
    return run


def _approve_payout(session: Session, run: PayoutRun, payout: Payout, at: datetime) -> None:
    payable = ledger.creator_payable(payout.currency, payout.creator_id)
    # The lock keeps a refund or another run from spending the same balance between the check and the posting.
    ledger.lock_account(session, payable)
    now_due = due(session, currency=payout.currency, creator_id=payout.creator_id, at=run.cut_off)
    if not now_due or now_due[0].available < payout.amount_minor:
        raise Conflict(
            "A creator's balance fell since this run was opened. Open a new run, it replaces this one.",
            code="balance_changed",
        )
    if now_due[0].owed > 0:
        _net_debt(session, payout, now_due[0].owed, at)
    ledger.post(
        session,
        source=source_of(payout),
        kind="payout_approved",
        currency=payout.currency,
        occurred_at=at,
        legs=[Leg(payable, payout.amount_minor), Leg(payout_clearing(payout.currency), -payout.amount_minor)],
    )
    if run.method == "stripe":
        outbox.record(session, SEND, {"payout_id": str(payout.id)}, key=str(payout.id))


def executed(session: Session, run_id: uuid.UUID) -> PayoutRun:
    """The bank has paid a run's file: payout_clearing ← bank for every payout that still waits for it."""
    run = session.get(PayoutRun, run_id, with_for_update=True, populate_existing=True)
    if run is None:
        raise NotFound
    if run.method != "bank" or run.state != "approved":
        raise Conflict("Only an approved run that goes by bank can be marked as paid.", code="not_waiting_for_bank")
    at = clock.now()
    for payout in payouts_of(session, run):
        ledger.post(
            session,
            source=source_of(payout),
            kind="payout_sent",
            currency=payout.currency,
            occurred_at=at,
            legs=[
                Leg(payout_clearing(payout.currency), payout.amount_minor),
                Leg(AccountRef("bank", payout.currency), -payout.amount_minor),
            ],
        )
        payout.state, payout.sent_at = "sent", at
    session.flush()
    settle_run(session, run.id)
    return run


def _net_debt(session: Session, payout: Payout, owed: int, at: datetime) -> None:
    ledger.post(
        session,
        source=source_of(payout),
        kind="receivable_netted",
        currency=payout.currency,
        occurred_at=at,
        legs=[
            Leg(ledger.creator_payable(payout.currency, payout.creator_id), owed),
            Leg(ledger.creator_receivable(payout.currency, payout.creator_id), -owed),
        ],
    )


def source_of(payout: Payout) -> str:
    """What the ledger calls a payout."""
    return f"payout:{payout.id}"


def payouts_of(session: Session, run: PayoutRun) -> Sequence[Payout]:
    return session.scalars(select(Payout).where(Payout.run_id == run.id).order_by(Payout.id)).all()


def settle_run(session: Session, run_id: uuid.UUID) -> None:
    """Say how far a run is, after one of its payouts moved on: running, done, or failed when every one failed."""
    run = session.get(PayoutRun, run_id, with_for_update=True, populate_existing=True)
    if run is None or run.approved_by is None:
        return
    states = {payout.state for payout in payouts_of(session, run)}
    if "draft" in states:
        run.state = "running"
    else:
        run.state = "failed" if states == {"failed"} else "done"
