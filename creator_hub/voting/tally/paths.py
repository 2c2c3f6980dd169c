"""Schulze: every pair of options is compared, and the strongest chain of victories decides.

Strength is winning votes; options left out of a ranking come last together. Schulze, "A new monotonic,
clone-independent, reversal symmetric, and Condorcet-consistent single-winner election method", 2011.
"""

from __future__ import annotations

from fractions import Fraction

from creator_hub.voting.tally.model import Result
from creator_hub.voting.tally.piles import Piles
from creator_hub.voting.tally.ties import Draw


def schulze(piles: Piles, draw: Draw, seats: int) -> Result:
    """The Schulze relation is transitive, so the number of options that each one beats sorts them by it."""
    prefer = pairwise(piles)
    path = strongest_paths(prefer)
    numbers = range(len(piles.options))
    beaten = {piles.options[a]: Fraction(sum(path[a][b] > path[b][a] for b in numbers)) for a in numbers}
    order = draw.rank(beaten, piles.options, cut=0 if piles.is_empty else seats)
    matrix = {
        a: {b: piles.exact(prefer[m][n]) for n, b in enumerate(piles.options) if m != n}
        for m, a in enumerate(piles.options)
    }
    winners = () if piles.is_empty else tuple(order[:seats])
    return Result(winners, tuple(order), beaten, (), matrix, Fraction(0), draw.made)


def pairwise(piles: Piles) -> list[list[int]]:
    """prefer[a][b]: the whole weight of the ballots that rank a above b.

    One long integer per option holds its row, a lane of bits for each opponent, so that a ballot adds a whole row at
    once. A lane is wide enough for the total weight: no sum runs over into the next.
    """
    size, lane = len(piles.options), piles.total.bit_length() + 1
    units = [1 << lane * n for n in range(size)]
    everybody = sum(units)
    by_weight: dict[int, list[int]] = {}
    for ranking, weight in piles.items.items():
        rows = by_weight.get(weight)
        if rows is None:
            rows = by_weight[weight] = [0] * size
        below = everybody
        for rank in ranking:
            for option in rank:
                below -= units[option]
            for option in rank:
                rows[option] += below
    mask = (1 << lane) - 1
    summed = [sum(weight * rows[a] for weight, rows in by_weight.items()) for a in range(size)]
    return [[(row >> lane * b) & mask for b in range(size)] for row in summed]


def strongest_paths(prefer: list[list[int]]) -> list[list[int]]:
    """The widest path between each two options (Floyd–Warshall), over victories only."""
    numbers = range(len(prefer))
    path = [[prefer[a][b] if prefer[a][b] > prefer[b][a] else 0 for b in numbers] for a in numbers]
    for middle in numbers:
        through = path[middle]
        for a in numbers:
            if a != middle and (reach := path[a][middle]):
                row = path[a]
                path[a] = [max(row[b], min(reach, through[b])) if b != a else 0 for b in numbers]
    return path
