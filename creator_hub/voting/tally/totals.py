"""Methods that add up: plurality, approval, score, and STAR with its runoff."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from creator_hub.voting.tally.model import Result, Round
from creator_hub.voting.tally.piles import Piles
from creator_hub.voting.tally.ties import Draw


def plurality(piles: Piles, draw: Draw, seats: int) -> Result:
    """The option chosen most."""
    sums = [0] * len(piles.options)
    for chosen, weight in piles.items.items():
        sums[chosen] += weight
    return _by_totals(piles, draw, piles.by_name(sums), seats)


def approval(piles: Piles, draw: Draw, seats: int) -> Result:
    """The options approved most."""
    sums = [0] * len(piles.options)
    for approved, weight in piles.items.items():
        for option in approved:
            sums[option] += weight
    return _by_totals(piles, draw, piles.by_name(sums), seats)


def score(piles: Piles, draw: Draw, seats: int) -> Result:
    """The highest sum of scores; an option that a ballot leaves out scores 0 there."""
    return _by_totals(piles, draw, _scores(piles), seats)


def star(piles: Piles, draw: Draw, seats: int) -> Result:
    """Score, then automatic runoff: of the two highest scores, the one preferred on more ballots wins. An even runoff
    falls to the higher score, for that is the previous round. https://www.starvoting.org/star"""
    totals = _scores(piles)
    order = draw.rank(totals, piles.options, cut=2)
    if len(order) == 1 or piles.is_empty:
        return _result(piles, draw, totals, order, seats)
    finalists = order[:2]
    runoff, undecided = _runoff(piles, *finalists)
    finalists = draw.rank(runoff, finalists, cut=1, history=[totals])
    rounds = (Round(totals), Round(runoff, elected=(finalists[0],), exhausted=undecided))
    return _result(piles, draw, totals, finalists + order[2:], seats, rounds, undecided)


def _runoff(piles: Piles, first: str, second: str) -> tuple[dict[str, Fraction], Fraction]:
    """How much weight prefers each of two options, and how much neither."""
    one, other = piles.options.index(first), piles.options.index(second)
    for_one = for_other = 0
    for given, weight in piles.items.items():
        scores = dict(given)
        lead = scores.get(one, 0) - scores.get(other, 0)
        for_one += weight if lead > 0 else 0
        for_other += weight if lead < 0 else 0
    undecided = piles.exact(piles.total - for_one - for_other)
    return {first: piles.exact(for_one), second: piles.exact(for_other)}, undecided


def _scores(piles: Piles) -> dict[str, Fraction]:
    sums: list[int | Fraction] = [0] * len(piles.options)
    for given, weight in piles.items.items():
        for option, points in given:
            sums[option] += weight * points
    return piles.by_name(sums)


def _by_totals(piles: Piles, draw: Draw, totals: Mapping[str, Fraction], seats: int) -> Result:
    order = draw.rank(totals, piles.options, cut=0 if piles.is_empty else seats)
    return _result(piles, draw, totals, order, seats)


def _result(
    piles: Piles,
    draw: Draw,
    totals: Mapping[str, Fraction],
    order: list[str],
    seats: int,
    rounds: tuple[Round, ...] = (),
    exhausted: Fraction = Fraction(0),
) -> Result:
    if piles.is_empty:
        return Result((), tuple(order), totals)
    return Result(tuple(order[:seats]), tuple(order), totals, rounds, None, exhausted, draw.made)
