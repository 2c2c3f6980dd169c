"""Counting methods: pure functions over exact numbers, no database.

`count("schulze", ("a", "b"), [Ballot(ranking=(("a",), ("b",)))])` gives a `Result`: winners, the full order, and every
round or matrix that is needed to explain them. What each method does is written for voters in docs/votes.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from creator_hub.voting.tally.model import Ballot, Result, Round, TieBreak
from creator_hub.voting.tally.paths import schulze
from creator_hub.voting.tally.piles import Piles
from creator_hub.voting.tally.ties import Draw
from creator_hub.voting.tally.totals import approval, plurality, score, star
from creator_hub.voting.tally.transfers import irv, stv

__all__ = [
    "CHOOSING",
    "KINDS",
    "METHODS",
    "ONE_WINNER",
    "SCORING",
    "STRICT",
    "Ballot",
    "Result",
    "Round",
    "TieBreak",
    "count",
]

METHODS: Mapping[str, Callable[[Piles, Draw, int], Result]] = {
    "plurality": plurality,
    "approval": approval,
    "score": score,
    "star": star,
    "irv": irv,
    "schulze": schulze,
    "stv": stv,
}
# Which field of a ballot a method reads.
KINDS: Mapping[str, str] = {
    "plurality": "choice",
    "approval": "approved",
    "score": "scores",
    "star": "scores",
    "irv": "ranking",
    "schulze": "ranking",
    "stv": "ranking",
}
CHOOSING, SCORING = frozenset({"plurality", "approval"}), frozenset({"score", "star"})
ONE_WINNER = frozenset({"star", "irv"})
STRICT = frozenset({"irv", "stv"})  # no two options on one rank


def count(
    method: str, options: Sequence[str], ballots: Sequence[Ballot], *, seats: int = 1, tie_seed: str = ""
) -> Result:
    """Count `ballots` for `options` by one of `METHODS`; without a single ballot nobody wins.

    Raises ValueError for what cannot be counted: an unknown method or option, an option twice, a ballot of another
    kind, equal ranks where the method knows none, a weight that is not positive and exact, more seats than options.
    """
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}: one of {', '.join(METHODS)}")
    if not options or len(set(options)) != len(options):
        raise ValueError("give each option once, and at least one")
    if not 1 <= seats <= (1 if method in ONE_WINNER else len(options)):
        raise ValueError(f"{method} cannot fill {seats} seats from {len(options)} options")
    piles = Piles(options, ballots, KINDS[method], strict=method in STRICT)
    return METHODS[method](piles, Draw(tie_seed), seats)
