"""What goes into a count and what comes out of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

Weight = int | Fraction
Ranking = tuple[tuple[str, ...], ...]
Totals = Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class Ballot:
    """One ballot, in the form its method reads, and how much it counts.

    `ranking` is a tuple of ranks, best first, each a tuple of options that are equal there; options left out come last
    together. `approved` is a set of options, `scores` maps options to 0–5 (left out: 0), `choice` is one option.
    """

    ranking: Ranking | None = None
    approved: Collection[str] | None = None
    scores: Mapping[str, Weight] | None = None
    choice: str | None = None
    weight: Weight = 1


@dataclass(frozen=True, slots=True)
class Round:
    """One step of a count. `totals` are those before the step; `exhausted` is the weight that by then found no option
    left to go to."""

    totals: Totals
    elected: tuple[str, ...] = ()
    eliminated: tuple[str, ...] = ()
    exhausted: Fraction = Fraction(0)

    def as_json(self) -> dict[str, Any]:
        return {
            "totals": as_text(self.totals),
            "eliminated": list(self.eliminated),
            "elected": list(self.elected),
            "exhausted": str(self.exhausted),
        }


@dataclass(frozen=True, slots=True)
class TieBreak:
    """A tie that decided something: who was tied, by which rule it was broken, and the order that gave, best first."""

    among: tuple[str, ...]
    rule: str
    order: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {"among": list(self.among), "rule": self.rule, "order": list(self.order)}


@dataclass(frozen=True, slots=True)
class Result:
    """`winners` are the first of `order`, as many as there are seats; `order` ranks every option. `totals` are what the
    method counts first: votes, scores, first places, or for Schulze the number of options each one beats.
    `matrix[a][b]` is the weight of the ballots that rank a above b. `exhausted` is the weight that decided nothing in
    the end."""

    winners: tuple[str, ...]
    order: tuple[str, ...]
    totals: Totals
    rounds: tuple[Round, ...] = ()
    matrix: Mapping[str, Totals] | None = None
    exhausted: Fraction = Fraction(0)
    tie_breaks: tuple[TieBreak, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """The wire's Tally, exact numbers as text."""
        shown: dict[str, Any] = {
            "totals": as_text(self.totals),
            "rounds": [each.as_json() for each in self.rounds],
            "exhausted": str(self.exhausted),
            "tie_breaks": [each.as_json() for each in self.tie_breaks],
        }
        if self.matrix is not None:
            shown["matrix"] = {a: as_text(row) for a, row in self.matrix.items()}
        return shown


def as_text(totals: Totals) -> dict[str, str]:
    return {option: str(total) for option, total in totals.items()}
