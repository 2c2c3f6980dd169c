"""Where periods begin and end: month ends, leap days, and nights in which the clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from creator_hub.promises.cadence import day_of, first_day, stretch


def test_the_first_period_is_the_first_whole_one() -> None:
    wednesday = date(2026, 11, 25)
    assert first_day("day", wednesday) == date(2026, 11, 26)
    assert first_day("week", wednesday) == date(2026, 11, 30)
    assert first_day("week", date(2026, 11, 30)) == date(2026, 12, 7)
    assert first_day("month", wednesday) == date(2026, 12, 1)
    assert first_day("month", date(2026, 12, 31)) == date(2027, 1, 1)


def test_months_are_as_long_as_they_are() -> None:
    starts = [day_of("month", date(2028, 1, 1), n) for n in range(1, 14)]
    assert starts[:4] == [date(2028, 1, 1), date(2028, 2, 1), date(2028, 3, 1), date(2028, 4, 1)]
    assert starts[12] == date(2029, 1, 1)
    february = stretch("month", date(2028, 1, 1), 2, "UTC", 0)
    assert february.until_at - february.from_at == timedelta(days=29)


@pytest.mark.parametrize(
    ("monday", "hours"), [(date(2026, 3, 23), 167), (date(2026, 10, 19), 169), (date(2026, 6, 1), 168)]
)
def test_a_week_in_which_the_clocks_change_is_an_hour_shorter_or_longer(monday: date, hours: int) -> None:
    week = stretch("week", monday, 1, "Europe/Berlin", 24)
    assert week.until_at - week.from_at == timedelta(hours=hours)
    assert week.due_at - week.until_at == timedelta(hours=24)


def test_a_midnight_that_does_not_exist_is_the_first_moment_after_it() -> None:
    # In Santiago the clocks jump from 24:00 to 1:00 on 6 September 2026.
    day = stretch("day", date(2026, 9, 6), 1, "America/Santiago", 0)
    assert day.until_at - day.from_at == timedelta(hours=23)
    assert day.from_at == datetime(2026, 9, 6, 4, tzinfo=UTC)


def test_periods_follow_each_other_without_a_gap() -> None:
    for every, start in (("day", date(2026, 3, 25)), ("week", date(2026, 3, 2)), ("month", date(2026, 1, 1))):
        spans = [stretch(every, start, n, "America/New_York", 5) for n in range(1, 30)]
        assert all(one.until_at == two.from_at for one, two in pairwise(spans))
        assert all(span.from_at < span.warn_at < span.until_at < span.due_at for span in spans)
