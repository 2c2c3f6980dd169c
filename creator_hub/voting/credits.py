"""What each contributor of a season earned of its canon, as exact fractions.

Every canon episode is worth the same. Its worth is shared by its author and the authors of the season's episodes before
it: an episode k steps back counts decay^k against 1 for the episode itself. With decay 0 an author has their own
episodes alone; with decay 1 whoever came before earns as much of each later one as its author.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TypeVar

from creator_hub.core.money import split

Author = TypeVar("Author")


def shares(authors: Sequence[Author], decay: Fraction) -> dict[Author, Fraction]:
    """`authors` of the canon in reading order → each one's share; the shares sum to 1 (of no episode: empty)."""
    if not 0 <= decay <= 1:
        raise ValueError("decay is from 0 to 1")
    found: dict[Author, Fraction] = {}
    for n in range(len(authors)):
        worth = [decay ** (n - k) for k in range(n + 1)]
        whole = sum(worth, Fraction(0))
        for k, part in enumerate(worth):
            found[authors[k]] = found.get(authors[k], Fraction(0)) + part / whole / len(authors)
    return found


def pool_of(revenue_minor: int, share_bps: int) -> int:
    """What of a season's revenue its contributors share, minor units, rounded down; never less than nothing."""
    return max(0, revenue_minor) * share_bps // 10_000


def amounts(pool_minor: int, of: Mapping[Author, Fraction]) -> dict[Author, int]:
    """The pool in whole minor units, by largest remainder: they sum to it exactly."""
    if not of:
        return {}
    scale = math.lcm(*(share.denominator for share in of.values()))
    parts = split(pool_minor, [share.numerator * (scale // share.denominator) for share in of.values()])
    return dict(zip(of, parts, strict=True))
