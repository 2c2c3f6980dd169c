"""What every counting method owes its voters, and worked examples with known results."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creator_hub.voting.tally import CHOOSING, METHODS, SCORING, Draw, Weighed, count

OPTIONS = ("a", "b", "c", "d")
WEIGHTS = st.sampled_from([Fraction(1), Fraction(3, 2), Fraction(3)])


def bodies(method: str) -> st.SearchStrategy[dict[str, Any]]:
    if method in CHOOSING:
        most = 1 if method == "plurality" else 4
        return st.lists(st.sampled_from(OPTIONS), min_size=1, max_size=most, unique=True).map(lambda c: {"choices": c})
    if method in SCORING:
        return st.dictionaries(st.sampled_from(OPTIONS), st.integers(0, 5), min_size=1).map(lambda s: {"scores": s})
    cuts = st.tuples(st.permutations(OPTIONS), st.lists(st.integers(1, 3), min_size=1, max_size=4))
    return cuts.map(lambda drawn: {"ranking": grouped(*drawn)})


def grouped(order: list[str], sizes: list[int]) -> list[list[str]]:
    found, left = [], list(order)
    for size in sizes:
        if left:
            found.append(left[:size])
            left = left[size:]
    return found


def ballots(method: str, weights: st.SearchStrategy[Fraction] = WEIGHTS) -> st.SearchStrategy[list[Weighed]]:
    return st.lists(st.builds(Weighed, weights, bodies(method)), min_size=1, max_size=12)


def ranked(*lines: tuple[int, str]) -> list[Weighed]:
    return [Weighed(Fraction(times), {"ranking": [[o] for o in order]}) for times, order in lines]


EVERY_METHOD = pytest.mark.parametrize("method", sorted(METHODS))


@EVERY_METHOD
@given(data=st.data())
def test_neither_the_order_of_ballots_nor_of_options_matters(method: str, data: st.DataObject) -> None:
    cast = data.draw(ballots(method))
    shuffled = data.draw(st.permutations(cast))
    options = data.draw(st.permutations(OPTIONS))
    one, other = count(method, "v", OPTIONS, cast), count(method, "v", options, shuffled)
    assert (one.totals, one.order, one.winners) == (other.totals, other.order, other.winners)


@EVERY_METHOD
@given(data=st.data())
def test_the_winner_is_an_option_and_everybody_is_ranked_once(method: str, data: st.DataObject) -> None:
    seats = 1 if method in ("star", "irv") else data.draw(st.integers(1, 4))
    found = count(method, "v", OPTIONS, data.draw(ballots(method)), seats=seats)
    assert sorted(found.order) == sorted(OPTIONS)
    assert found.order[:seats] == found.winners
    assert found.as_json()["totals"].keys() == set(OPTIONS)


@EVERY_METHOD
@given(data=st.data())
def test_a_ballot_of_weight_two_is_two_ballots(method: str, data: st.DataObject) -> None:
    cast = data.draw(ballots(method, st.just(Fraction(1))))
    twice = count(method, "v", OPTIONS, cast + cast)
    heavy = count(method, "v", OPTIONS, [Weighed(Fraction(2), ballot.body) for ballot in cast])
    assert (twice.totals, twice.order) == (heavy.totals, heavy.order)


@EVERY_METHOD
@given(data=st.data())
def test_one_option_alone_on_every_ballot_wins(method: str, data: st.DataObject) -> None:
    best = data.draw(st.sampled_from(OPTIONS))
    body = {"choices": [best], "scores": {best: 5}, "ranking": [[best]]}
    kind = "choices" if method in CHOOSING else "scores" if method in SCORING else "ranking"
    weights = data.draw(st.lists(WEIGHTS, min_size=1, max_size=5))
    assert count(method, "v", OPTIONS, [Weighed(w, {kind: body[kind]}) for w in weights]).winners == [best]


@EVERY_METHOD
def test_without_a_ballot_nobody_wins(method: str) -> None:
    assert count(method, "v", OPTIONS, []).winners == []


@given(ballots("schulze"))
def test_schulze_elects_whoever_beats_all_others(cast: list[Weighed]) -> None:
    found = count("schulze", "v", OPTIONS, cast)
    assert found.matrix is not None
    for a in OPTIONS:
        if all(found.matrix[a][b] > found.matrix[b][a] for b in OPTIONS if b != a):
            assert found.winners == [a]


@given(ballots("irv"))
def test_a_majority_of_first_places_wins_at_once(cast: list[Weighed]) -> None:
    found = count("irv", "v", OPTIONS, cast)
    over = [option for option, total in found.totals.items() if total * 2 > sum(b.weight for b in cast)]
    if over:
        assert (found.winners, len(found.rounds)) == (over, 1)


@given(ballots("stv"), st.integers(1, 3))
def test_transfers_neither_make_nor_lose_votes(cast: list[Weighed], seats: int) -> None:
    found = count("stv", "v", OPTIONS, cast, seats=seats)
    given_in = sum((ballot.weight for ballot in cast), Fraction(0))
    quota = given_in / (seats + 1)
    kept = Fraction(0)
    for each in found.rounds:
        assert sum(each["totals"].values()) + each["exhausted"] + kept == given_in
        kept += sum((min(each["totals"][option], quota) for option in each["elected"]), Fraction(0))


def test_the_schulze_papers_first_example() -> None:
    lines = [
        (5, "acbed"),
        (5, "adecb"),
        (8, "bedac"),
        (3, "cabed"),
        (7, "caebd"),
        (2, "cbade"),
        (7, "dceba"),
        (8, "ebadc"),
    ]
    assert count("schulze", "v", tuple("abcde"), ranked(*lines)).order == list("eacbd")


def test_tennessee_by_instant_runoff_and_by_pairs() -> None:
    lines = [(42, "mnck"), (26, "nckm"), (15, "cknm"), (17, "kcnm")]
    runoff = count("irv", "v", tuple("mnck"), ranked(*lines))
    assert [each["eliminated"] or each["elected"] for each in runoff.rounds] == [["c"], ["n"], ["k"]]
    assert count("schulze", "v", tuple("mnck"), ranked(*lines)).winners == ["n"]


def test_star_sends_the_two_best_scores_into_a_runoff() -> None:
    lines = [(3, {"a": 5, "b": 4}), (4, {"b": 5, "a": 4, "c": 1}), (2, {"c": 5, "a": 2})]
    found = count("star", "v", tuple("abc"), [Weighed(Fraction(n), {"scores": s}) for n, s in lines])
    assert found.totals == {"a": 35, "b": 32, "c": 14}
    assert (found.winners, found.rounds[1]["totals"]) == (["a"], {"a": 5, "b": 4})


def test_a_tie_is_broken_by_a_draw_that_anybody_can_repeat() -> None:
    cast = [Weighed(Fraction(1), {"choices": ["a", "b"]})]
    found = count("approval", "poll-7", OPTIONS, cast)
    draw = Draw("poll-7")
    first, second = sorted(("a", "b"), key=draw.key)
    assert found.winners == [first]
    assert found.tie_breaks == [
        {"among": ["a", "b"], "rule": "sha256(vote_id:option_id), ascending", "order": [first, second]}
    ]
