"""Survival, forecast and lift against published figures and against an independent implementation."""

from __future__ import annotations

import math
import random
import warnings

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from creator_hub.insights.forecast import fit_sbg
from creator_hub.insights.lift import Effect, NotEnough, complier_effect, itt, people_needed
from creator_hub.insights.survival import chi_squared_tail, kaplan_meier, log_rank

# Weeks of remission in acute leukaemia, Freireich et al., Blood 21 (1963): 6-mercaptopurine (+: censored) and placebo.
DRUG = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [bool(x) for x in (1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0)]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
# Percent of customers surviving, Fader & Hardie 2007, table 1.
HIGH_END = [100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1]
REGULAR = [100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1]


def test_remission_on_the_drug_as_published() -> None:
    curve = kaplan_meier(DRUG, RELAPSED)
    assert curve.times == (6, 7, 10, 13, 16, 22, 23)
    assert curve.at_risk == (21, 17, 15, 12, 11, 7, 6)
    assert curve.events == (3, 1, 1, 1, 1, 1, 1)
    assert [round(share, 3) for share in curve.survival] == [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    assert curve.median == 23
    assert [curve.at(week) for week in (0, 5.9, 6, 100)] == [1.0, 1.0, curve.survival[0], curve.survival[-1]]


def test_the_drug_against_placebo_as_published() -> None:
    test = log_rank([(DRUG, RELAPSED), (PLACEBO, [True] * 21)])
    assert test.statistic == pytest.approx(16.79, abs=0.005)
    assert test.p == pytest.approx(4.17e-5, rel=0.005)
    assert kaplan_meier(PLACEBO, [True] * 21).median == 8


def test_nobody_left_has_no_curve_and_everybody_left_no_interval() -> None:
    assert kaplan_meier([3, 4], [False, False]).times == ()
    assert kaplan_meier([], []).median is None
    gone = kaplan_meier([1, 2], [True, True])
    assert (gone.survival, gone.lower[-1], gone.upper[-1]) == ((0.5, 0.0), None, None)
    assert log_rank([([1, 2], [True, True])]).p == 1.0
    assert log_rank([([1], [False]), ([2], [False])]).p == 1.0


@pytest.mark.parametrize(("durations", "observed"), [([-1.0], [True]), ([math.nan], [True]), ([1.0], [True, False])])
def test_what_is_no_duration_is_refused(durations: list[float], observed: list[bool]) -> None:
    with pytest.raises(ValueError):
        kaplan_meier(durations, observed)


people = st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=2, max_size=60)


@settings(max_examples=50, deadline=None)
@given(people)
def test_curves_agree_with_scipy(sample: list[tuple[int, bool]]) -> None:
    durations, observed = [d for d, _ in sample], [o for _, o in sample]
    curve = kaplan_meier(durations, observed)
    left = [d for d, o in sample if o]
    theirs = stats.ecdf(stats.CensoredData(uncensored=left, right=[d for d, o in sample if not o])).sf
    assert curve.survival == pytest.approx([float(theirs.evaluate(t)) for t in curve.times])
    shown = [i for i, share in enumerate(curve.survival) if share > 0]
    if shown:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # where the curve is 0 or 1 there is no band
            band = theirs.confidence_interval(method="log-log")
        for i in shown:
            assert curve.lower[i] == pytest.approx(float(band.low.evaluate(curve.times[i])))
            assert curve.upper[i] == pytest.approx(float(band.high.evaluate(curve.times[i])))


