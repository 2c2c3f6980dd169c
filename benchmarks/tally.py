"""How long 100,000 ballots over 20 options take to count, by every method: `python -m benchmarks.tally`.

Rankings are random and of random length, a third of the ballots weigh 3/2 or 3, and nearly no two are the same: the
worst case for a count that puts equal ballots on one pile.
"""

from __future__ import annotations

import os
import random
import time
from fractions import Fraction

from creator_hub.voting.tally import KINDS, METHODS, ONE_WINNER, Ballot, count

BALLOTS, OPTIONS, SEATS = 100_000, 20, 5
LIMIT_S = 3.0
WEIGHTS = (1, 1, 1, 1, Fraction(3, 2), 3)


def ballots(kind: str, options: tuple[str, ...], number: int = BALLOTS) -> list[Ballot]:
    chance = random.Random(7)  # noqa: S311 - the same ballots each time
    made = []
    for _ in range(number):
        weight = chance.choice(WEIGHTS)
        some = chance.sample(options, chance.randint(len(options) // 2, len(options)))
        if kind == "choice":
            made.append(Ballot(choice=some[0], weight=weight))
        elif kind == "approved":
            made.append(Ballot(approved=some, weight=weight))
        elif kind == "scores":
            made.append(Ballot(scores={option: chance.randint(0, 5) for option in some}, weight=weight))
        else:
            made.append(Ballot(ranking=tuple((option,) for option in some), weight=weight))
    return made


def main() -> None:
    options = tuple(f"option {n}" for n in range(OPTIONS))
    print(f"{BALLOTS} ballots, {OPTIONS} options, {os.cpu_count()} cores")
    slow = []
    for method in METHODS:
        cast = ballots(KINDS[method], options)
        seats = 1 if method in ONE_WINNER else SEATS
        began = time.perf_counter()
        count(method, options, cast, seats=seats, tie_seed="benchmark")
        took = time.perf_counter() - began
        print(f"{method:>10}  {seats} seat{'s' if seats > 1 else ' '}  {took:5.2f} s")
        if took >= LIMIT_S:
            slow.append(method)
    if slow:
        raise SystemExit(f"slower than {LIMIT_S} s: {', '.join(slow)}")


if __name__ == "__main__":
    main()
