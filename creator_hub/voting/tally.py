"""Counting methods as pure functions over exact fractions.

A ballot is what the wire carries, with the weight it counts: `{"choices": [ids]}` (plurality, approval),
`{"scores": {id: 0–5}}` (score, star) or `{"ranking": [[ids], …]}` (irv, schulze, stv; ids in one inner list are equal,
ids left out come last together).

Ties are broken by a draw that anybody can repeat: the options in ascending order of SHA-256(`<vote id>:<option id>`),
the first wins and the last is eliminated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

Totals = dict[str, Fraction]
TIE_RULE = "sha256(vote_id:option_id), ascending"


@dataclass(frozen=True, slots=True)
class Weighed:
    """One ballot and how much it counts."""

    weight: Fraction
    body: Mapping[str, Any]


@dataclass(slots=True)
class Tally:
    """What a method found. `order` ranks every option, `winners` are the first `seats` of it."""

    totals: Totals
    order: list[str]
    winners: list[str]
    rounds: list[dict[str, Any]] = field(default_factory=list)
    matrix: dict[str, dict[str, Fraction]] | None = None
    tie_breaks: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The contract's Tally, fractions as text."""
        shown: dict[str, Any] = {
            "totals": as_text(self.totals),
            "rounds": [
                each | {"totals": as_text(each["totals"]), "exhausted": str(each["exhausted"])} for each in self.rounds
            ],
            "tie_breaks": self.tie_breaks,
        }
        if self.matrix is not None:
            shown["matrix"] = {a: as_text(row) for a, row in self.matrix.items()}
        return shown


class Draw:
    """Breaks ties for one vote and remembers which it broke."""

    def __init__(self, vote_id: str) -> None:
        self.vote_id = vote_id
        self.made: list[dict[str, Any]] = []

    def key(self, option: str) -> str:
        return hashlib.sha256(f"{self.vote_id}:{option}".encode()).hexdigest()

    def rank(self, options: Iterable[str], value: Callable[[str], Fraction], cut: int) -> list[str]:
        """Highest value first. A tie is noted when it decides who stands before the `cut`."""
        order = sorted(options, key=lambda option: (-value(option), self.key(option)))
        if 0 < cut < len(order) and value(order[cut - 1]) == value(order[cut]):
            self._note([option for option in order if value(option) == value(order[cut])])
        return order

    def last(self, options: Iterable[str], value: Callable[[str], Fraction]) -> str:
        """The option to eliminate: the lowest value, among equals the last in the draw."""
        lowest = min(value(option) for option in options)
        equal = sorted((option for option in options if value(option) == lowest), key=self.key)
        if len(equal) > 1:
            self._note(equal)
        return equal[-1]

    def _note(self, order: list[str]) -> None:
        self.made.append({"among": sorted(order), "rule": TIE_RULE, "order": order})


def as_text(totals: Mapping[str, Fraction]) -> dict[str, str]:
    return {option: str(total) for option, total in totals.items()}


def count(method: str, vote_id: str, options: Sequence[str], ballots: Sequence[Weighed], *, seats: int = 1) -> Tally:
    """Count the ballots. Without a single ballot nobody wins."""
    draw = Draw(vote_id)
    tally = METHODS[method](draw, options, ballots, seats)
    tally.tie_breaks = draw.made
    if not ballots:
        tally.winners, tally.tie_breaks = [], []
    return tally


def _choices(draw: Draw, options: Sequence[str], ballots: Sequence[Weighed], seats: int) -> Tally:
    """Plurality and approval: the weight of each ballot goes to everything it chose."""
    totals = dict.fromkeys(options, Fraction(0))
    for ballot in ballots:
        for option in ballot.body["choices"]:
            totals[option] += ballot.weight
    return _by_totals(draw, totals, seats)


def _score(draw: Draw, options: Sequence[str], ballots: Sequence[Weighed], seats: int) -> Tally:
    return _by_totals(draw, _scores(options, ballots), seats)


def _star(draw: Draw, options: Sequence[str], ballots: Sequence[Weighed], seats: int) -> Tally:
    """Score, then automatic runoff: of the two highest scores, the one preferred on more ballots wins.
    https://www.equal.vote/star"""
    totals = _scores(options, ballots)
    order = draw.rank(options, totals.__getitem__, 2)
    if len(order) < 2:
        return Tally(totals, order, order[:seats])
    first, second = order[:2]
    runoff = {first: Fraction(0), second: Fraction(0)}
    undecided = Fraction(0)
    for ballot in ballots:
        scores = ballot.body["scores"]
        lead = scores.get(first, 0) - scores.get(second, 0)
        if lead == 0:
            undecided += ballot.weight
        else:
            runoff[first if lead > 0 else second] += ballot.weight
    # An even runoff falls to the higher score; only when that is even too does the draw decide.
    if runoff[first] == runoff[second] and totals[first] != totals[second]:
        finalists = [first, second]
    else:
        finalists = draw.rank((first, second), runoff.__getitem__, 1)
    rounds = [_round(totals), _round(runoff, elected=finalists[:1], exhausted=undecided)]
    return Tally(totals, finalists + order[2:], finalists[:seats], rounds)


