"""Days, weeks and months where a group lives. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MONTHS_OF_A_YEAR = 12
DAYS_OF_A_WEEK = 7
GRAINS = ("month", "week")


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day; where the clock jumps over midnight, the first moment there is."""
    return datetime.combine(day, time.min, zone)


def period_of(day: date, grain: str) -> date:
    """The first day of the month, or the Monday of the week, that holds `day`."""
    return day.replace(day=1) if grain == "month" else day - timedelta(days=day.weekday())


def last_day(period: date, grain: str = "month") -> date:
    if grain == "month":
        return (period + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return period + timedelta(days=DAYS_OF_A_WEEK - 1)


def periods_up_to(today: date, count: int, grain: str = "month") -> list[date]:
    """The first days of the last `count` periods, the running one last."""
    running = period_of(today, grain)
    if grain == "week":
        return [running - timedelta(days=DAYS_OF_A_WEEK * n) for n in reversed(range(count))]
    index = running.year * MONTHS_OF_A_YEAR + running.month - 1
    return [date(n // MONTHS_OF_A_YEAR, n % MONTHS_OF_A_YEAR + 1, 1) for n in range(index - count + 1, index + 1)]


def days_between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
