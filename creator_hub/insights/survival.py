"""How long people stay when not all of them have left yet. Pure: lists of numbers in, numbers out.

A duration is *observed* when the person left at its end, and censored when they were still here: all that is known of
them is that they stayed at least so long. Leaving the censored out, or counting them as gone, would both be wrong.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import ClassVar

Z_95 = NormalDist().inv_cdf(0.975)
Sample = tuple[Sequence[float], Sequence[bool]]


@dataclass(frozen=True, slots=True)
class Curve:
    """A step curve: from `times[i]` on (the i-th time at which somebody left) the share `survival[i]` is still here.

    `lower` and `upper` are the 95 % interval; None where there is none, that is once nobody is left. `at_risk` counts
    who was still being watched just before the time, `events` who left at it. Without departures every list is empty.
    """

    times: tuple[float, ...]
    survival: tuple[float, ...]
    lower: tuple[float | None, ...]
    upper: tuple[float | None, ...]
    at_risk: tuple[int, ...]
    events: tuple[int, ...]

    def at(self, time: float) -> float:
        """The share still here at `time`."""
        shares = [share for moment, share in zip(self.times, self.survival, strict=True) if moment <= time]
        return shares[-1] if shares else 1.0

    @property
    def median(self) -> float | None:
        """The first time at which half or fewer are still here; None while more than half are."""
        return next((time for time, share in zip(self.times, self.survival, strict=True) if share <= 0.5), None)


@dataclass(frozen=True, slots=True)
class Test:
    """A chi-squared statistic and how likely one as large is when there is no difference."""

    __test__: ClassVar[bool] = False  # no test case, whatever a test runner makes of the name

    statistic: float
    p: float


def kaplan_meier(durations: Sequence[float], observed: Sequence[bool]) -> Curve:
    """The product-limit estimate S(t) = Π (1 − d/n) (Kaplan & Meier, JASA 53, 1958) with 95 % intervals.

    Intervals: Greenwood's variance on the log(−log S) scale, S^exp(±z·σ), σ² = Σ d/(n(n−d)) / (ln S)² (Kalbfleisch &
    Prentice 1980), which stay inside 0–1. Who is censored at the time of a departure counts as at risk for it.
    Raises ValueError for lists of unequal length and for negative durations.
    """
    left, watched = _counts(durations, observed), len(durations)
    censored = Counter(time for time, seen in zip(durations, observed, strict=True) if not seen)
    rows: list[tuple[float, float, float | None, float | None, int, int]] = []
    survival, greenwood = 1.0, 0.0
    for time in sorted(left.keys() | censored.keys()):
        gone = left[time]
        if gone:
            survival *= 1 - gone / watched
            greenwood += gone / (watched * (watched - gone)) if watched > gone else math.inf
            rows.append((time, survival, *_interval(survival, greenwood), watched, gone))
        watched -= gone + censored[time]
    return Curve(*(tuple(column) for column in zip(*rows, strict=True))) if rows else Curve((), (), (), (), (), ())


def _interval(survival: float, greenwood: float) -> tuple[float | None, float | None]:
    if survival <= 0.0:
        return None, None
    spread = Z_95 * math.sqrt(greenwood) / -math.log(survival)
    return survival ** math.exp(spread), survival ** math.exp(-spread)


def log_rank(groups: Sequence[Sample]) -> Test:
    """Do groups of (durations, observed) leave at the same pace? Mantel 1966, Peto & Peto 1972; k groups, k−1 degrees.

    At each departure the expected number in a group is its share of those at risk; the statistic is (O−E)ᵀ V⁻¹ (O−E)
    over all groups but the last. Without anything to compare (fewer than two groups, nobody left) it is 0 and p is 1.
    """
    departures = [_counts(durations, observed) for durations, observed in groups]
    stayed = [sorted(durations) for durations, _ in groups]
    excess = [0.0] * len(groups)
    variance = [[0.0] * len(groups) for _ in groups]
    for time in sorted(set().union(*departures)):
        at_risk = [len(durations) - bisect_left(durations, time) for durations in stayed]
        total, gone = sum(at_risk), sum(left[time] for left in departures)
        spread = gone * (total - gone) / (total - 1) if total > 1 else 0.0
        shares = [n / total for n in at_risk]
        for i, share in enumerate(shares):
            excess[i] += departures[i][time] - gone * share
            for j, other in enumerate(shares):
                variance[i][j] += spread * share * ((i == j) - other)
    # A group without anybody at risk adds a row of zeros: it says nothing and leaves the comparison.
    telling = [i for i in range(len(groups)) if variance[i][i] > 0]
    kept = telling[:-1]
    if not kept:
        return Test(0.0, 1.0)
    solved = _solve([[variance[i][j] for j in kept] for i in kept], [excess[i] for i in kept])
    statistic = sum(excess[i] * x for i, x in zip(kept, solved, strict=True))
    return Test(statistic, chi_squared_tail(statistic, len(kept)))


def chi_squared_tail(x: float, degrees: int) -> float:
    """P(χ² ≥ x): the recurrence Q(k+2) = Q(k) + (x/2)^(k/2) e^(−x/2) / Γ(k/2+1) (Abramowitz & Stegun 26.4.8)."""
    if x <= 0:
        return 1.0
    tail = math.erfc(math.sqrt(x / 2)) if degrees % 2 else math.exp(-x / 2)
    for k in range(2 - degrees % 2, degrees, 2):
        tail += math.exp(k / 2 * math.log(x / 2) - x / 2 - math.lgamma(k / 2 + 1))
    return tail


def _counts(durations: Sequence[float], observed: Sequence[bool]) -> Counter[float]:
    """How many left at each time."""
    if any(not duration >= 0 for duration in durations):
        raise ValueError("a duration is zero or more")
    return Counter(time for time, seen in zip(durations, observed, strict=True) if seen)


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gaussian elimination with pivoting, for the handful of groups that are ever compared."""
    size = len(right)
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for i in range(size):
        pivot = max(range(i, size), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for r in range(size):
            if r != i:
                factor = rows[r][i] / rows[i][i]
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[i], strict=True)]
    return [rows[i][size] / rows[i][i] for i in range(size)]
