"""Access as a function of entitlement intervals and a moment. Pure: no session, no clock.

An interval is half open, [starts_at, ends_at); an `ends_at` of None never ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from creator_hub.groups.models import Tier

NO_RANK = -1


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of time in which a person holds a tier, and what granted it."""

    tier: Tier
    source: str
    starts_at: datetime
    ends_at: datetime | None

    def contains(self, moment: datetime) -> bool:
        return self.starts_at <= moment and (self.ends_at is None or moment < self.ends_at)


def best_at(intervals: Iterable[Interval], moment: datetime) -> Interval | None:
    """The interval of the highest tier held at `moment`; among equals the one that lasts longest."""
    held = [interval for interval in intervals if interval.contains(moment)]
    return max(held, key=_strength, default=None)


def _strength(interval: Interval) -> tuple[int, bool, float]:
    ends_at = interval.ends_at
    return interval.tier.rank, ends_at is None, ends_at.timestamp() if ends_at else 0.0


def covered_until(intervals: Sequence[Interval], min_rank: int, moment: datetime) -> datetime | None:
    """Up to when tiers of `min_rank` or more are held without a gap from `moment` on; None means without end.

    `moment` itself comes back when nothing covers it.
    """
    reached = moment
    strong = [interval for interval in intervals if interval.tier.rank >= min_rank]
    while holding := [interval for interval in strong if interval.contains(reached)]:
        ends = [interval.ends_at for interval in holding]
        if None in ends:
            return None
        reached = max(end for end in ends if end is not None)
    return reached
