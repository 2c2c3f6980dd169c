"""From a person's history in a group to the steps of their membership. Pure: no session, no clock.

A person is at one of three levels: outside, inside, subscribed. Joins and departures are the moves between them: coming
in is a join; going out, or ceasing to be a subscriber, is a departure. Whoever leaves the group while a paid period
runs is a subscriber until it ends, for that is how long they have paid.

What a history says of the future counts too: a paid period that nothing follows yet will end. Steps later than the
moment of reading are simply not read; a renewal moves them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from creator_hub.insights.periods import day_of

OUTSIDE, INSIDE, SUBSCRIBED = range(3)
MONTHS = {"month": 12, "year": 1}
# A subscription that ended this long after the last paid period had its grace: the money did not come.
GRACE_BEGINS_AFTER = timedelta(days=1)
STATES = ("paying", "free", "trialing", "grace")
GONE = "gone"
REASONS = ("voluntary", "payment_failed", "refunded", "banned")
MOVEMENTS = ("new", "expansion", "contraction", "churn", "reactivation")


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
class CashEvent:
    """Money that came in (positive) or went back (negative)."""

    at: datetime
    tier_id: uuid.UUID
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Origin:
    """What brought a person first; both None: they found the way themselves."""

    campaign: str | None = None
    invite_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class History:
    """All that is known of a person in a group."""

    user_id: uuid.UUID
    stays: tuple[Stay, ...]
    paid: tuple[PaidPeriod, ...] = ()
    bans: tuple[BanSpan, ...] = ()
    cash: tuple[CashEvent, ...] = ()
    origin: Origin = Origin()


@dataclass(frozen=True, slots=True)
class Status:
    """What a person is at a moment. `annual_minor`: what their running payment comes to in a year, which adds up
    exactly; MRR is the sum over people divided by twelve, rounded once."""

    state: str
    tier_id: uuid.UUID | None = None
    annual_minor: int = 0


NOBODY = Status(GONE)


@dataclass(frozen=True, slots=True)
class Step:
    """One change of status: `now` holds from `at` until the next step's `at` (`until`, None: for good)."""

    at: datetime
    until: datetime | None
    day: date
    was: Status
    now: Status
    joined: bool
    left_reason: str | None
    movement: str | None


@dataclass(frozen=True, slots=True)
class CashDay:
    """A person's payments for one tier on one day; refunds count positive."""

    day: date
    tier_id: uuid.UUID
    paid_minor: int
    refunded_minor: int
    payments: int


@dataclass(frozen=True, slots=True)
class Person:
    """A person's membership, as the facts keep it.

    `subscribed_at` is when they first paid, `unsubscribed_at` when they first ceased to be a subscriber after that;
    `trial_at` when a trial first began, `converted` whether it led to a payment.
    """

    user_id: uuid.UUID
    origin: Origin
    steps: tuple[Step, ...]
    cash: tuple[CashDay, ...]
    first_day: date | None
    first_paid_day: date | None
    first_paid_tier_id: uuid.UUID | None
    subscribed_at: datetime | None
    unsubscribed_at: datetime | None
    trial_at: datetime | None
    trial_day: date | None
    converted: bool


def person_of(history: History, zone: ZoneInfo) -> Person:
    """What `history` comes to, with days as they are in `zone`."""
    steps = tuple(_steps(history, zone))
    paying = next((step for step in steps if step.now.state == "paying"), None)
    trial = next((step for step in steps if step.now.state == "trialing"), None)
    return Person(
        user_id=history.user_id,
        origin=history.origin,
        steps=steps,
        cash=_cash(history, zone),
        first_day=steps[0].day if steps else None,
        first_paid_day=paying.day if paying else None,
        first_paid_tier_id=paying.now.tier_id if paying else None,
        subscribed_at=paying.at if paying else None,
        unsubscribed_at=_end_of_subscription(steps, paying),
        trial_at=trial.at if trial else None,
        trial_day=trial.day if trial else None,
        converted=_converted(steps, trial, paying),
    )


def status_at(history: History, at: datetime) -> Status:
    """What the person is at `at`."""
    level = _level(history, at)
    if level == OUTSIDE:
        return NOBODY
    best = _best(history, at)
    if level == INSIDE:
        return Status("free", best.tier_id)
    payment = _latest(period for period in history.paid if period.amount_minor > 0 and _holds(period, at))
    if payment is not None:
        return Status("paying", best.tier_id, payment.annual_minor)
    return Status("grace" if _has_paid_before(history, at) else "trialing", best.tier_id)


