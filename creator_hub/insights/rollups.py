"""What one person adds to the rollups. Pure; a group's rollups are the sums over its people.

That makes them incremental without a second way to compute them: take away what a person added before, add what they
add now. Late news changes the days it concerns and nothing else.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from creator_hub.insights.facts import GONE, Person, Status, Step
from creator_hub.insights.periods import GRAINS, period_of

JOINED, PAID = "joined", "paid"
BASES = (JOINED, PAID)


class DayKey(NamedTuple):
    day: date
    tier_id: uuid.UUID | None
    campaign: str | None
    invite_id: uuid.UUID | None


class CohortKey(NamedTuple):
    basis: str
    grain: str
    cohort: date
    period: date


Key = DayKey | CohortKey
# (where, which figure) → how much
Sums = Counter[tuple[Key, str]]


def sums_of(person: Person) -> Sums:
    """Every figure this person adds to, and how much; nothing is zero."""
    sums: Sums = Counter()
    for key, name, amount in (*_by_day(person), *_by_cohort(person)):
        sums[key, name] += amount
    return Counter({key: amount for key, amount in sums.items() if amount})


def _by_day(person: Person) -> Iterator[tuple[Key, str, int]]:
    def key(day: date, tier_id: uuid.UUID | None) -> DayKey:
        return DayKey(day, tier_id, person.origin.campaign, person.origin.invite_id)

    for step in person.steps:
        before, now = key(step.day, step.was.tier_id), key(step.day, step.now.tier_id)
        yield from ((before, name, -amount) for name, amount in _level(step.was))
        yield from ((now, name, amount) for name, amount in _level(step.now))
        if step.joined:
            yield now, "joins", 1
        if step.left_reason is not None:
            yield before, step.left_reason, 1
        if step.movement is not None:
            moved = step.now.annual_minor - step.was.annual_minor
            yield (now if moved > 0 else before), step.movement, abs(moved)
        if step.at == person.trial_at:
            yield now, "trials", 1
            yield now, "conversions", int(person.converted)
    for row in person.cash:
        at = key(row.day, row.tier_id)
        yield at, "paid_minor", row.paid_minor
        yield at, "refunded_minor", row.refunded_minor
        yield at, "payments", row.payments


def _level(status: Status) -> Iterator[tuple[str, int]]:
    if status.state != GONE:
        yield status.state, 1
        yield "annual_minor", status.annual_minor


def _by_cohort(person: Person) -> Iterator[tuple[Key, str, int]]:
    for basis, first in ((JOINED, person.first_day), (PAID, person.first_paid_day)):
        if first is None:
            continue
        for grain in GRAINS:
            cohort = period_of(first, grain)
            yield CohortKey(basis, grain, cohort, cohort), "size", 1
            for step in person.steps:
                yield CohortKey(basis, grain, cohort, period_of(step.day, grain)), "people", _change(basis, step)
            for row in person.cash:
                # Cash of before the first day (paid in advance) is of the first period: a cohort begins with it.
                period = max(cohort, period_of(row.day, grain))
                yield CohortKey(basis, grain, cohort, period), "net_minor", row.paid_minor - row.refunded_minor


def _change(basis: str, step: Step) -> int:
    return int(counts(basis, step.now)) - int(counts(basis, step.was))


def counts(basis: str, status: Status) -> bool:
    """Whether somebody of this status is still here, in the cohorts of people who joined or of people who paid."""
    return status.state != GONE if basis == JOINED else status.state == "paying"
