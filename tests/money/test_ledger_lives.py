"""Random lives of a creator's money against a model, with every standing invariant after each step.

The short form runs with the other tests; `make faults` runs 100,000 operations (HUB_LEDGER_OPERATIONS).
"""

from __future__ import annotations

import os
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as how
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select, text

from creator_hub import settings
from creator_hub.core import clock
from creator_hub.core.access import Actor
from creator_hub.core.db import unit_of_work
from creator_hub.core.errors import Conflict
from creator_hub.core.money import round_half_up
from creator_hub.money import adjustments, ledger, payout_events, payout_transfers, payouts, periods, recognition
from creator_hub.money.anchors import months_after
from creator_hub.money.billing_models import Payment, Subscription
from creator_hub.money.ledger_models import LedgerAccount, LedgerTransaction, Posting
from creator_hub.money.payout_models import Payout
from creator_hub.settings import Settings
from tests.support.books import USD, Books, line, open_books, seconds, stripe_id

OPERATIONS = int(os.environ.get("HUB_LEDGER_OPERATIONS", "200"))
STEPS = 25 if OPERATIONS <= 1000 else 100
TAX, FEE = 2000, 1000  # basis points: tax inside the price, the platform's fee of what is left
FORGET = (
    "ledger_adjustments, postings, ledger_transactions, ledger_accounts, ledger_periods, refunds, payments, declines, "
    "subscriptions, checkouts, payouts, payout_runs, entitlements, memberships, outbox, clock_offset"
)
AMOUNTS = st.integers(1, 20_000)
PARTS = st.integers(1, 99)  # per cent


@dataclass
class Paid:
    """What the model remembers of a payment: all else follows from these numbers."""

    gross: int
    credit: int = 0
    refunded: int = 0
    refunds: list[tuple[str, int]] = field(default_factory=list)
    dispute: str | None = None
    dispute_row: dict[str, Any] | None = None
    disputed: int = 0

    @property
    def left(self) -> int:
        return max(0, self.gross - self.credit - self.refunded - self.disputed)

    def shares(self) -> tuple[int, int, int]:
        """Tax, fee and creator after everything that went back: the closed form, not the steps."""
        tax = round_half_up(self.gross * TAX, 10_000 + TAX)
        fee = round_half_up((self.gross - tax) * FEE, 10_000)
        tax -= round_half_up(tax * self.refunded, self.gross)
        fee -= round_half_up(fee * self.refunded, self.gross)
        return tax, fee, self.gross - self.refunded - tax - fee


