"""A yearly payment is earned as the service is given, and what is given back comes out of the future first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from creator_hub import settings
from creator_hub.core import clock
from creator_hub.core.access import Actor
from creator_hub.core.db import unit_of_work
from creator_hub.core.errors import Conflict
from creator_hub.money import adjustments, ledger, names, payouts, periods, recognition
from creator_hub.money.anchors import FULL_MONTH, month_weights, months_after
from creator_hub.money.billing_models import Payment
from creator_hub.money.ledger_models import LedgerTransaction
from creator_hub.settings import Settings
from tests.support.books import Books, balances, line, open_books
from tests.support.subscribers import let_pass


@pytest.fixture
def books(database: str, tmp_path: Path) -> Books:
    """Prices include 20 % tax, the platform keeps 10 %, payments are held for seven days."""
    environment = {"DATABASE_URL": database, "HUB_DATA_DIR": str(tmp_path), "HUB_TAX_BPS": "2000"}
    settings.use(Settings.from_env(environment))
    return open_books()


def the_payment() -> Payment:
    with unit_of_work() as session:
        return session.scalars(select(Payment).order_by(Payment.id.desc())).first()  # type: ignore[return-value]


def earn() -> int:
    with unit_of_work() as session:
        return recognition.earn_due(session)


def the_due(books: Books) -> payouts.Due:
    with unit_of_work() as session:
        (found,) = payouts.due(session, creator_id=books.mei.id)
    return found


def test_months_are_counted_from_the_anchor_day() -> None:
    anchor = datetime(2027, 10, 31, 12, tzinfo=UTC)
    assert [months_after(anchor, n).day for n in range(6)] == [31, 30, 31, 31, 29, 31]
    assert month_weights(anchor, months_after(anchor, 12)) == [FULL_MONTH] * 12
    assert month_weights(anchor, months_after(anchor, 1) + timedelta(days=15, hours=12)) == [
        FULL_MONTH,
        FULL_MONTH // 2,
    ]


def test_tax_is_due_at_once_and_the_rest_month_by_month(books: Books) -> None:
    ana = books.fans[0]
    books.pay(ana, books.yearly, 12_000, fee=378)
    assert balances() == {
        "deferred_revenue": -10_000,
        "processor": 12_000 - 378,
        "processor_fee": 378,
        "tax_payable": -2000,
    }
    assert earn() == 0
    let_pass(31)
    assert (earn(), earn()) == (1, 0)
    after_one = balances()
    assert (after_one["platform_fee"], after_one["creator_payable"]) == (-84, -750)
    assert after_one["deferred_revenue"] == -10_000 + 834
    let_pass(340)
    earn()
    assert "deferred_revenue" not in balances()
    assert (balances()["platform_fee"], balances()["creator_payable"]) == (-1000, -9000)


def test_the_share_can_be_payable_at_once(books: Books, database: str, tmp_path: Path) -> None:
    settings.use(
        Settings.from_env({"DATABASE_URL": database, "HUB_DATA_DIR": str(tmp_path), "HUB_YEARLY_SHARE": "at_once"})
    )
    books.pay(books.fans[0], books.yearly, 12_000)
    assert (balances()["creator_payable"], balances()["deferred_revenue"]) == (-10_800, -1200)


def test_a_refund_takes_what_is_not_earned_yet_first(books: Books) -> None:
    books.pay(books.fans[0], books.yearly, 12_000)
    let_pass(31)
    earn()
    books.refund(the_payment().id, 6000)
    found = balances()
    assert (found["creator_payable"], found["platform_fee"]) == (-750, -84)  # nothing of the month that was given
    assert found["deferred_revenue"] == -(10_000 - 834 - 5000)
    assert found["tax_payable"] == -1000
    let_pass(340)
    earn()
    assert (balances()["creator_payable"], balances()["platform_fee"]) == (-4500, -500)


def test_a_whole_refund_after_some_months_is_owed_by_whoever_had_the_money(books: Books) -> None:
    books.pay(books.fans[0], books.yearly, 12_000)
    let_pass(62)
    earn()
    books.refund(the_payment().id, None)
    assert balances() == {}
    let_pass(340)
    assert earn() == 0


def test_a_refund_that_the_bank_sends_back_is_earned_again(books: Books) -> None:
    books.pay(books.fans[0], books.yearly, 12_000)
    let_pass(31)
    earn()
    payment = the_payment()
    refund = books.refund(payment.id, 6000)
    books.refund_fails(payment.id, refund, 6000)
    assert (balances()["deferred_revenue"], balances()["tax_payable"]) == (-(10_000 - 834), -2000)
    let_pass(340)
    earn()
    assert (balances()["creator_payable"], balances()["platform_fee"]) == (-9000, -1000)


def test_an_upgrade_takes_back_the_old_time_and_credits_the_new(books: Books) -> None:
    ana = books.fans[0]
    books.pay(ana, books.monthly, 1200)
    at = books.now()
    lines = [line(-600, at, months_after(at, 1), proration=True), line(12_000, at, months_after(at, 12))]
    books.bill(ana, books.yearly, lines)
    found = balances()
    assert found["processor"] == 1200 + 11_400
    assert found["tax_payable"] == -200 - 1900
    assert (found["creator_payable"], found["platform_fee"]) == (-900 + 450, -100 + 50)
    assert found["deferred_revenue"] == -10_000


def test_unused_time_that_is_worth_more_than_the_new_becomes_credit_and_is_spent_later(books: Books) -> None:
    ana = books.fans[0]
    books.pay(ana, books.yearly, 12_000)
    at = books.now()
    lines = [line(-12_000, at, months_after(at, 12), proration=True), line(1200, at, months_after(at, 1))]
    books.bill(ana, books.monthly, lines)
    assert balances()["fan_credit"] == -10_800
    books.pay(ana, books.monthly, 1200, credit=1200)
    found = balances()
    assert found["fan_credit"] == -9600
    assert found["processor"] == 12_000  # nothing more was charged
    with pytest.raises(Conflict, match="given back"):
        books.refund(the_payment().id, None)  # credit does not go back to a card


def test_a_discount_lowers_what_is_shared(books: Books) -> None:
    books.pay(books.fans[0], books.monthly, 1200, discount=600)
    assert balances() == {"creator_payable": -450, "platform_fee": -50, "processor": 600, "tax_payable": -100}


def test_a_refund_of_held_money_is_not_taken_off_twice(books: Books) -> None:
    books.pay(books.fans[0], books.monthly, 1200)
    let_pass(10)
    books.pay(books.fans[1], books.monthly, 1200)
    assert (the_due(books).payable, the_due(books).held, the_due(books).available) == (1800, 900, 900)
    books.refund(the_payment().id, None)
    assert (the_due(books).payable, the_due(books).held, the_due(books).available) == (900, 0, 900)


def test_a_reserve_stays_back_from_older_money(books: Books, database: str, tmp_path: Path) -> None:
    environment = {"DATABASE_URL": database, "HUB_DATA_DIR": str(tmp_path), "HUB_PAYOUT_RESERVE_BPS": "1000"}
    settings.use(Settings.from_env(environment))
    books.pay(books.fans[0], books.monthly, 1000)
    let_pass(10)
    due = the_due(books)
    assert (due.payable, due.held, due.reserved, due.available) == (900, 0, 90, 810)
    let_pass(85)
    assert the_due(books).available == 900


def test_closing_a_month_posts_what_was_earned_in_it_and_late_news_goes_into_the_open_one(books: Books) -> None:
    books.pay(books.fans[0], books.yearly, 12_000)
    paid_at = the_payment().paid_at
    let_pass(65)
    fay = Actor(user_id=books.fay.id, roles=frozenset({"finance"}))
    with unit_of_work() as session:
        for n in range(2):
            periods.close(session, fay, f"{months_after(paid_at.replace(day=1), n):%Y-%m}")
    with unit_of_work() as session:
        earned = session.scalars(select(LedgerTransaction).where(LedgerTransaction.kind == "earned")).all()
        assert [entry.occurred_at for entry in earned] == [months_after(paid_at, 1)]
        late = ledger.post(
            session,
            source="in_late",
            kind="payment",
            currency="USD",
            occurred_at=paid_at,
            legs=[ledger.Leg(ledger.processor("USD"), 5), ledger.Leg(ledger.platform_fee("USD"), -5)],
        )
        assert late.occurred_at > paid_at + timedelta(days=60)
        assert "occurred" in late.memo
    assert balances()["deferred_revenue"] == -10_000 + 834


def test_a_correction_is_a_reversing_entry_that_two_people_make_once(books: Books) -> None:
    books.pay(books.fans[0], books.monthly, 1200)
    fay, finn = (Actor(user_id=who.id, roles=frozenset({"finance"})) for who in (books.fay, books.finn))
    with unit_of_work() as session:
        entry = session.scalars(select(LedgerTransaction)).one()
        asked = adjustments.propose(session, fay, entry.id, "Posted for the wrong creator")
    with pytest.raises(Conflict, match="reversed already"), unit_of_work() as session:
        adjustments.propose(session, finn, entry.id, "again")
    with pytest.raises(Conflict, match="cannot approve") as refused, unit_of_work() as session:
        adjustments.approve(session, fay, asked.id)
    assert refused.value.code == "same_person"
    with unit_of_work() as session:
        adjustments.approve(session, finn, asked.id)
    assert balances() == {}
    with unit_of_work() as session:
        reversal = session.scalars(select(LedgerTransaction).where(LedgerTransaction.kind == "reversal")).one()
        assert (reversal.memo, reversal.payment_id) == ("Posted for the wrong creator", entry.payment_id)
    with pytest.raises(Conflict, match="not reversed again"), unit_of_work() as session:
        adjustments.propose(session, fay, reversal.id, "undo")


def test_the_database_keeps_what_everybody_was_called_and_when(books: Books) -> None:
    with unit_of_work() as session:
        before = clock.now()
    let_pass(1)
    with unit_of_work() as session:
        user = session.get_one(type(books.mei), books.mei.id)
        user.handle = "mei_ling"
    known = names.Names()
    with unit_of_work() as session:
        known.read(session, [books.mei.id, None])
        after = clock.now()
    assert (known.at(books.mei.id, before), known.at(books.mei.id, after)) == ("mei", "mei_ling")
    assert known.at(books.mei.id, datetime(1980, 1, 1, tzinfo=UTC)) == "mei"
    assert known.at(None, after) == ""
