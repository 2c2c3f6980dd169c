"""How many will renew, from how many did: the shifted-beta-geometric model of contract renewals. Pure.

P. Fader and B. Hardie, "How to Project Customer Retention", Journal of Interactive Marketing 21 (2007): each person
drops out at a renewal with a chance of their own, and those chances are Beta(α, β) distributed over people. Retention
then rises with age because the fickle leave first, without anybody changing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

# Beyond α + β of this size every person's chance is the same for all that can be told: the geometric limit.
RUNAWAY = 1e4
STEPS = 200
SMALLEST_DISCOUNT = 1e-4
NEGLIGIBLE = 1e-12


@dataclass(frozen=True, slots=True)
class Sbg:
    """A fitted model. `churn` is set in the geometric limit only, where the chance of dropping out is the same for all
    (α and β have run away to infinity and mean nothing but their ratio)."""

    alpha: float
    beta: float
    churn: float | None = None

    @property
    def is_geometric(self) -> bool:
        return self.churn is not None

    def retention(self, period: int) -> float:
        """The share of those still here after `period − 1` renewals that renews once more; periods count from 1."""
        if period < 1:
            raise ValueError("periods count from 1")
        if self.churn is not None:
            return 1 - self.churn
        return (self.beta + period - 1) / (self.alpha + self.beta + period - 1)

    def survival(self, period: int) -> float:
        """The share of all who started that is still here after `period` renewals; 1 at 0."""
        return math.prod(self.retention(t) for t in range(1, period + 1))

    def remaining_value(self, renewals: int, *, value: float, discount: float) -> float:
        """What a person who has renewed `renewals` times is still expected to pay, discounted to just before the next
        renewal: value · Σ S(n+k)/S(n) / (1+d)^(k−1), k = 1, 2, … (Fader & Hardie 2010, "Customer-base valuation in a
        contractual setting"). `discount` is the rate per period, at least 0.0001: at zero the sum need not end.
        """
        if discount < SMALLEST_DISCOUNT:
            raise ValueError(f"the discount rate per period is at least {SMALLEST_DISCOUNT}")
        total, weight, period = 0.0, 1.0, renewals + 1
        while weight > NEGLIGIBLE:
            weight *= self.retention(period)
            total += weight
            weight /= 1 + discount
            period += 1
        return value * total


def fit_sbg(survivors: Sequence[float]) -> Sbg:
    """Fit by maximum likelihood. `survivors[0]` counts all who started, `survivors[t]` who was left after t renewals.

    log L = Σ dₜ ln(α/(α+β+t−1)) + sₜ ln((β+t−1)/(α+β+t−1)), dₜ lost and sₜ kept in period t: the sBG as hazards.
    Where churn does not fall with age the likelihood has no maximum (α, β → ∞): the geometric limit is returned, whose
    chance is all lost over all asked. Raises ValueError for fewer than one period, no people, or numbers that grow.
    """
    _check(survivors)
    periods = [(t, before - after, after) for t, (before, after) in enumerate(pairwise(survivors), 1)]
    lost, asked = survivors[0] - survivors[-1], sum(survivors[:-1])
    geometric = Sbg(math.inf, math.inf, lost / asked)
    # With nothing lost, everything lost, or one period there is no falling churn to see.
    if not lost or len(periods) < 2 or not any(kept for _, _, kept in periods):
        return geometric
    alpha, beta = _climb(periods, lost / asked)
    return Sbg(alpha, beta) if alpha + beta < RUNAWAY else geometric


def _check(survivors: Sequence[float]) -> None:
    if len(survivors) < 2 or not survivors[0] > 0:
        raise ValueError("survivors begins with all who started, and one period at least must have passed")
    if any(not 0 <= after <= before for before, after in pairwise(survivors)):
        raise ValueError("survivors never grow and are never negative")


def _climb(periods: Sequence[tuple[int, float, float]], churn: float) -> tuple[float, float]:
    """Newton's method on (ln α, ln β), halving steps that do not climb and following the gradient where the surface is
    not concave; gives up beyond RUNAWAY."""
    a, b = math.log(churn), math.log(1 - churn)
    height = _likelihood(periods, a, b)
    for _ in range(STEPS):
        ga, gb, haa, hab, hbb = _slopes(periods, a, b)
        determinant = haa * hbb - hab * hab
        if haa < 0 and determinant > 0:
            da, db = (hab * gb - hbb * ga) / determinant, (hab * ga - haa * gb) / determinant
        else:
            da, db = ga, gb
        longest = max(abs(da), abs(db))
        if longest < NEGLIGIBLE:
            break
        step = min(1.0, 2.0 / longest)
        while step > NEGLIGIBLE and (found := _likelihood(periods, a + step * da, b + step * db)) <= height:
            step /= 2
        if step <= NEGLIGIBLE or math.exp(a) + math.exp(b) >= RUNAWAY:
            break
        a, b, height = a + step * da, b + step * db, found
    return math.exp(a), math.exp(b)


def _likelihood(periods: Sequence[tuple[int, float, float]], a: float, b: float) -> float:
    alpha, beta = math.exp(a), math.exp(b)
    total = 0.0
    for t, lost, kept in periods:
        everyone = math.log(alpha + beta + t - 1)
        total += lost * (a - everyone) + kept * (math.log(beta + t - 1) - everyone)
    return total


def _slopes(
    periods: Sequence[tuple[int, float, float]], a: float, b: float
) -> tuple[float, float, float, float, float]:
    """First and second derivatives of the likelihood by ln α and ln β."""
    alpha, beta = math.exp(a), math.exp(b)
    da = db = daa = dab = dbb = 0.0
    for t, lost, kept in periods:
        everyone, staying = alpha + beta + t - 1, beta + t - 1
        asked = lost + kept
        da += lost / alpha - asked / everyone
        db += kept / staying - asked / everyone
        daa += asked / everyone**2 - lost / alpha**2
        dab += asked / everyone**2
        dbb += asked / everyone**2 - kept / staying**2
    return alpha * da, beta * db, alpha * da + alpha**2 * daa, alpha * beta * dab, beta * db + beta**2 * dbb
