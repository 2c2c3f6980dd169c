"""From a person's history to the fact of a day: every rule by example."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from creator_hub.insights.facts import BanSpan, History, PaidPeriod, Stay, person_of, status_at

DAY = timedelta(days=1)
UTC_ZONE = ZoneInfo("UTC")
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
FREE, SILVER = uuid.uuid4(), uuid.uuid4()


def free(start: datetime, end: datetime | None = None, reason: str | None = None) -> Stay:
    return Stay(FREE, 0, "free", start, end, reason)


def subscribed(start: datetime, end: datetime | None = None, reason: str | None = None) -> Stay:
    return Stay(SILVER, 1, "subscription", start, end, reason)


def month_of(start: datetime, minor: int = 500) -> PaidPeriod:
    return PaidPeriod(start, start + 30 * DAY, minor, "month")


@dataclass(frozen=True)
class Fact:
    """A person at the end of a day, and what the day brought."""

    state: str
    tier_id: uuid.UUID | None
    annual_minor: int
    first_day: date | None
    joined: bool
    left_reason: str | None


def on(history: History, at: datetime) -> Fact | None:
    person = person_of(history, UTC_ZONE)
    today = [step for step in person.steps if step.day == at.date()]
    end = datetime.combine(at.date() + DAY, time.min, UTC) - timedelta(microseconds=1)
    status = status_at(history, end)
    if status.state == "gone" and not today:
        return None
    reasons = [step.left_reason for step in today if step.left_reason]
    return Fact(
        status.state,
        status.tier_id,
        status.annual_minor,
        person.first_day,
        any(step.joined for step in today),
        reasons[-1] if reasons else None,
    )


def person(*stays: Stay, paid: tuple[PaidPeriod, ...] = (), bans: tuple[BanSpan, ...] = ()) -> History:
    return History(uuid.uuid4(), stays, paid, bans)


def test_whoever_comes_in_has_joined_that_day_and_is_there_the_next() -> None:
    ana = person(free(NOON))
    first, second = on(ana, NOON), on(ana, NOON + DAY)
    assert on(ana, NOON - DAY) is None
    assert first is not None
    assert (first.state, first.joined, first.first_day) == ("free", True, NOON.date())
    assert second is not None
    assert (second.state, second.joined, second.left_reason) == ("free", False, None)


def test_whoever_leaves_is_gone_that_day_and_has_no_fact_the_next() -> None:
    ana = person(free(NOON, NOON + 2 * DAY, "left"))
    last = on(ana, NOON + 2 * DAY)
    assert last is not None
    assert (last.state, last.tier_id, last.left_reason) == ("gone", None, "voluntary")
    assert on(ana, NOON + 3 * DAY) is None


def test_coming_and_going_within_a_day_is_a_join_and_a_departure() -> None:
    fact = on(person(free(NOON, NOON + timedelta(hours=1), "left")), NOON)
    assert fact is not None
    assert (fact.state, fact.joined, fact.left_reason) == ("gone", True, "voluntary")


def test_a_price_counts_by_the_year_so_that_it_adds_up_exactly() -> None:
    monthly = on(person(subscribed(NOON), paid=(month_of(NOON),)), NOON)
    yearly = on(person(subscribed(NOON), paid=(PaidPeriod(NOON, NOON + 365 * DAY, 1000, "year"),)), NOON)
    assert monthly is not None
    assert yearly is not None
    assert (monthly.annual_minor, yearly.annual_minor) == (6000, 1000)


def test_a_trial_brings_nothing_and_neither_does_the_grace_after_a_missed_payment() -> None:
    bo = person(subscribed(NOON), paid=(month_of(NOON + 7 * DAY),))
    states = [on(bo, NOON + n * DAY) for n in (0, 7, 37, 38)]
    assert [(fact.state, fact.annual_minor) for fact in states if fact] == [
        ("trialing", 0),
        ("paying", 6000),
        ("grace", 0),
        ("grace", 0),
    ]


def test_grace_is_no_departure_but_its_end_without_money_is_a_failed_payment() -> None:
    bo = person(subscribed(NOON, NOON + 44 * DAY, "expired"), paid=(month_of(NOON),))
    begins, ends = on(bo, NOON + 30 * DAY), on(bo, NOON + 44 * DAY)
    assert begins is not None
    assert begins.left_reason is None
    assert ends is not None
    assert ends.left_reason == "payment_failed"


@pytest.mark.parametrize(
    ("reason", "shown"),
    [("cancelled", "voluntary"), ("expired", "voluntary"), ("refunded", "refunded"), ("disputed", "refunded")],
)
def test_why_a_subscription_ended(reason: str, shown: str) -> None:
    bo = person(subscribed(NOON, NOON + 30 * DAY, reason), paid=(month_of(NOON),))
    fact = on(bo, NOON + 30 * DAY)
    assert fact is not None
    assert fact.left_reason == shown


def test_a_subscriber_who_becomes_a_free_member_has_departed_and_is_still_here() -> None:
    bo = person(free(NOON), subscribed(NOON, NOON + 3 * DAY, "refunded"), paid=(month_of(NOON),))
    fact = on(bo, NOON + 3 * DAY)
    assert fact is not None
    assert (fact.state, fact.tier_id, fact.left_reason, fact.annual_minor) == ("free", FREE, "refunded", 0)


def test_leaving_with_paid_time_left_is_counted_when_that_time_ends() -> None:
    bo = person(free(NOON, NOON + DAY, "left"), subscribed(NOON, NOON + 30 * DAY, "expired"), paid=(month_of(NOON),))
    leaves, ends = on(bo, NOON + DAY), on(bo, NOON + 30 * DAY)
    assert leaves is not None
    assert (leaves.state, leaves.left_reason) == ("paying", None)
    assert ends is not None
    assert (ends.state, ends.left_reason) == ("gone", "voluntary")


def test_a_ban_puts_a_payer_out_and_its_end_lets_them_back_in() -> None:
    bo = person(subscribed(NOON), paid=(month_of(NOON),), bans=(BanSpan(NOON + DAY, NOON + 3 * DAY),))
    out, back = on(bo, NOON + DAY), on(bo, NOON + 3 * DAY)
    assert out is not None
    assert (out.state, out.left_reason, out.annual_minor) == ("gone", "banned", 0)
    assert on(bo, NOON + 2 * DAY) is None
    assert back is not None
    assert (back.state, back.joined) == ("paying", True)


def test_the_days_are_those_of_where_the_group_lives() -> None:
    late = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)
    days = [
        person_of(person(free(late)), ZoneInfo(zone)).first_day for zone in ("UTC", "Asia/Tokyo", "America/New_York")
    ]
    assert days == [date(2026, 3, 10), date(2026, 3, 11), date(2026, 3, 10)]


def test_a_trial_that_leads_to_a_payment_is_converted_and_one_that_ends_is_not() -> None:
    bo = person_of(person(subscribed(NOON), paid=(month_of(NOON + 7 * DAY),)), UTC_ZONE)
    ana = person_of(person(subscribed(NOON, NOON + 7 * DAY, "cancelled")), UTC_ZONE)
    assert (bo.trial_at, bo.converted) == (NOON, True)
    assert (ana.trial_at, ana.converted) == (NOON, False)


def test_a_late_payment_is_no_end_of_a_subscription() -> None:
    paid = (month_of(NOON), month_of(NOON + 33 * DAY))
    bo = person_of(person(subscribed(NOON, NOON + 63 * DAY, "cancelled"), paid=paid), UTC_ZONE)
    assert [step.movement for step in bo.steps] == ["new", "churn", "reactivation", "churn"]
    assert (bo.subscribed_at, bo.unsubscribed_at) == (NOON, NOON + 63 * DAY)