def _steps(history: History, zone: ZoneInfo) -> Iterable[Step]:
    history = replace(history, paid=_joined(history.paid))
    moments = _turning_points(history)
    was, level, has_paid = NOBODY, OUTSIDE, False
    found = []
    for at in moments:
        now, new_level = status_at(history, at), _level(history, at)
        departs = new_level < level and (new_level == OUTSIDE or level == SUBSCRIBED)
        if now != was:
            found.append(
                Step(
                    at=at,
                    until=None,
                    day=day_of(at, zone),
                    was=was,
                    now=now,
                    joined=level == OUTSIDE,
                    left_reason=_reason(history, at) if departs else None,
                    movement=_movement(was.annual_minor, now.annual_minor, has_paid),
                )
            )
        was, level, has_paid = now, new_level, has_paid or now.annual_minor > 0
    ends = [step.at for step in found[1:]]
    for step, until in zip(found, [*ends, None], strict=True):
        yield Step(step.at, until, step.day, step.was, step.now, step.joined, step.left_reason, step.movement)


def _joined(paid: Iterable[PaidPeriod]) -> tuple[PaidPeriod, ...]:
    """Renewals that follow each other without a gap at the same price are one long period: nothing turns between them.
    Where periods overlap, which of them counts depends on when each began, so they stay as they are."""
    found: list[PaidPeriod] = []
    for period in sorted((p for p in paid if p.amount_minor > 0), key=lambda p: (p.starts_at, p.ends_at)):
        last = found[-1] if found else None
        if last is not None and period.starts_at < last.ends_at:
            return tuple(paid)
        if last is not None and (last.ends_at, last.annual_minor) == (period.starts_at, period.annual_minor):
            found[-1] = replace(last, ends_at=period.ends_at)
        else:
            found.append(period)
    return tuple(found)


def _movement(before: int, now: int, has_paid: bool) -> str | None:
    if before == now:
        return None
    if before == 0:
        return "reactivation" if has_paid else "new"
    if now == 0:
        return "churn"
    return "expansion" if now > before else "contraction"


def _end_of_subscription(steps: Iterable[Step], paying: Step | None) -> datetime | None:
    """Grace is no end: who pays late has not stopped."""
    if paying is None:
        return None
    later = (step for step in steps if step.at > paying.at)
    return next((step.at for step in later if step.now.state not in ("paying", "grace", "trialing")), None)


def _converted(steps: Iterable[Step], trial: Step | None, paying: Step | None) -> bool:
    if trial is None or paying is None:
        return False
    between = (step for step in steps if trial.at < step.at < paying.at)
    return paying.at > trial.at and all(step.now.state not in ("free", GONE) for step in between)


def _cash(history: History, zone: ZoneInfo) -> tuple[CashDay, ...]:
    days: dict[tuple[date, uuid.UUID], tuple[int, int, int]] = {}
    for event in history.cash:
        key = (day_of(event.at, zone), event.tier_id)
        paid, refunded, payments = days.get(key, (0, 0, 0))
        came = max(event.amount_minor, 0)
        days[key] = (paid + came, refunded + came - event.amount_minor, payments + (event.amount_minor > 0))
    return tuple(CashDay(*key, *sums) for key, sums in sorted(days.items()))


def _turning_points(history: History) -> list[datetime]:
    paid = [period for period in history.paid if period.amount_minor > 0]
    spans: list[Stay | BanSpan | PaidPeriod] = [*history.stays, *history.bans, *paid]
    return sorted({moment for span in spans for moment in (span.starts_at, span.ends_at) if moment is not None})


def _level(history: History, at: datetime) -> int:
    if any(_holds(ban, at) for ban in history.bans):
        return OUTSIDE
    held = {stay.source for stay in history.stays if _holds(stay, at)}
    return SUBSCRIBED if "subscription" in held else INSIDE if held else OUTSIDE


def _best(history: History, at: datetime) -> Stay:
    """The stay of the highest tier; among equals the subscription, then the longer one, as people would see it."""
    held = [stay for stay in history.stays if _holds(stay, at)]
    return max(held, key=lambda stay: (stay.rank, stay.source == "subscription", stay.starts_at, stay.tier_id))


def _has_paid_before(history: History, at: datetime) -> bool:
    return any(period.amount_minor > 0 and period.starts_at <= at for period in history.paid)


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
