"""Ballots prepared for counting: checked, equal ones put on one pile, options as numbers, weights as whole numbers.

All weights of a count share one denominator, so everything inside is exact integer arithmetic; `exact` turns a sum back
into the fraction it stands for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import chain
from typing import Any

from creator_hub.voting.tally.model import Ballot, Weight

TOP_SCORE = 5
FIELDS = ("ranking", "approved", "scores", "choice")


class Piles:
    """`items`: what was put on the ballots → whole weight. Its keys are, by kind: a choice's number; a frozenset of
    numbers; a frozenset of (number, score); a tuple of ranks, each a tuple of numbers."""

    def __init__(self, options: Sequence[str], ballots: Sequence[Ballot], kind: str, *, strict: bool) -> None:
        self.options = tuple(options)
        self.scale = _common_denominator(ballots)
        number = {option: n for n, option in enumerate(options)}
        read = READERS[kind]
        self.items: dict[Any, int] = {}
        for ballot in ballots:
            given = getattr(ballot, kind)
            if given is None or sum(getattr(ballot, each) is not None for each in FIELDS) != 1:
                raise ValueError(f"this method counts ballots with {kind}, and nothing beside it")
            try:
                key = read(given, number)
            except KeyError as error:
                raise ValueError(f"unknown option {error.args[0]!r}") from None
            self.items[key] = self.items.get(key, 0) + _whole(ballot.weight, self.scale)
        if strict and any(len(rank) != 1 for key in self.items for rank in key):
            raise ValueError("this method knows no equal ranks")
        self.total = sum(self.items.values())

    @property
    def is_empty(self) -> bool:
        return not self.items

    def exact(self, whole: int | Fraction) -> Fraction:
        return Fraction(whole) / self.scale

    def by_name(self, wholes: Iterable[int | Fraction]) -> dict[str, Fraction]:
        """One number per option, in their order, as exact totals by name."""
        return {option: self.exact(whole) for option, whole in zip(self.options, wholes, strict=True)}


def _common_denominator(ballots: Iterable[Ballot]) -> int:
    weights = {ballot.weight for ballot in ballots}
    for weight in weights:
        if isinstance(weight, bool) or not isinstance(weight, int | Fraction) or weight <= 0:
            raise ValueError(f"a weight is a positive int or Fraction, not {weight!r}")
    return math.lcm(*(weight.denominator for weight in weights))


def _whole(weight: Weight, scale: int) -> int:
    return weight.numerator * (scale // weight.denominator)


def _choice(given: str, number: Mapping[str, int]) -> int:
    return number[given]


def _approved(given: Any, number: Mapping[str, int]) -> frozenset[int]:
    if isinstance(given, str):
        raise ValueError("approved is a collection of options")
    found = frozenset(number[option] for option in given)
    if len(found) != len(given):
        raise ValueError("approve each option once")
    return found


def _scores(given: Mapping[str, Weight], number: Mapping[str, int]) -> frozenset[tuple[int, Weight]]:
    for score in given.values():
        if isinstance(score, bool) or not isinstance(score, int | Fraction) or not 0 <= score <= TOP_SCORE:
            raise ValueError(f"a score is an exact number from 0 to {TOP_SCORE}, not {score!r}")
    return frozenset((number[option], score) for option, score in given.items())


def _ranking(given: Any, number: Mapping[str, int]) -> tuple[tuple[int, ...], ...]:
    if any(isinstance(rank, str) for rank in given):
        raise ValueError("a ranking is a tuple of tuples of options")
    key = tuple(
        tuple(sorted([number[option] for option in rank])) if len(rank) > 1 else (number[rank[0]],)
        for rank in given
        if rank
    )
    flat = list(chain.from_iterable(key))
    if len(set(flat)) != len(flat):
        raise ValueError("rank each option once")
    return key


READERS: Mapping[str, Callable[[Any, Mapping[str, int]], Any]] = {
    "choice": _choice,
    "approved": _approved,
    "scores": _scores,
    "ranking": _ranking,
}