@settings(max_examples=50, deadline=None)
@given(people, people)
def test_log_rank_agrees_with_scipy(one: list[tuple[int, bool]], two: list[tuple[int, bool]]) -> None:
    ours = log_rank([([d for d, _ in s], [o for _, o in s]) for s in (one, two)])
    samples = [
        stats.CensoredData(uncensored=[d for d, o in s if o], right=[d for d, o in s if not o]) for s in (one, two)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = stats.logrank(*samples)
    if math.isnan(theirs.statistic):
        assert ours.p == 1.0
    else:
        assert ours.statistic == pytest.approx(theirs.statistic**2, abs=1e-9)
        assert ours.p == pytest.approx(theirs.pvalue, abs=1e-9)


def test_three_groups_and_the_tail_of_chi_squared() -> None:
    same = ([1, 2, 3, 4], [True] * 4)
    assert log_rank([same, same, same]).statistic == pytest.approx(0, abs=1e-12)
    far = log_rank([([1, 1, 1, 2, 2], [True] * 5), ([5, 5, 6, 6, 7], [True] * 5), ([9, 9, 9, 10, 11], [True] * 5)])
    assert far.p < 0.001
    for degrees in range(1, 8):
        for x in (0.1, 1.0, 4.2, 30.0):
            assert chi_squared_tail(x, degrees) == pytest.approx(float(stats.chi2.sf(x, degrees)), rel=1e-12)


@pytest.mark.parametrize(("survivors", "alpha", "beta"), [(HIGH_END, 0.668, 3.806), (REGULAR, 0.704, 1.182)])
def test_renewals_as_published(survivors: list[float], alpha: float, beta: float) -> None:
    model = fit_sbg(survivors)
    assert (round(model.alpha, 3), round(model.beta, 3)) == (alpha, beta)
    assert not model.is_geometric
    # B(α, β + t) / B(α, β)
    for t in range(13):
        closed = special.beta(model.alpha, model.beta + t) / special.beta(model.alpha, model.beta)
        assert model.survival(t) == pytest.approx(closed)
    assert model.retention(3) == pytest.approx(model.survival(3) / model.survival(2))


@settings(max_examples=25, deadline=None)
@given(st.floats(0.2, 5), st.floats(0.2, 20), st.integers(3, 12), st.integers(0, 10**6))
def test_no_other_parameters_are_likelier(alpha: float, beta: float, periods: int, seed: int) -> None:
    luck = random.Random(seed)  # noqa: S311 - no secret
    drops = [
        next((t for t in range(1, periods + 1) if luck.random() < p), None)
        for p in (luck.betavariate(alpha, beta) for _ in range(200))
    ]
    survivors = [sum(d is None or d > t for d in drops) for t in range(periods + 1)]

    def minus_likelihood(logs: tuple[float, float]) -> float:
        a, b = numpy.exp(numpy.clip(logs, -30, 30))
        lost = [survivors[t - 1] - survivors[t] for t in range(1, periods + 1)]
        chance = [special.betaln(a + 1, b + t - 1) - special.betaln(a, b) for t in range(1, periods + 1)]
        kept = survivors[-1] * (special.betaln(a, b + periods) - special.betaln(a, b))
        return -float(sum(d * c for d, c in zip(lost, chance, strict=True)) + kept)

    model = fit_sbg(survivors)
    if model.is_geometric:
        return
    ours = minus_likelihood((math.log(model.alpha), math.log(model.beta)))
    theirs = optimize.minimize(minus_likelihood, (0.0, 0.0), method="Nelder-Mead")
    assert ours <= theirs.fun + 1e-6 * abs(theirs.fun)


def test_constant_churn_is_said_to_be_constant() -> None:
    for survivors, churn in (
        ([1000, 800, 640, 512], 0.2),
        ([100, 100, 100], 0.0),
        ([10, 0], 1.0),
        ([100, 90, 70], 30 / 190),
    ):
        model = fit_sbg(survivors)
        assert model.is_geometric
        assert model.churn == pytest.approx(churn)
        assert model.survival(2) == pytest.approx((1 - churn) ** 2)


def test_what_a_member_is_still_worth() -> None:
    geometric = fit_sbg([1000, 800, 640])
    # Σ 0.8^k / 1.1^(k-1), k ≥ 1
    assert geometric.remaining_value(0, value=500, discount=0.1) == pytest.approx(500 * 0.8 / (1 - 0.8 / 1.1))
    model = fit_sbg(REGULAR)
    n, d = 2, 0.1
    closed = model.retention(n + 1) * special.hyp2f1(
        1, model.beta + n + 1, model.alpha + model.beta + n + 1, 1 / (1 + d)
    )
    assert model.remaining_value(n, value=1, discount=d) == pytest.approx(float(closed))
    with pytest.raises(ValueError):
        model.remaining_value(0, value=1, discount=0)


@pytest.mark.parametrize("survivors", [[], [5], [0, 0], [5, 6], [5, -1], [5, math.nan]])
def test_what_are_no_survivors_is_refused(survivors: list[float]) -> None:
    with pytest.raises(ValueError):
        fit_sbg(survivors)


def test_the_difference_of_two_shares_as_published() -> None:
    # Newcombe 1998, table II, method 10, example (a): 56/70 against 48/80.
    effect = itt([1] * 56 + [0] * 14, [1] * 48 + [0] * 32)
    assert isinstance(effect, Effect)
    assert (round(effect.estimate, 4), round(effect.lower, 4), round(effect.upper, 4)) == (0.2, 0.0524, 0.3339)
    assert effect.is_clear


def test_amounts_get_the_welch_interval() -> None:
    treated, control = [float(n % 7) for n in range(60)], [float(n % 5) for n in range(60)]
    effect = itt(treated, control)
    assert isinstance(effect, Effect)
    spread = math.sqrt(numpy.var(treated, ddof=1) / 60 + numpy.var(control, ddof=1) / 60)
    assert effect.upper - effect.estimate == pytest.approx(1.959964 * spread, rel=1e-5)
    assert not effect.is_clear or effect.lower > 0


def test_too_little_is_said_to_be_too_little() -> None:
    few = itt([1] * 10, [0] * 10)
    assert isinstance(few, NotEnough)
    assert "10 people" in few.reason
    assert isinstance(itt([0] * 100, [0] * 99 + [1]), NotEnough)
    assert isinstance(itt([], []), NotEnough)
    nobody_came = complier_effect([0, 1] * 50, [0, 1] * 50, [False] * 100)
    assert isinstance(nobody_came, NotEnough)


def test_the_effect_on_those_who_followed_the_invitation() -> None:
    # Half of the invited came; of those 60 % were there a week later, of everybody else 20 %.
    treated = [1] * 60 + [0] * 40 + [1] * 20 + [0] * 80
    came = [True] * 100 + [False] * 100
    control = [1] * 40 + [0] * 160
    effect = complier_effect(treated, control, came)
    assert isinstance(effect, Effect)
    assert effect.estimate == pytest.approx(0.4)
    assert effect.lower < 0.4 < effect.upper
    with pytest.raises(ValueError):
        complier_effect(treated, control, came[:-1])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_when_all_come_the_effect_on_them_is_the_whole_effect(seed: int) -> None:
    luck = random.Random(seed)  # noqa: S311 - no secret
    treated, control = [luck.gauss(1, 1) for _ in range(80)], [luck.gauss(0, 1) for _ in range(80)]
    all_came, whole = complier_effect(treated, control, [True] * 80), itt(treated, control)
    assert isinstance(all_came, Effect)
    assert isinstance(whole, Effect)
    assert (all_came.estimate, all_came.lower, all_came.upper) == pytest.approx(
        (whole.estimate, whole.lower, whole.upper)
    )


def test_how_many_people_it_takes() -> None:
    # 10 % against 15 %, halves of equal size, 80 %: 683 a side by the unpooled formula.
    assert people_needed(0.10, 0.05) == pytest.approx(2 * 683, abs=4)
    assert people_needed(0.10, 0.05, held_back=0.2) > people_needed(0.10, 0.05)
    with pytest.raises(ValueError):
        people_needed(0.5, 0)
