"""What the database itself refuses, whatever the program does; and what `post` promises."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from creator_hub.accounts.models import User
from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from creator_hub.core.money import round_half_up
from creator_hub.money import ledger
from creator_hub.money.allocation import split
from creator_hub.money.ledger import Leg
from creator_hub.money.ledger_models import LedgerPeriod
from creator_hub.money.splits import Split, split_payment, split_refund
from tests.support.world import a_person

USD = "USD"


def a_payment(session: Session, mei: User, source: str = "in_1") -> ledger.LedgerTransaction:
    """12.00 with 20 % tax and a 10 % fee: the example of the ledger's documentation."""
    return ledger.post(
        session,
        source=source,
        kind="payment",
        currency=USD,
        occurred_at=clock.now(),
        legs=[
            Leg(ledger.processor(USD), 1200),
            Leg(ledger.tax_payable(USD, "DE"), -200),
            Leg(ledger.platform_fee(USD), -100),
            Leg(ledger.creator_payable(USD, mei.id), -900),
        ],
    )


def test_a_payment_is_posted_once_however_often_it_is_told(database: str) -> None:
    with unit_of_work() as session:
        mei = a_person(session, "mei")
        first = a_payment(session, mei)
    with unit_of_work() as session:
        assert a_payment(session, mei).id == first.id
        assert ledger.balance(session, ledger.creator_payable(USD, mei.id)) == -900
        assert ledger.check(session) == []


@pytest.mark.parametrize(
    ("statement", "law"),
    [
        ("UPDATE postings SET amount_minor = 1", "append-only"),
        ("DELETE FROM postings", "append-only"),
        ("TRUNCATE postings", "append-only"),
        ("UPDATE ledger_transactions SET memo = 'x'", "append-only"),
        ("DELETE FROM ledger_transactions", "append-only"),
        ("DELETE FROM ledger_accounts", "append-only"),
        (
            "INSERT INTO postings SELECT transaction_id, 9, account_id, currency, 1 FROM postings LIMIT 1",
            "added to a ledger transaction later",
        ),
        (
            "INSERT INTO ledger_transactions (id, source, kind, currency, occurred_at, recorded_at, memo) "
            "VALUES (gen_random_uuid(), 'x', 'empty', 'USD', now(), now(), '')",
            "0 legs",
        ),
        (
            "INSERT INTO ledger_transactions (id, source, kind, currency, occurred_at, recorded_at, memo) "
            "VALUES (gen_random_uuid(), 'in_1', 'payment', 'USD', now(), now(), '')",
            "uq_ledger_transactions_source_kind",
        ),
    ],
)
def test_the_database_refuses(database: str, statement: str, law: str) -> None:
    with unit_of_work() as session:
        a_payment(session, a_person(session, "mei"))
    with pytest.raises(DBAPIError, match=law), unit_of_work() as session:
        session.execute(text(statement))


def test_an_unbalanced_transaction_never_commits(database: str) -> None:
    legs = [Leg(ledger.processor(USD), 1200), Leg(ledger.platform_fee(USD), -1199)]
    with pytest.raises(DBAPIError, match="2 legs that sum to 1"), unit_of_work() as session:
        ledger.post(session, source="in_2", kind="payment", currency=USD, occurred_at=clock.now(), legs=legs)


def test_a_leg_of_another_currency_is_refused(database: str) -> None:
    legs = [Leg(ledger.processor(USD), 1200), Leg(ledger.platform_fee("EUR"), -1200)]
    with pytest.raises(DBAPIError, match="violates foreign key"), unit_of_work() as session:
        ledger.post(session, source="in_3", kind="payment", currency=USD, occurred_at=clock.now(), legs=legs)


def test_nothing_is_posted_into_a_closed_month(database: str) -> None:
    at = clock.now()
    with unit_of_work() as session:
        fay = a_person(session, "fay", roles=["finance"])
        session.add(LedgerPeriod(month=date(at.year, at.month, 1), closed_at=at, closed_by=fay.id))
    with pytest.raises(DBAPIError, match="is closed"), unit_of_work() as session:
        a_payment(session, a_person(session, "mei"))


@given(gross=st.integers(1, 10**9), tax=st.integers(0, 3000), fee=st.integers(0, 5000))
def test_a_split_gives_out_every_cent_once(gross: int, tax: int, fee: int) -> None:
    split = split_payment(gross, tax_bps=tax, fee_bps=fee)
    assert split.gross == gross
    assert min(split.tax, split.fee, split.creator) >= 0


def test_the_documented_example_comes_out() -> None:
    assert split_payment(1200, tax_bps=2000, fee_bps=1000) == Split(tax=200, fee=100, creator=900)


@given(gross=st.integers(1, 10**6), cuts=st.lists(st.integers(1, 10**6), max_size=8))
def test_refunds_in_any_pieces_never_drift_from_the_payment(gross: int, cuts: list[int]) -> None:
    paid = split_payment(gross, tax_bps=1900, fee_bps=1000)
    pieces = split(gross, [*cuts, 1])
    before, parts = 0, Split(0, 0, 0)
    for piece in pieces:
        part = split_refund(paid, refunded_before=before, refund=piece)
        assert part.gross == piece
        before += piece
        parts = Split(parts.tax + part.tax, parts.fee + part.fee, parts.creator + part.creator)
    assert parts == paid


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**6))
def test_rounding_is_symmetric_and_within_half(numerator: int, denominator: int) -> None:
    rounded = round_half_up(numerator, denominator)
    assert abs(2 * (rounded * denominator - numerator)) <= denominator
    assert round_half_up(-numerator, denominator) == -rounded
