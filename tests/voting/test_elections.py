"""Elections whose ballots and outcome are published, and examples from the papers that define the methods."""

from __future__ import annotations

from fractions import Fraction

import pytest

from creator_hub.voting.tally import Ballot, count


def ranked(*lines: tuple[int, str]) -> list[Ballot]:
    """(how many, "abc" for a before b before c)."""
    return [Ballot(ranking=tuple((option,) for option in order), weight=times) for times, order in lines]


# Schulze 2011, section 3: example 1, and example 4 in which two orders are possible but for one tie.
SCHULZE_1 = ranked(
    (5, "acbed"), (5, "adecb"), (8, "bedac"), (3, "cabed"), (7, "caebd"), (2, "cbade"), (7, "dceba"), (8, "ebadc")
)
SCHULZE_4 = ranked((3, "abcd"), (2, "dabc"), (2, "dbca"), (2, "cbda"))

# Burlington, Vermont, mayor, 2009, the three who came to the last rounds (Kiss, Montroll, Wright), as published in
# Wikipedia's "2009 Burlington mayoral election" from the city's ballot file.
BURLINGTON = ranked(
    (1332, "mkw"), (767, "mwk"), (455, "m"), (2043, "kmw"), (371, "kwm"), (568, "k"), (1513, "wmk"), (495, "wkm"),
    (1289, "w"),
)  # fmt: skip

# Alaska, US House, special election of August 2022 (Begich, Palin, Peltola): ballots as in Graham-Squire and McCune,
# arXiv:2209.04764; the final round is the Division of Elections' certified one.
ALASKA = ranked(
    (27053, "bpe"), (15467, "bep"), (11290, "b"), (34049, "pbe"), (3652, "peb"), (21272, "p"), (47407, "ebp"),
    (4645, "epb"), (23747, "e"),
)  # fmt: skip


def test_the_schulze_papers_first_example() -> None:
    found = count("schulze", tuple("abcde"), SCHULZE_1)
    assert (found.order, found.tie_breaks) == (tuple("eacbd"), ())
    assert found.matrix is not None
    assert (found.matrix["a"]["b"], found.matrix["e"]["a"], found.matrix["d"]["c"]) == (20, 23, 28)


def test_the_schulze_papers_fourth_example_leaves_a_tie() -> None:
    """b beats c, d beats a, and nothing else is decided: b and d share the first place."""
    found = count("schulze", tuple("abcd"), SCHULZE_4)
    assert found.winners[0] in "bd"
    assert [each.among for each in found.tie_breaks] == [("b", "d")]


def test_burlington_2009_elected_kiss_by_runoff_and_would_have_elected_montroll_in_pairs() -> None:
    runoff = count("irv", tuple("kmw"), BURLINGTON)
    assert runoff.winners == ("k",)
    assert [each.eliminated for each in runoff.rounds] == [("m",), ()]
    assert runoff.rounds[-1].totals == {"k": 4314, "w": 4064}
    assert runoff.exhausted == 455
    pairs = count("schulze", tuple("kmw"), BURLINGTON)
    assert (pairs.winners, pairs.matrix and pairs.matrix["m"]) == (("m",), {"k": 4067, "w": 4597})
    first = [Ballot(choice=ballot.ranking[0][0], weight=ballot.weight) for ballot in BURLINGTON if ballot.ranking]
    assert count("plurality", tuple("kmw"), first).winners == ("w",)


def test_alaska_2022_elected_peltola_by_runoff_although_begich_beat_both_in_pairs() -> None:
    runoff = count("irv", tuple("bpe"), ALASKA)
    assert runoff.rounds[-1].totals == {"e": 91_266, "p": 86_026}
    assert (runoff.winners, runoff.exhausted) == (("e",), 11_290)
    assert count("schulze", tuple("bpe"), ALASKA).order == ("b", "e", "p")


def test_tennessee_by_runoff_by_pairs_and_by_one_choice() -> None:
    """The textbook vote on a capital (Memphis, Nashville, Chattanooga, Knoxville)."""
    lines = ranked((42, "mnck"), (26, "nckm"), (15, "cknm"), (17, "kcnm"))
    runoff = count("irv", tuple("mnck"), lines)
    assert [each.eliminated or each.elected for each in runoff.rounds] == [("c",), ("n",), ("k",)]
    assert count("schulze", tuple("mnck"), lines).order == tuple("nckm")


def test_stv_fills_three_seats_of_a_party_menu() -> None:
    """Wikipedia, "Single transferable vote": twenty guests, three dishes (Orange, Pear, cHocolate, Strawberry, and
    hamBurger), quota 6."""
    lines = ranked((4, "o"), (2, "po"), (8, "hs"), (4, "hb"), (1, "s"), (1, "b"))
    found = count("stv", tuple("ophsb"), lines, seats=3)
    assert set(found.winners) == {"h", "o", "s"}
    assert found.rounds[0].elected == ("h",)
    assert found.rounds[1].totals == {"o": 4, "p": 2, "h": 6, "s": 5, "b": 3}
    assert [each.eliminated for each in found.rounds[1:3]] == [("p",), ("b",)]


def test_a_surplus_is_passed_on_in_exact_fractions() -> None:
    """Ten votes, two seats: quota 4. Seven for a leave 3/7 of each to the next."""
    found = count("stv", tuple("abc"), ranked((5, "ab"), (2, "ac"), (3, "c")), seats=2)
    assert found.rounds[1].totals == {"a": 4, "b": Fraction(15, 7), "c": 3 + Fraction(6, 7)}
    assert found.winners == ("a", "c")


@pytest.mark.parametrize("method", ["score", "star"])
def test_star_sends_the_two_best_scores_into_a_runoff(method: str) -> None:
    """Two love a, three merely prefer b: the sum elects a, the runoff b."""
    lines = [(2, {"a": 5, "b": 0}), (3, {"b": 4, "a": 3, "c": 1})]
    found = count(method, tuple("abc"), [Ballot(scores=scores, weight=n) for n, scores in lines])
    assert found.totals == {"a": 19, "b": 12, "c": 3}
    assert found.winners == (("b",) if method == "star" else ("a",))


def test_an_even_star_runoff_falls_to_the_higher_score() -> None:
    even = [Ballot(scores={"a": 5, "b": 1}), Ballot(scores={"b": 2, "a": 1}), Ballot(scores={"a": 3, "b": 3})]
    for seed in ("1", "2", "3"):
        found = count("star", tuple("ab"), even, tie_seed=seed)
        assert (found.winners, found.exhausted) == (("a",), 1)
        assert [each.rule for each in found.tie_breaks] == ["previous rounds"]