class Lives(RuleBasedStateMachine):
    """Fans pay, upgrade, get money back, dispute; Mei is paid out; months are earned, corrected and closed."""

    books: Books

    @initialize()
    def begin(self) -> None:
        with unit_of_work() as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))
            session.execute(text(f"TRUNCATE {FORGET} CASCADE"))
        clock.reset()
        self.paid: dict[uuid.UUID, Paid] = {}
        self.moved: Counter[str] = Counter()  # what is not a payment's own share, by account kind
        self.sent: list[uuid.UUID] = []
        self.reversed: set[uuid.UUID] = set()

    # what fans do

    @rule(fan=st.integers(0, 2), yearly=st.booleans(), amount=AMOUNTS, fee=st.integers(0, 50), credit=PARTS)
    def pay(self, fan: int, yearly: bool, amount: int, fee: int, credit: int) -> None:
        who = self.books.fans[fan]
        spent = min(amount, self._credit_of(who.id) * credit // 100)
        tier = self.books.yearly if yearly else self.books.monthly
        invoice = self.books.pay(who, tier, amount, fee=fee if amount > spent else 0, credit=spent)
        self._remember(invoice, Paid(amount, credit=spent), fee if amount > spent else 0)

    @rule(fan=st.integers(0, 2), new=AMOUNTS, unused=PARTS)
    def upgrade(self, fan: int, new: int, unused: int) -> None:
        """Unused time of what was paid last goes back, a year begins; the difference is charged or becomes credit."""
        who = self.books.fans[fan]
        with unit_of_work() as session:
            last = session.scalars(
                select(Payment)
                .join(Subscription, Subscription.id == Payment.subscription_id)
                .where(Payment.user_id == who.id, Subscription.state != "ended")
                .order_by(Payment.period_start.desc(), Payment.id.desc())
                .limit(1)
            ).one_or_none()
        if last is None or self.paid[last.id].dispute or self.paid[last.id].gross == self.paid[last.id].refunded:
            return
        before, at = self.paid[last.id], self.books.now()
        old = max(1, (before.gross - before.refunded) * unused // 100)
        lines = [line(-old, at, months_after(at, 1), proration=True), line(new, at, months_after(at, 12))]
        invoice = self.books.bill(who, self.books.yearly, lines)
        before.refunded += old
        before.refunds.clear()  # what came before is settled: no bank sends it back any more
        self.moved["fan_credit"] -= old
        self._remember(invoice, Paid(new, credit=min(old, new)), 0)

    @precondition(lambda self: any(paid.left > 0 for paid in self.paid.values()))
    @rule(data=st.data(), whole=st.booleans(), part=PARTS)
    def refund(self, data: st.DataObject, whole: bool, part: int) -> None:
        payment_id, paid = self._choose(data, lambda paid: paid.left > 0 and paid.dispute is None)
        if paid is None:
            return
        amount = paid.left if whole else max(1, paid.left * part // 100)
        paid.refunds.append((self.books.refund(payment_id, amount), amount))
        paid.refunded += amount
        self.moved["processor"] -= amount

    @rule(data=st.data())
    def a_refund_fails(self, data: st.DataObject) -> None:
        payment_id, paid = self._choose(data, lambda paid: bool(paid.refunds) and paid.dispute is None)
        if paid is None:
            return
        refund_id, amount = paid.refunds.pop()
        self.books.refund_fails(payment_id, refund_id, amount)
        self.books.refund_fails(payment_id, refund_id, amount)  # told twice
        paid.refunded -= amount
        self.moved["processor"] += amount

    @rule(data=st.data())
    def a_bank_disputes(self, data: st.DataObject) -> None:
        payment_id, paid = self._choose(data, lambda paid: paid.left > 0 and paid.dispute is None)
        if paid is None:
            return
        paid.dispute, paid.disputed = stripe_id("dp"), paid.left
        paid.dispute_row = self.books.dispute_row(-paid.disputed, 1500)
        self._tell_dispute(payment_id, paid, "needs_response", paid.disputed, [paid.dispute_row])
        self.moved.update(processor=-paid.disputed - 1500, dispute_hold=paid.disputed, dispute_fee=1500)

    @rule(data=st.data(), won=st.booleans())
    def the_bank_decides(self, data: st.DataObject, won: bool) -> None:
        payment_id, paid = self._choose(data, lambda paid: paid.disputed > 0)
        if paid is None or paid.dispute_row is None:
            return
        amount, paid.disputed = paid.disputed, 0
        self.moved["dispute_hold"] -= amount
        if won:
            back = self.books.dispute_row(amount, 0)
            self._tell_dispute(payment_id, paid, "won", amount, [paid.dispute_row, back])
            self.moved["processor"] += amount
        else:
            for _ in range(2):
                self._tell_dispute(payment_id, paid, "lost", amount, [paid.dispute_row])
            paid.refunded += amount

    # what time and finance do

    @rule(days=st.integers(1, 70))
    def time_passes(self, days: int) -> None:
        with unit_of_work() as session:
            clock.advance(session, timedelta(days=days))
            recognition.earn_due(session)

    @rule(minimum=st.integers(0, 3000), refused=st.booleans())
    def finance_pays_mei(self, minimum: int, refused: bool) -> None:
        try:
            with unit_of_work() as session:
                run = payouts.open_run(session, self._fay, currency=USD, minimum_minor=minimum)
        except Conflict as nothing:
            assert nothing.code == "nothing_due"  # noqa: PT017
            return
        with unit_of_work() as session:
            (due,) = payouts.due(session, currency=USD)
            payouts.approve(session, self._finn, run.id)
            (payout,) = payouts.payouts_of(session, run)
            assert payout.amount_minor <= due.available
            assert due.available <= due.payable - due.held - due.owed
        if refused:
            payout_transfers.take_over_refusal(payout.id, "account closed")
            return
        transfer = {"id": stripe_id("tr"), "created": seconds(clock.now()), "destination_payment": stripe_id("py")}
        for _ in range(2):
            payout_transfers.take_over_transfer(payout.id, transfer)
        self.sent.append(payout.id)
        self.moved.update(processor=-payout.amount_minor, creator=payout.amount_minor)

    @precondition(lambda self: bool(self.sent))
    @rule(part=PARTS)
    def a_transfer_comes_back(self, part: int) -> None:
        with unit_of_work() as session:
            payout = session.get_one(Payout, self.sent.pop())
            amount = max(1, payout.amount_minor * part // 100)
            reversal = {"id": stripe_id("trr"), "amount": amount, "created": seconds(clock.now())}
            payout_transfers.take_over_reversals(session, str(payout.transfer_id), [reversal])
        self.moved.update(processor=amount, creator=-amount)

    @rule(amount=AMOUNTS, failed=st.booleans())
    def the_bank_is_paid(self, amount: int, failed: bool) -> None:
        told = {"id": stripe_id("po"), "amount": amount, "created": seconds(clock.now()), "currency": "usd"}
        with unit_of_work() as session:
            payout_events.post_bank_payout(session, {**told, "status": "failed" if failed else "paid"})
        if not failed:
            self.moved.update(processor=-amount, bank=amount)

    @rule()
    def two_people_correct_an_entry(self) -> None:
        with unit_of_work() as session:
            entry = session.scalars(
                select(LedgerTransaction)
                .where(LedgerTransaction.kind == "bank_payout", LedgerTransaction.id.not_in(self.reversed))
                .limit(1)
            ).one_or_none()
            if entry is None:
                return
            legs = adjustments.legs_of(session, entry)
            asked = adjustments.propose(session, self._fay, entry.id, "wrong account")
            adjustments.approve(session, self._finn, asked.id)
        self.reversed.add(entry.id)
        for leg in legs:
            self.moved[leg.account.kind] -= leg.amount

    @rule()
    def finance_closes_last_month(self) -> None:
        month = months_after(clock.now().replace(day=1), -1)
        try:
            with unit_of_work() as session:
                periods.close(session, self._fay, f"{month:%Y-%m}")
        except Conflict as refusal:
            assert refusal.code == "period_closed"  # noqa: PT017

    # what must always hold

    @invariant()
    def the_books_agree_with_the_model(self) -> None:
        with unit_of_work() as session:
            assert ledger.check(session) == []
            found: Counter[str] = Counter()
            for ref, amount in ledger.balances(session):
                found[ref.kind] += amount
            ahead = session.scalar(select(func.sum(Payment.unearned_fee_minor + Payment.unearned_creator_minor))) or 0
            fee_ahead = session.scalar(select(func.sum(Payment.unearned_fee_minor))) or 0
            replayed = dict(
                session.execute(
                    select(LedgerAccount.kind, func.sum(Posting.amount_minor))
                    .join(Posting, Posting.account_id == LedgerAccount.id)
                    .group_by(LedgerAccount.kind)
                ).all()
            )
        assert sum(found.values()) == 0
        assert replayed == dict(found)
        assert found["deferred_revenue"] == -ahead
        taxes, fees, creators = ([paid.shares()[i] for paid in self.paid.values()] for i in range(3))
        assert found["tax_payable"] == self.moved["tax"] - sum(taxes)
        assert found["platform_fee"] - fee_ahead == self.moved["fee"] - sum(fees)
        mine = found["creator_payable"] + found["creator_receivable"] + found["payout_clearing"] - (ahead - fee_ahead)
        assert mine == self.moved["creator"] - sum(creators)
        for kind in ("processor", "processor_fee", "bank", "dispute_hold", "dispute_fee", "fan_credit"):
            assert found[kind] == self.moved[kind], kind
        assert found["payout_clearing"] == 0
        assert found["bad_debt"] == 0

    @property
    def _fay(self) -> Actor:
        return Actor(user_id=self.books.fay.id, roles=frozenset({"finance"}))

    @property
    def _finn(self) -> Actor:
        return Actor(user_id=self.books.finn.id, roles=frozenset({"finance"}))

    def _remember(self, invoice: str, paid: Paid, fee: int) -> None:
        with unit_of_work() as session:
            payment_id = session.scalars(select(Payment.id).where(Payment.invoice_id == invoice)).one()
        self.paid[payment_id] = paid
        self.moved.update(processor=paid.gross - paid.credit - fee, processor_fee=fee, fan_credit=paid.credit)

    def _choose(self, data: st.DataObject, fit: Any) -> tuple[uuid.UUID, Paid | None]:
        fitting = [payment_id for payment_id, paid in self.paid.items() if fit(paid)]
        if not fitting:
            return uuid.UUID(int=0), None
        number = data.draw(st.integers(0, len(fitting) - 1))
        return fitting[number], self.paid[fitting[number]]

    def _credit_of(self, fan_id: uuid.UUID) -> int:
        with unit_of_work() as session:
            return -ledger.balance(session, ledger.fan_credit(USD, fan_id))

    def _tell_dispute(
        self, payment_id: uuid.UUID, paid: Paid, status: str, amount: int, rows: list[dict[str, Any]]
    ) -> None:
        with unit_of_work() as session:
            charge = str(session.get_one(Payment, payment_id).charge_id)
        self.books.dispute(charge, amount, status, rows, str(paid.dispute))


@pytest.mark.timeout(max(120, OPERATIONS // 10))
def test_no_life_of_the_money_breaks_the_books(database: str, tmp_path: Path) -> None:
    settings.use(Settings.from_env({"DATABASE_URL": database, "HUB_DATA_DIR": str(tmp_path), "HUB_TAX_BPS": str(TAX)}))
    Lives.books = open_books()
    run_state_machine_as_test(
        Lives,
        settings=how(
            max_examples=max(1, OPERATIONS // STEPS),
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
