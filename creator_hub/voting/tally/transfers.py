"""Methods in which a ballot moves on: instant runoff, and the single transferable vote.

Both eliminate the lowest option, one at a time, and pass its ballots to the next option on each that still stands. STV
follows the Scottish local rules (SSI 2011/399, schedule 1, rules 45–52) with exact fractions instead of five decimals:
Droop quota; a surplus is passed on by every ballot the elected option holds, each scaled by surplus / total (weighted
inclusive Gregory); the largest surplus first, nothing to options that are elected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from creator_hub.voting.tally.model import Result, Round
from creator_hub.voting.tally.piles import Piles
from creator_hub.voting.tally.ties import Draw

# Ballots on which the same fraction of their weight is left: ranking, whole weight.
Bundle = list[tuple[tuple[int, ...], int]]


class Count:
    """The ballots as they lie with the options that stand."""

    def __init__(self, piles: Piles, draw: Draw) -> None:
        self.piles, self.draw = piles, draw
        self.standing = set(range(len(piles.options)))
        self.held: list[dict[Fraction, Bundle]] = [{} for _ in piles.options]
        self.kept = [Fraction(0)] * len(piles.options)  # the quotas of those whose surplus is gone
        self.exhausted = Fraction(0)
        self.rounds: list[Round] = []
        self.history: list[Mapping[str, Fraction]] = []
        whole = [(tuple(rank[0] for rank in ranking), weight) for ranking, weight in piles.items.items()]
        self._hand_out(Fraction(1), whole)

    def totals(self) -> dict[str, Fraction]:
        """What each option holds, elected ones too until their surplus is passed on."""
        return self.piles.by_name(
            sum((left * sum(weight for _, weight in bundle) for left, bundle in held.items()), kept)
            for held, kept in zip(self.held, self.kept, strict=True)
        )

    def note(
        self, totals: Mapping[str, Fraction], *, elected: Iterable[str] = (), eliminated: Iterable[str] = ()
    ) -> None:
        shown = self.piles.exact(self.exhausted)
        self.rounds.append(Round(totals, tuple(elected), tuple(eliminated), shown))
        self.history.append(totals)

    def names(self) -> list[str]:
        return [self.piles.options[n] for n in sorted(self.standing)]

    def stand_down(self, option: str) -> int:
        number = self.piles.options.index(option)
        self.standing.discard(number)
        return number

    def pass_on(self, number: int, share: Fraction) -> None:
        """Give `share` of every ballot the option holds to the next that stands."""
        held, self.held[number] = self.held[number], {}
        for left, bundle in held.items():
            self._hand_out(left * share, bundle)

    def pass_on_surplus(self, option: str, total: Fraction, quota: Fraction) -> None:
        number = self.piles.options.index(option)
        self.kept[number] = quota * self.piles.scale
        self.pass_on(number, (total - quota) / total)

    def _hand_out(self, left: Fraction, bundle: Bundle) -> None:
        standing, lost = self.standing, 0
        to: dict[int, Bundle] = {}
        for ballot in bundle:
            for option in ballot[0]:
                if option in standing:
                    to.setdefault(option, []).append(ballot)
                    break
            else:
                lost += ballot[1]
        self.exhausted += left * lost
        for option, moved in to.items():
            self.held[option].setdefault(left, []).extend(moved)


def irv(piles: Piles, draw: Draw, seats: int) -> Result:
    """Eliminate the lowest until one option has more than half of the weight that is still with somebody."""
    count = Count(piles, draw)
    first = totals = count.totals()
    eliminated: list[str] = []
    if piles.is_empty:
        return Result((), tuple(draw.rank(first, piles.options)), first)
    while True:
        standing = count.names()
        order = draw.rank(totals, standing, history=count.history)
        if len(standing) == 1 or totals[order[0]] * 2 > sum(totals.values()):
            count.note(totals, elected=order[:1])
            break
        loser = draw.lowest(totals, standing, count.history)
        count.note(totals, eliminated=[loser])
        eliminated.append(loser)
        count.pass_on(count.stand_down(loser), Fraction(1))
        totals = _without(count.totals(), eliminated)
    full = (*order, *reversed(eliminated))
    return Result(full[:1], full, first, tuple(count.rounds), None, piles.exact(count.exhausted), draw.made)


def stv(piles: Piles, draw: Draw, seats: int) -> Result:
    """Fill the seats with whoever reaches the quota, floor(votes / (seats + 1)) + 1; with one seat left for each that
    stands, all of them are elected."""
    count = Count(piles, draw)
    first = count.totals()
    if piles.is_empty:
        return Result((), tuple(draw.rank(first, piles.options)), first)
    quota = Fraction(piles.exact(piles.total) // (seats + 1) + 1)
    elected: list[str] = []
    surpluses: list[str] = []
    eliminated: list[str] = []
    while True:
        totals = _without(count.totals(), eliminated)
        standing = count.names()
        reached = [option for option in standing if totals[option] >= quota]
        if len(standing) <= seats - len(elected):
            reached = standing
        reached = draw.rank(totals, reached, history=count.history)
        for option in reached:
            count.stand_down(option)
        elected += reached
        surpluses += [option for option in reached if totals[option] > quota]
        if len(elected) == seats:
            count.note(totals, elected=reached)
            break
        if len(count.standing) == seats - len(elected):
            count.note(totals, elected=reached)
        elif surpluses:
            count.note(totals, elected=reached)
            # Ties between surpluses go by earlier rounds, which this one now is.
            giver = draw.first(totals, surpluses, count.history)
            surpluses.remove(giver)
            count.pass_on_surplus(giver, totals[giver], quota)
        else:
            loser = draw.lowest(totals, count.names(), count.history)
            count.note(totals, elected=reached, eliminated=[loser])
            eliminated.append(loser)
            count.pass_on(count.stand_down(loser), Fraction(1))
    left = draw.rank(totals, count.names(), history=count.history)
    full = (*elected, *left, *reversed(eliminated))
    return Result(tuple(elected), full, first, tuple(count.rounds), None, piles.exact(count.exhausted), draw.made)


def _without(totals: dict[str, Fraction], gone: Iterable[str]) -> dict[str, Fraction]:
    for option in gone:
        del totals[option]
    return totals
