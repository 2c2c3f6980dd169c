"""Dividing money: nothing is lost, nothing invented, and the same division comes out every time."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creator_hub.money.allocation import reversal, split

AMOUNTS = st.integers(-(10**12), 10**12)
WEIGHTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any)


@given(AMOUNTS, WEIGHTS)
def test_the_parts_sum_to_the_amount_and_none_is_a_unit_off_its_due(amount: int, weights: list[int]) -> None:
    parts = split(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(amount * weight, sum(weights))) < 1
        assert part == 0 or (part > 0) == (amount > 0)
        assert weight or part == 0


@given(AMOUNTS, WEIGHTS)
def test_giving_and_taking_back_are_the_same_division(amount: int, weights: list[int]) -> None:
    assert split(-amount, weights) == [-part for part in split(amount, weights)]


@given(st.integers(0, 10**6), st.integers(1, 40))
def test_among_equals_the_earlier_ones_get_the_odd_units(amount: int, people: int) -> None:
    parts = split(amount, [1] * people)
    assert parts == sorted(parts, reverse=True)
    assert parts[0] - parts[-1] <= 1


def test_examples_anyone_can_check_by_hand() -> None:
    assert split(100, [1, 1, 1]) == [34, 33, 33]
    assert split(10_800, [1] * 12) == [900] * 12
    assert split(5, [0, 3, 0, 7]) == [0, 2, 0, 3]  # 1.5 and 3.5: the odd unit goes to the earlier part
    assert split(0, [1, 2]) == [0, 0]


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [1, -1], [-1, -2]])
def test_weights_that_say_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        split(100, weights)


@pytest.mark.parametrize(("amount", "weights"), [(1.5, [1]), (True, [1]), ("100", [1]), (100, [0.5]), (100, [True])])
def test_what_is_no_whole_number_is_refused(amount: int, weights: list[int]) -> None:
    with pytest.raises(TypeError):
        split(amount, weights)


@given(st.data())
def test_refunds_in_any_pieces_reverse_the_fee_exactly_and_never_too_much(data: st.DataObject) -> None:
    gross = data.draw(st.integers(1, 10**9))
    fee = data.draw(st.integers(0, gross))
    totals = sorted({*data.draw(st.lists(st.integers(0, gross), max_size=8)), gross})
    reversed_so_far = 0
    for before, total in pairwise([0, *totals]):
        step = reversal(fee, gross, total, reversed_so_far)
        assert step >= 0
        assert total > before or step == 0
        reversed_so_far += step
        assert abs(reversed_so_far - Fraction(fee * total, gross)) <= Fraction(1, 2)
    assert reversed_so_far == fee


def test_a_refund_that_came_back_gives_its_share_again() -> None:
    assert reversal(100, 1200, 600, 0) == 50
    assert reversal(100, 1200, 0, 50) == -50


@pytest.mark.parametrize(
    "numbers",
    [
        (100, 0, 0, 0),
        (100, -5, 0, 0),
        (-1, 100, 0, 0),
        (101, 100, 0, 0),
        (10, 100, 101, 0),
        (10, 100, -1, 0),
        (10, 100, 50, 11),
        (10, 100, 50, -1),
    ],
)
def test_impossible_refunds_are_refused(numbers: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError):
        reversal(*numbers)


def test_a_reversal_counts_whole_units_only() -> None:
    with pytest.raises(TypeError):
        reversal(10.0, 100, 50, 0)  # type: ignore[arg-type]
