"""Did the invitation cause it? Estimates from a randomised holdout, and an honest refusal where there is too little.

Pure. `treated` are the outcomes of those who were drawn to be invited, `control` of those drawn not to be; outcomes are
0 or 1, or amounts. Who joined without being drawn for it has no place here: members against others is no proof.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, variance

Z_95 = NormalDist().inv_cdf(0.975)
# Below so many people in either half, or so few of either outcome, the normal approximations mean little.
FEWEST_PEOPLE = 30
FEWEST_OF_EACH = 5
MOST_USEFUL_POWER = 0.8


@dataclass(frozen=True, slots=True)
class Effect:
    """An estimated difference with its 95 % interval; `treated` and `control` count people."""

    estimate: float
    lower: float
    upper: float
    treated: int
    control: int

    @property
    def is_clear(self) -> bool:
        """The interval leaves out zero."""
        return self.lower > 0 or self.upper < 0


@dataclass(frozen=True, slots=True)
class NotEnough:
    """There is not enough data to say anything, and why."""

    reason: str
    treated: int
    control: int


def itt(treated: Sequence[float], control: Sequence[float]) -> Effect | NotEnough:
    """The intent-to-treat effect: the difference of the means over everybody drawn, whether they came or not.

    Shares get Newcombe's hybrid of Wilson intervals (Statistics in Medicine 17, 1998, method 10); amounts get the
    unpooled (Welch) interval with the normal quantile.
    """
    lack = _lack(treated, control)
    if lack is not None:
        return lack
    estimate = fmean(treated) - fmean(control)
    if _are_shares(treated) and _are_shares(control):
        below, above = _newcombe(fmean(treated), len(treated), fmean(control), len(control))
    else:
        below = above = Z_95 * math.sqrt(variance(treated) / len(treated) + variance(control) / len(control))
    return Effect(estimate, estimate - below, estimate + above, len(treated), len(control))


def complier_effect(
    treated: Sequence[float],
    control: Sequence[float],
    treated_came: Sequence[bool],
    control_came: Sequence[bool] | None = None,
) -> Effect | NotEnough:
    """The effect on those who come because they are invited: difference of outcomes ÷ difference of coming.

    Angrist, Imbens & Rubin, JASA 91 (1996). `control_came` is nobody unless given. The interval inverts the test of
    Anderson & Rubin (1949), which stays right when few follow the invitation; where it has no end, that is not enough
    data. Assumes that the invitation acts only through coming, and keeps nobody away.
    """
    lack = _lack(treated, control)
    if lack is not None:
        return lack
    came = [[float(x) for x in treated_came], [float(x) for x in control_came or [False] * len(control)]]
    if len(came[0]) != len(treated) or len(came[1]) != len(control):
        raise ValueError("say for each person whether they came")
    more = fmean(came[0]) - fmean(came[1])
    gain = fmean(treated) - fmean(control)
    # (gain − τ·more)² ≤ z² · Σ Var(Y − τ·D)/n is a quadratic in τ.
    syy, syd, sdd = (
        sum(_covariance(x, y) / len(x) for x, y in pairs)
        for pairs in (
            [(treated, treated), (control, control)],
            [(treated, came[0]), (control, came[1])],
            [(came[0], came[0]), (came[1], came[1])],
        )
    )
    square = more**2 - Z_95**2 * sdd
    middle = gain * more - Z_95**2 * syd
    root = middle**2 - square * (gain**2 - Z_95**2 * syy)
    if square <= 0 or root < 0:
        return NotEnough("Too few followed the invitation to tell what it did to them.", len(treated), len(control))
    lower, upper = sorted(((middle - math.sqrt(root)) / square, (middle + math.sqrt(root)) / square))
    return Effect(gain / more, lower, upper, len(treated), len(control))


def people_needed(baseline: float, uplift: float, *, held_back: float = 0.5, power: float = MOST_USEFUL_POWER) -> int:
    """How many people, both halves together, show an `uplift` over `baseline` (shares) with this power at 5 %.

    n = (z₀.₉₇₅ + z_power)² · (p₁q₁/(1−h) + p₀q₀/h) / uplift², h the share that is held back (Fleiss, 1981).
    """
    after = baseline + uplift
    if not (0 <= baseline <= 1 and 0 < after <= 1 and uplift > 0 and 0 < held_back < 1 and 0 < power < 1):
        raise ValueError("shares lie between 0 and 1, and the uplift is more than 0")
    spread = after * (1 - after) / (1 - held_back) + baseline * (1 - baseline) / held_back
    return math.ceil((Z_95 + NormalDist().inv_cdf(power)) ** 2 * spread / uplift**2)


def _lack(treated: Sequence[float], control: Sequence[float]) -> NotEnough | None:
    fewest = min(len(treated), len(control))
    if fewest < FEWEST_PEOPLE:
        reason = f"Not enough data: {fewest} people in the smaller half, {FEWEST_PEOPLE} are the least."
        return NotEnough(reason, len(treated), len(control))
    everybody = [*treated, *control]
    if _are_shares(everybody):
        rarer = min(sum(everybody), len(everybody) - sum(everybody))
        if rarer < FEWEST_OF_EACH:
            reason = f"Not enough data: only {int(rarer)} people differ from the rest, {FEWEST_OF_EACH} are the least."
            return NotEnough(reason, len(treated), len(control))
    return None


def _are_shares(outcomes: Sequence[float]) -> bool:
    return all(outcome in (0, 1) for outcome in outcomes)


def _newcombe(p1: float, n1: int, p0: float, n0: int) -> tuple[float, float]:
    """How far the interval reaches below and above the difference."""
    (low1, high1), (low0, high0) = _wilson(p1, n1), _wilson(p0, n0)
    return math.hypot(p1 - low1, high0 - p0), math.hypot(high1 - p1, p0 - low0)


def _wilson(p: float, n: int) -> tuple[float, float]:
    centre, spread = p + Z_95**2 / (2 * n), Z_95 * math.sqrt(p * (1 - p) / n + Z_95**2 / (4 * n**2))
    whole = 1 + Z_95**2 / n
    return (centre - spread) / whole, (centre + spread) / whole


def _covariance(x: Sequence[float], y: Sequence[float]) -> float:
    mean_x, mean_y = fmean(x), fmean(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / (len(x) - 1)
