"""Months counted from an anchor day: the 31st stays the 31st after February."""

from __future__ import annotations

import calendar
from datetime import datetime

FULL_MONTH = 1_000_000  # the weight of a whole month among the parts of a period


def months_after(anchor: datetime, months: int) -> datetime:
    """The same day and time `months` later; the last day of a month that is too short."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    day = min(anchor.day, calendar.monthrange(year, month + 1)[1])
    return anchor.replace(year=year, month=month + 1, day=day)


def month_weights(start: datetime, end: datetime) -> list[int]:
    """The months of [start, end) in order: a whole month weighs FULL_MONTH, a last part of one its share."""
    weights: list[int] = []
    while (begin := months_after(start, len(weights))) < end:
        whole = months_after(start, len(weights) + 1) - begin
        weights.append(max(1, round(FULL_MONTH * min(1.0, (end - begin) / whole))))
    return weights