def _schulze(draw: Draw, options: Sequence[str], ballots: Sequence[Weighed], seats: int) -> Tally:
    """Strongest paths by winning votes. Schulze, "A new monotonic, clone-independent … method", 2011. `totals` are the
    numbers of options that each one beats."""
    prefer = _pairwise(options, ballots)
    path = {
        a: {b: prefer[a][b] if prefer[a][b] > prefer[b][a] else Fraction(0) for b in options if b != a} for a in options
    }
    for middle in options:
        for a in options:
            for b in options:
                if len({a, b, middle}) == 3:
                    path[a][b] = max(path[a][b], min(path[a][middle], path[middle][b]))
    beats = {a: Fraction(sum(path[a][b] > path[b][a] for b in options if b != a)) for a in options}
    # The Schulze relation is transitive, so the number of options one beats sorts them by it.
    order = draw.rank(options, beats.__getitem__, seats)
    return Tally(beats, order, order[:seats], matrix=prefer)


def _transferable(draw: Draw, options: Sequence[str], ballots: Sequence[Weighed], seats: int) -> Tally:
    """Single transferable vote with exact fractions; with one seat it is instant runoff.

    Quota: more than votes / (seats + 1). A surplus is passed on by every ballot the elected option holds, each scaled
    by surplus / total (weighted inclusive Gregory). Options ranked equal share a ballot equally.
    """
    standing = list(options)
    elected: list[str] = []
    eliminated: list[str] = []
    held: dict[str, list[Weighed]] = {option: [] for option in options}
    exhausted = _hand_out(ballots, standing, held)
    quota = sum((ballot.weight for ballot in ballots), Fraction(0)) / (seats + 1)
    rounds: list[dict[str, Any]] = []
    first: Totals = _held(held, options)
    while standing and len(elected) < seats:
        totals = _held(held, standing)
        over = [option for option in standing if totals[option] > quota]
        if not over and len(standing) <= seats - len(elected):
            over = standing[:]
        if over:
            winner = draw.rank(over, totals.__getitem__, seats - len(elected))[0]
            rounds.append(_round(totals, elected=[winner], exhausted=exhausted))
            surplus = max(totals[winner] - quota, Fraction(0))
            share = surplus / totals[winner] if totals[winner] else Fraction(0)
            passed_on = [Weighed(ballot.weight * share, ballot.body) for ballot in held.pop(winner)]
            elected.append(winner)
            standing.remove(winner)
        else:
            loser = draw.last(standing, totals.__getitem__)
            rounds.append(_round(totals, eliminated=[loser], exhausted=exhausted))
            passed_on = held.pop(loser)
            eliminated.append(loser)
            standing.remove(loser)
        exhausted += _hand_out(passed_on, standing, held)
    left = draw.rank(standing, _held(held, standing).__getitem__, 0)
    return Tally(first, elected + left + eliminated[::-1], elected, rounds)


METHODS: dict[str, Callable[[Draw, Sequence[str], Sequence[Weighed], int], Tally]] = {
    "plurality": _choices,
    "approval": _choices,
    "score": _score,
    "star": _star,
    "irv": _transferable,
    "schulze": _schulze,
    "stv": _transferable,
}
CHOOSING, SCORING = frozenset({"plurality", "approval"}), frozenset({"score", "star"})
ONE_WINNER = frozenset({"star", "irv"})


def _by_totals(draw: Draw, totals: Totals, seats: int) -> Tally:
    order = draw.rank(totals, totals.__getitem__, seats)
    return Tally(totals, order, order[:seats])


def _scores(options: Sequence[str], ballots: Sequence[Weighed]) -> Totals:
    """The weighted sum of scores; an option that a ballot leaves out scores 0 there."""
    totals = dict.fromkeys(options, Fraction(0))
    for ballot in ballots:
        for option, score in ballot.body["scores"].items():
            totals[option] += ballot.weight * score
    return totals


def _pairwise(options: Sequence[str], ballots: Sequence[Weighed]) -> dict[str, dict[str, Fraction]]:
    """matrix[a][b]: the weight of the ballots that rank a above b."""
    matrix = {a: {b: Fraction(0) for b in options if b != a} for a in options}
    for ballot in ballots:
        place = {option: n for n, equal in enumerate(ballot.body["ranking"]) for option in equal}
        for a in options:
            for b in matrix[a]:
                if place.get(a, len(options)) < place.get(b, len(options)):
                    matrix[a][b] += ballot.weight
    return matrix


def _hand_out(ballots: Iterable[Weighed], standing: Sequence[str], held: dict[str, list[Weighed]]) -> Fraction:
    """Give each ballot to the highest option on it that still stands; returns the weight that found none."""
    exhausted = Fraction(0)
    for ballot in ballots:
        best = next((found for equal in ballot.body["ranking"] if (found := [o for o in equal if o in standing])), [])
        if not best:
            exhausted += ballot.weight
        for option in best:
            held[option].append(Weighed(ballot.weight / len(best), ballot.body))
    return exhausted


def _held(held: Mapping[str, Sequence[Weighed]], options: Iterable[str]) -> Totals:
    return {option: sum((ballot.weight for ballot in held[option]), Fraction(0)) for option in options}


def _round(
    totals: Totals, *, eliminated: Sequence[str] = (), elected: Sequence[str] = (), exhausted: Fraction = Fraction(0)
) -> dict[str, Any]:
    return {
        "totals": dict(totals),
        "eliminated": list(eliminated),
        "elected": list(elected),
        "exhausted": exhausted,
    }
