"""What every counting method owes its voters, whatever the ballots say."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from creator_hub.voting.tally import METHODS, ONE_WINNER, Ballot, Result, count
from creator_hub.voting.tally.ties import Draw

OPTIONS = ("a", "b", "c", "d")
WEIGHTS = st.sampled_from([1, Fraction(3, 2), Fraction(5, 4), 3])
EVERY_METHOD = pytest.mark.parametrize("method", sorted(METHODS))


def grouped(order: list[str], sizes: list[int]) -> tuple[tuple[str, ...], ...]:
    found, left = [], list(order)
    for size in sizes:
        if left:
            found.append(tuple(left[:size]))
            left = left[size:]
    return tuple(found)


def ballots(method: str, weight: st.SearchStrategy[int | Fraction] = WEIGHTS) -> st.SearchStrategy[Ballot]:
    """Any ballot of the method, partial ones too."""
    if method == "plurality":
        return st.builds(Ballot, choice=st.sampled_from(OPTIONS), weight=weight)
    if method == "approval":
        return st.builds(Ballot, approved=st.frozensets(st.sampled_from(OPTIONS)), weight=weight)
    if method in ("score", "star"):
        scores = st.dictionaries(st.sampled_from(OPTIONS), st.integers(0, 5))
        return st.builds(Ballot, scores=scores, weight=weight)
    sizes = st.integers(1, 3) if method == "schulze" else st.just(1)
    drawn = st.tuples(st.permutations(OPTIONS), st.lists(sizes, max_size=4))
    return st.builds(Ballot, ranking=drawn.map(lambda cut: grouped(*cut)), weight=weight)


def elections(method: str, weight: st.SearchStrategy[int | Fraction] = WEIGHTS) -> st.SearchStrategy[list[Ballot]]:
    return st.lists(ballots(method, weight), min_size=1, max_size=12)


def renamed(ballot: Ballot, names: dict[str, str]) -> Ballot:
    return Ballot(
        ranking=ballot.ranking and tuple(tuple(names[o] for o in rank) for rank in ballot.ranking),
        approved=ballot.approved and frozenset(names[o] for o in ballot.approved),
        scores=ballot.scores and {names[o]: score for o, score in ballot.scores.items()},
        choice=ballot.choice and names[ballot.choice],
        weight=ballot.weight,
    )


def raised(ballot: Ballot, option: str) -> Ballot:
    """The same ballot with `option` put first, or given the most, and nothing else changed among the others."""
    if ballot.choice is not None:
        return Ballot(choice=option, weight=ballot.weight)
    if ballot.approved is not None:
        return Ballot(approved=frozenset(ballot.approved) | {option}, weight=ballot.weight)
    if ballot.scores is not None:
        return Ballot(scores={**ballot.scores, option: 5}, weight=ballot.weight)
    assert ballot.ranking is not None
    others = tuple(rank for each in ballot.ranking if (rank := tuple(o for o in each if o != option)))
    return Ballot(ranking=((option,), *others), weight=ballot.weight)


def facts(found: Result) -> tuple[object, ...]:
    return found.winners, found.order, found.totals, found.exhausted


@EVERY_METHOD
@given(data=st.data())
def test_anonymity_the_order_of_ballots_changes_nothing(method: str, data: st.DataObject) -> None:
    cast = data.draw(elections(method))
    shuffled = data.draw(st.permutations(cast))
    assert facts(count(method, OPTIONS, cast, tie_seed="v")) == facts(count(method, OPTIONS, shuffled, tie_seed="v"))


@EVERY_METHOD
@given(data=st.data())
def test_neutrality_other_names_for_the_options_change_only_how_ties_break(method: str, data: st.DataObject) -> None:
    cast = data.draw(elections(method))
    options = data.draw(st.permutations(OPTIONS))
    assert facts(count(method, OPTIONS, cast, tie_seed="v")) == facts(count(method, options, cast, tie_seed="v"))
    names = dict(zip(OPTIONS, options, strict=True))
    one = count(method, OPTIONS, cast, tie_seed="v")
    other = count(method, OPTIONS, [renamed(ballot, names) for ballot in cast], tie_seed="v")
    assert {names[option]: total for option, total in one.totals.items()} == other.totals
    if not one.tie_breaks and not other.tie_breaks:
        assert tuple(names[option] for option in one.winners) == other.winners


@EVERY_METHOD
@given(data=st.data())
def test_every_option_is_ranked_once_and_the_winners_come_first(method: str, data: st.DataObject) -> None:
    seats = 1 if method in ONE_WINNER else data.draw(st.integers(1, 4))
    found = count(method, OPTIONS, data.draw(elections(method)), seats=seats)
    assert sorted(found.order) == sorted(OPTIONS)
    assert found.winners == found.order[:seats]
    assert found.as_json()["totals"].keys() == set(OPTIONS)


@EVERY_METHOD
@given(data=st.data())
def test_a_ballot_of_weight_two_is_two_ballots(method: str, data: st.DataObject) -> None:
    cast = data.draw(elections(method, st.just(1)))
    twice = count(method, OPTIONS, cast + cast)
    doubled = [Ballot(b.ranking, b.approved, b.scores, b.choice, weight=2) for b in cast]
    assert facts(twice) == facts(count(method, OPTIONS, doubled))


@EVERY_METHOD
@given(data=st.data())
def test_unanimity_what_everybody_puts_first_wins(method: str, data: st.DataObject) -> None:
    best = data.draw(st.sampled_from(OPTIONS))
    only = {
        "plurality": Ballot(choice=best),
        "approval": Ballot(approved=(best,)),
        "score": Ballot(scores={best: 5}),
        "star": Ballot(scores={best: 5}),
    }.get(method, Ballot(ranking=((best,),)))
    others = [o for o in OPTIONS if o != best]
    tails = data.draw(st.lists(st.permutations(others), min_size=1, max_size=6))
    full = [Ballot(ranking=((best,), *((o,) for o in tail))) if only.ranking else only for tail in tails]
    found = count(method, OPTIONS, full)
    assert found.winners == (best,)


@pytest.mark.parametrize("method", ["plurality", "approval", "score", "schulze"])
@given(data=st.data())
def test_monotonicity_more_support_never_makes_the_winner_lose(method: str, data: st.DataObject) -> None:
    """Not so for instant runoff, STV and STAR; docs/votes.md says it to voters."""
    cast = data.draw(elections(method))
    winner = count(method, OPTIONS, cast, tie_seed="v").winners[0]
    which = data.draw(st.sets(st.integers(0, len(cast) - 1), min_size=1))
    better = [raised(ballot, winner) if n in which else ballot for n, ballot in enumerate(cast)]
    assert count(method, OPTIONS, better, tie_seed="v").winners == (winner,)


@given(elections("schulze"))
def test_condorcet_whoever_beats_all_others_in_pairs_wins_by_schulze(cast: list[Ballot]) -> None:
    found = count("schulze", OPTIONS, cast)
    assert found.matrix is not None
    for a in OPTIONS:
        if all(found.matrix[a][b] > found.matrix[b][a] for b in OPTIONS if b != a):
            assert (found.winners, found.order[0], found.tie_breaks) == ((a,), a, ())
        if all(found.matrix[a][b] < found.matrix[b][a] for b in OPTIONS if b != a):
            assert found.order[-1] == a


@given(elections("irv"))
def test_a_majority_of_first_places_wins_a_runoff_at_once(cast: list[Ballot]) -> None:
    found = count("irv", OPTIONS, cast)
    over = [option for option, total in found.totals.items() if total * 2 > sum(found.totals.values())]
    if over:
        assert (found.winners, len(found.rounds)) == (tuple(over), 1)


@given(elections("stv"), st.integers(1, 3))
def test_transfers_neither_make_nor_lose_votes(cast: list[Ballot], seats: int) -> None:
    found = count("stv", OPTIONS, cast, seats=seats)
    put_in = sum(ballot.weight for ballot in cast)
    for each in found.rounds:
        assert sum(each.totals.values()) + each.exhausted == put_in


@given(elections("stv", st.just(1)), st.integers(1, 3), st.sampled_from(OPTIONS))
def test_who_holds_a_quota_of_first_places_is_elected(cast: list[Ballot], seats: int, option: str) -> None:
    found = count("stv", OPTIONS, cast, seats=seats)
    if found.totals[option] >= len(cast) // (seats + 1) + 1:
        assert option in found.winners


@EVERY_METHOD
def test_without_a_ballot_nobody_wins_and_nothing_was_decided(method: str) -> None:
    found = count(method, OPTIONS, [])
    assert (found.winners, found.tie_breaks, sorted(found.order)) == ((), (), sorted(OPTIONS))


@given(elections("approval"))
def test_a_tie_is_broken_by_the_documented_draw_and_the_result_says_so(cast: list[Ballot]) -> None:
    found = count("approval", OPTIONS, cast, tie_seed="poll-7")
    best = max(found.totals.values())
    tied = sorted((o for o in OPTIONS if found.totals[o] == best), key=Draw("poll-7").key)
    assume(len(tied) > 1)
    assert found.winners == (tied[0],)
    assert [each.as_json() for each in found.tie_breaks] == [
        {"among": sorted(tied), "rule": "sha256(tie_seed, 0x00, option), ascending", "order": tied}
    ]


def test_an_earlier_round_breaks_a_tie_before_the_draw_does() -> None:
    """a and b are level when c is out, and a was ahead before."""
    cast = [Ballot(ranking=(("a",),), weight=4), Ballot(ranking=(("b",),), weight=3)]
    cast += [Ballot(ranking=(("c",), ("b",))), Ballot(ranking=(("d",), ("a",)), weight=Fraction(1, 2))]
    cast += [Ballot(ranking=(("d",), ("b",)), weight=Fraction(1, 2))]
    for seed in ("1", "2", "3", "4"):
        found = count("irv", OPTIONS, cast, tie_seed=seed)
        last = found.rounds[-2]
        assert (last.totals["a"], last.totals["b"]) == (Fraction(9, 2), Fraction(9, 2))
        assert (found.winners, found.tie_breaks[-1].rule) == (("a",), "previous rounds")


@pytest.mark.parametrize(
    ("method", "ballot", "said"),
    [
        ("dice", Ballot(choice="a"), "unknown method"),
        ("plurality", Ballot(choice="z"), "unknown option"),
        ("plurality", Ballot(approved=("a",)), "with choice"),
        ("approval", Ballot(approved=("a", "a")), "once"),
        ("approval", Ballot(approved="ab"), "collection"),
        ("score", Ballot(scores={"a": 6}), "0 to 5"),
        ("star", Ballot(scores={"a": -1}), "0 to 5"),
        ("irv", Ballot(ranking=(("a", "b"),)), "equal ranks"),
        ("stv", Ballot(ranking=(("a", "b"),)), "equal ranks"),
        ("schulze", Ballot(ranking=(("a",), ("a",))), "once"),
        ("schulze", Ballot(ranking=("a", "b")), "tuple of tuples"),  # type: ignore[arg-type]
        ("schulze", Ballot(ranking=(("a",),), choice="a"), "nothing beside"),
        ("plurality", Ballot(choice="a", weight=0), "positive"),
        ("plurality", Ballot(choice="a", weight=1.5), "int or Fraction"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_counted_is_refused(method: str, ballot: Ballot, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        count(method, OPTIONS, [ballot])


@pytest.mark.parametrize(("options", "seats"), [((), 1), (("a", "a"), 1), (("a",), 2), (("a",), 0)])
def test_a_count_needs_distinct_options_and_no_more_seats_than_those(options: tuple[str, ...], seats: int) -> None:
    with pytest.raises(ValueError, match=r"option|seats"):
        count("plurality", options, [], seats=seats)
