"""When the periods of a promise begin and end. Pure.

Periods are local days, weeks (from Monday) and months, so they are as long as the calendar makes them: a week in which
the clocks change has an hour more or less, a month its own number of days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# A warning leaves a quarter of the period to act, never more than a day and a half.
MOST_WARNING = timedelta(hours=36)
MONTHS_OF_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Stretch:
    """[from_at, until_at), the moment to warn, and `due_at`: the end of the grace, when it is judged."""

    from_at: datetime
    warn_at: datetime
    until_at: datetime
    due_at: datetime


def first_day(every: str, today: date) -> date:
    """The first day of the first whole period after `today`."""
    if every == "day":
        return today + timedelta(days=1)
    if every == "week":
        return today + timedelta(days=7 - today.weekday())
    return day_of(every, today.replace(day=1), 2)


def day_of(every: str, starts_on: date, n: int) -> date:
    """The first day of the n-th period, counted from 1."""
    if every == "month":
        index = starts_on.year * MONTHS_OF_A_YEAR + starts_on.month - 1 + n - 1
        return date(index // MONTHS_OF_A_YEAR, index % MONTHS_OF_A_YEAR + 1, 1)
    return starts_on + timedelta(days=(n - 1) * (7 if every == "week" else 1))


def stretch(every: str, starts_on: date, n: int, timezone: str, grace_hours: int) -> Stretch:
    zone = ZoneInfo(timezone)
    from_at, until_at = (_midnight(day_of(every, starts_on, k), zone) for k in (n, n + 1))
    warning = min((until_at - from_at) / 4, MOST_WARNING)
    return Stretch(from_at, until_at - warning, until_at, until_at + timedelta(hours=grace_hours))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """In UTC, where hours are hours; a midnight that the clocks skip is the first moment after it."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)
