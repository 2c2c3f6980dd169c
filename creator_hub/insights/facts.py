"""From a person's history in a group to the fact of one day. Pure: no session, no clock.

A person is at one of three levels: outside, inside, subscribed. Joins and departures are the steps between them: coming
in is a join; going out, or ceasing to be a subscriber, is a departure. Whoever leaves the group while a paid period
runs is a subscriber until it ends, for that is how long they have paid.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

OUTSIDE, INSIDE, SUBSCRIBED = range(3)
MONTHS = {"month": 12, "year": 1}
# A subscription that ended this long after the last paid period had its grace: the money did not come.
GRACE_BEGINS_AFTER = timedelta(days=1)
BEFORE = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Stay:
    """An entitlement interval [starts_at, ends_at)."""

    tier_id: uuid.UUID
    rank: int
    source: str
    starts_at: datetime
    ends_at: datetime | None
    ended_reason: str | None


@dataclass(frozen=True, slots=True)
class PaidPeriod:
    """What one payment bought: [starts_at, ends_at) of a monthly or yearly price."""

    starts_at: datetime
    ends_at: datetime
    amount_minor: int
    interval: str

    @property
    def annual_minor(self) -> int:
        return self.amount_minor * MONTHS[self.interval]


@dataclass(frozen=True, slots=True)
class BanSpan:
    starts_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class History:
    """All that is known of a person in a group."""

    user_id: uuid.UUID
    stays: tuple[Stay, ...]
    paid: tuple[PaidPeriod, ...] = ()
    bans: tuple[BanSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """A row of membership_facts, but for its group and day."""

    user_id: uuid.UUID
    tier_id: uuid.UUID | None
    state: str
    annual_minor: int
    first_day: date
    first_paid_day: date | None
    joined: bool
    left_reason: str | None


def start_of(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def end_of(day: date) -> datetime:
    """The last moment of a UTC day."""
    return start_of(day + timedelta(days=1)) - BEFORE


def fact_of(history: History, day: date, at: datetime) -> Fact | None:
    """What `history` comes to on `day`, seen at `at` (within the day); None when the person has no part in the day."""
    joined, left_reason = _steps(history, start_of(day), at)
    level = _level(history, at)
    if level == OUTSIDE and left_reason is None:
        return None
    best = _best(history, at) if level != OUTSIDE else None
    payment = _latest(period for period in history.paid if period.amount_minor > 0 and _holds(period, at))
    state = _state(history, best, payment, at)
    return Fact(
        user_id=history.user_id,
        tier_id=best.tier_id if best else None,
        state=state,
        annual_minor=payment.annual_minor if payment and state == "paying" else 0,
        first_day=min(stay.starts_at for stay in history.stays).date(),
        first_paid_day=_first_paid_day(history, at),
        joined=joined,
        left_reason=left_reason,
    )


def _steps(history: History, start: datetime, at: datetime) -> tuple[bool, str | None]:
    """Whether the person came in between `start` and `at`, and why they last stepped down."""
    joined, left_reason = False, None
    level = _level(history, start - BEFORE)
    for moment in _turning_points(history, start, at):
        now = _level(history, moment)
        joined = joined or (level == OUTSIDE and now > OUTSIDE)
        if now < level and (now == OUTSIDE or level == SUBSCRIBED):
            left_reason = _reason(history, moment)
        level = now
    return joined, left_reason


def _turning_points(history: History, start: datetime, at: datetime) -> list[datetime]:
    spans: list[Stay | BanSpan] = [*history.stays, *history.bans]
    moments = {moment for span in spans for moment in (span.starts_at, span.ends_at) if moment is not None}
    return sorted(moment for moment in moments if start <= moment <= at)


def _level(history: History, at: datetime) -> int:
    if any(_holds(ban, at) for ban in history.bans):
        return OUTSIDE
    held = {stay.source for stay in history.stays if _holds(stay, at)}
    return SUBSCRIBED if "subscription" in held else INSIDE if held else OUTSIDE


def _best(history: History, at: datetime) -> Stay:
    """The stay of the highest tier; among equals the subscription, then the longer one, as people would see it."""
    held = [stay for stay in history.stays if _holds(stay, at)]
    return max(held, key=lambda stay: (stay.rank, stay.source == "subscription", stay.starts_at, stay.tier_id))


def _state(history: History, best: Stay | None, payment: PaidPeriod | None, at: datetime) -> str:
    if best is None:
        return "gone"
    if _level(history, at) != SUBSCRIBED:
        return "free"
    if payment is not None:
        return "paying"
    return "grace" if _first_paid_day(history, at) else "trialing"


def _first_paid_day(history: History, at: datetime) -> date | None:
    starts = [period.starts_at for period in history.paid if period.amount_minor > 0 and period.starts_at <= at]
    return min(starts).date() if starts else None


def _reason(history: History, at: datetime) -> str:
    """Why a person stepped down at this moment, in the four words of the report."""
    if any(ban.starts_at == at for ban in history.bans):
        return "banned"
    ended = [stay for stay in history.stays if stay.ends_at == at]
    stay = max(ended, key=lambda stay: (stay.source == "subscription", stay.rank, stay.tier_id))
    if stay.ended_reason == "banned":
        return "banned"
    if stay.source != "subscription":
        return "voluntary"
    if stay.ended_reason in ("refunded", "disputed"):
        return "refunded"
    paid_until = max((period.ends_at for period in history.paid if period.starts_at <= at), default=None)
    ran_dry = paid_until is not None and at - paid_until > GRACE_BEGINS_AFTER
    return "payment_failed" if stay.ended_reason == "payment_failed" or ran_dry else "voluntary"


def _holds(span: Stay | PaidPeriod | BanSpan, at: datetime) -> bool:
    return span.starts_at <= at and (span.ends_at is None or at < span.ends_at)


def _latest(periods: Iterable[PaidPeriod]) -> PaidPeriod | None:
    return max(periods, key=lambda period: (period.starts_at, period.ends_at, period.amount_minor), default=None)
