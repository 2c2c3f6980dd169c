"""The same ballots counted by other people's programs: schulze-condorcet, stvpoll and starvote.

They break ties in ways of their own, so only counts in which no tie decided anything are compared.
"""

from __future__ import annotations

import random
import warnings
from fractions import Fraction

import pytest
import schulze_condorcet
import starvote
from stvpoll.irv import calculate_irv
from stvpoll.scottish_stv import calculate_scottish_stv

from creator_hub.voting.tally import Ballot, count

OPTIONS = tuple("abcdef")
ELECTIONS = 100


def rankings(chance: random.Random, voters: int) -> list[tuple[str, ...]]:
    """Voters who lean: early options are liked more, so that not every count is a near tie."""
    return [
        tuple(sorted(OPTIONS, key=lambda o: chance.gauss(OPTIONS.index(o) * 0.4, 1.0))[: chance.randint(1, 6)])
        for _ in range(voters)
    ]


def strict(lines: list[tuple[str, ...]]) -> list[Ballot]:
    return [Ballot(ranking=tuple((option,) for option in line)) for line in lines]


@pytest.fixture
def chance() -> random.Random:
    return random.Random(20_221_116)  # noqa: S311 - the same elections each time


def test_schulze_agrees_with_schulze_condorcet(chance: random.Random) -> None:
    compared = 0
    for _ in range(ELECTIONS):
        votes, cast = [], []
        for line in rankings(chance, chance.randint(3, 40)):
            ranks = [[line[0]]]
            for option in line[1:]:
                ranks[-1].append(option) if chance.random() < 0.3 else ranks.append([option])
            missing = [option for option in OPTIONS if option not in line]
            votes.append(">".join("=".join(rank) for rank in [*ranks, *([missing] if missing else [])]))
            cast.append(Ballot(ranking=tuple(tuple(rank) for rank in ranks)))
        levels = schulze_condorcet.schulze_evaluate(votes, OPTIONS).split(">")
        place = {option: n for n, level in enumerate(levels) for option in level.split("=")}
        found = count("schulze", OPTIONS, cast)
        assert found.order[0] in levels[0].split("=")
        if len(levels) == len(OPTIONS):
            compared += 1
            assert [place[option] for option in found.order] == list(range(len(OPTIONS)))
    assert compared > ELECTIONS / 4


def test_instant_runoff_agrees_with_stvpoll(chance: random.Random) -> None:
    compared = 0
    for _ in range(ELECTIONS):
        lines = rankings(chance, chance.randint(3, 60))
        found = count("irv", OPTIONS, strict(lines))
        other = calculate_irv(OPTIONS, [(line, 1) for line in lines])
        # stvpoll elects nobody when exhausted ballots leave no majority of all that were cast.
        if not found.tie_breaks and other.elected_as_set():
            compared += 1
            assert other.elected_as_set() == set(found.winners), lines
    assert compared > ELECTIONS / 4


@pytest.mark.parametrize("seats", [2, 3])
def test_stv_agrees_with_stvpolls_scottish_count(chance: random.Random, seats: int) -> None:
    """stvpoll passes on several surpluses of a round before it looks for new winners, and rounds to five decimals;
    elections in which two surpluses meet are left out."""
    compared = 0
    for _ in range(ELECTIONS):
        lines = rankings(chance, chance.randint(10, 60))
        found = count("stv", OPTIONS, strict(lines), seats=seats)
        if found.tie_breaks or any(len(each.elected) > 1 for each in found.rounds[:-1]):
            continue
        compared += 1
        other = calculate_scottish_stv(OPTIONS, [(line, 1) for line in lines], seats)
        assert other.elected_as_set() == set(found.winners), lines
    assert compared > ELECTIONS / 4


def test_star_agrees_with_starvote(chance: random.Random) -> None:
    compared = 0
    for _ in range(ELECTIONS):
        scores = [
            {option: min(5, max(0, round(chance.gauss(4 - OPTIONS.index(option) * 0.5, 1.5)))) for option in OPTIONS}
            for _ in range(chance.randint(3, 40))
        ]
        found = count("star", OPTIONS, [Ballot(scores=each) for each in scores])
        if not found.tie_breaks:
            compared += 1
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert tuple(starvote.election(starvote.STAR_Voting, scores)) == found.winners
    assert compared > ELECTIONS / 4


def test_weights_are_as_good_as_repeated_ballots_for_an_oracle_too(chance: random.Random) -> None:
    """Halves and thirds of ballots against their common multiple in whole ones."""
    lines = rankings(chance, 30)
    weights = [chance.choice((Fraction(1), Fraction(3, 2), Fraction(5, 3))) for _ in lines]
    cast = [Ballot(ranking=b.ranking, weight=w) for b, w in zip(strict(lines), weights, strict=True)]
    whole = [(line, int(weight * 6)) for line, weight in zip(lines, weights, strict=True)]
    found = count("irv", OPTIONS, cast)
    assert not found.tie_breaks
    assert calculate_irv(OPTIONS, whole).elected_as_set() == set(found.winners)
