"""Pure arithmetic of periods and prorations. Times are Unix seconds (UTC), money integer minor units."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from fractions import Fraction

DAY = 86_400


def boundary(anchor: int, interval: str, count: int, n: int) -> int:
    """The n-th period boundary counted from the anchor.

    Always reckoned from the anchor, never from the boundary before: an anchor on the 31st bills on 28 February and
    on 31 March again.
    """
    start = datetime.fromtimestamp(anchor, UTC)
    if interval in ("day", "week"):
        days = n * count * (7 if interval == "week" else 1)
        return int((start + timedelta(days=days)).timestamp())
    months = start.month - 1 + n * count * (12 if interval == "year" else 1)
    year, month = start.year + months // 12, months % 12 + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())


def period_at(anchor: int, interval: str, count: int, moment: int) -> tuple[int, int]:
    """The period [start, end) on the anchor's grid that contains `moment`."""
    average = {"day": DAY, "week": 7 * DAY, "month": 30 * DAY, "year": 365 * DAY}[interval] * count
    n = (moment - anchor) // average
    while boundary(anchor, interval, count, n) > moment:
        n -= 1
    while boundary(anchor, interval, count, n + 1) <= moment:
        n += 1
    return boundary(anchor, interval, count, n), boundary(anchor, interval, count, n + 1)


def round_half_up(value: Fraction) -> int:
    """Nearest integer, halves away from zero."""
    sign = -1 if value < 0 else 1
    return sign * int(abs(value) + Fraction(1, 2))


def share(amount: int, seconds: int, whole: int) -> int:
    """`seconds` of `whole` worth of an amount, half up: Stripe prorates by the second."""
    return round_half_up(Fraction(amount * max(seconds, 0), whole))


def largest_remainder(total: int, weights: list[int]) -> list[int]:
    """Split `total` in proportion to the weights so that the parts add up; the earlier wins a tie."""
    if not weights or not total:
        return [0] * len(weights)
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    parts = [int(value) for value in exact]
    by_remainder = sorted(range(len(weights)), key=lambda index: (parts[index] - exact[index], index))
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return parts


def tax_inside(amount: int, percentage: float) -> int:
    """The tax contained in a price that includes it."""
    rate = Fraction(str(percentage))
    return round_half_up(amount * rate / (100 + rate))


def tax_on_top(amount: int, percentage: float) -> int:
    """The tax added to a price that excludes it."""
    return round_half_up(amount * Fraction(str(percentage)) / 100)


def percent_of(amount: int, percentage: float) -> int:
    """A percentage discount, rounded half up."""
    return round_half_up(amount * Fraction(str(percentage)) / 100)
