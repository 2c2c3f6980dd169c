"""How long subscribers stay, and how many will renew: the facts handed to the pure statistics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Integer, cast, extract, func, null, or_, select
from sqlalchemy.orm import Session

from creator_hub.core.money import Money
from creator_hub.groups.models import Group, Tier
from creator_hub.insights.facts import MONTHS
from creator_hub.insights.forecast import Sbg, fit_sbg
from creator_hub.insights.models import MemberFact, MembershipCash
from creator_hub.insights.queries import summary
from creator_hub.insights.reading import Moment, changes, names_of
from creator_hub.insights.survival import Curve, Sample, Test, kaplan_meier, log_rank

SurvivalBy = Literal["tier", "campaign"]
SURVIVAL_BY: tuple[SurvivalBy, ...] = ("tier", "campaign")
DAY_S = 86_400
MONTH = timedelta(days=30.4375)
# A renewal that comes late, within the grace, still comes.
LATE = timedelta(days=15)
FEWEST_STARTED, MOST_PERIODS, PROJECTED = 30, 12, 24


@dataclass(frozen=True, slots=True)
class NamedCurve:
    name: str
    people: int
    curve: Curve


@dataclass(frozen=True, slots=True)
class Survival:
    """Curves in days since the first payment; `log_rank` compares them where there are several."""

    curves: Sequence[NamedCurve]
    log_rank: Test | None


@dataclass(frozen=True, slots=True)
class Period:
    """Of a hundred who started, how many are there after so many renewals: as it happened, and by the model."""

    period: int
    actual: float | None
    fitted: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """`model` is None when there is too little to fit, and `note` says so; it also says when churn is constant."""

    started: int
    model: Sbg | None
    periods: Sequence[Period]
    remaining_value: Money | None
    discount_rate: float
    note: str | None


def survival(session: Session, group: Group, moment: Moment, by: SurvivalBy | None) -> Survival:
    """Kaplan–Meier curves of the first subscription: left when it ended, censored when it runs."""
    samples = _samples(session, group, moment, by)
    names = names_of(session, group, by) if by else {}
    curves = [
        NamedCurve(_name(names, part, by), len(durations), kaplan_meier(durations, observed))
        for part, (durations, observed) in samples.items()
    ]
    several = len(curves) > 1
    return Survival(sorted(curves, key=lambda c: c.name), log_rank(list(samples.values())) if several else None)


def _name(names: dict[object, str], part: object, by: str | None) -> str:
    if by is None:
        return "all"
    return "none" if part is None else names.get(part, str(part))


def _samples(session: Session, group: Group, moment: Moment, by: SurvivalBy | None) -> dict[object, Sample]:
    fact = MemberFact
    part: ColumnElement[Any] = {None: null(), "tier": fact.first_paid_tier_id, "campaign": fact.campaign}[by]  # type: ignore[assignment]
    left = fact.unsubscribed_at <= moment.as_of
    until = func.least(func.coalesce(fact.unsubscribed_at, moment.as_of), moment.as_of)
    days = cast(func.floor(extract("epoch", until - fact.subscribed_at) / DAY_S), Integer)
    rows = session.execute(
        select(part.label("part"), days.label("days"), func.coalesce(left, False).label("left"), func.count())
        .where(fact.group_id == group.id, fact.subscribed_at <= moment.as_of)
        .group_by("part", "days", "left")
    )
    found: dict[object, tuple[list[float], list[bool]]] = defaultdict(lambda: ([], []))
    for part_of, duration, gone, people in rows:
        durations, observed = found[part_of]
        durations += [duration] * people
        observed += [gone] * people
    return dict(found)


def forecast(session: Session, group: Group, moment: Moment, discount: float) -> Forecast:
    """The renewals of monthly subscribers, projected. `discount` is the rate by the year."""
    renewals = _renewals(session, group, moment)
    periods = _periods_seen([age for age, _ in renewals])
    started = [count for age, count in renewals if age >= periods]
    if periods < 1 or len(started) < FEWEST_STARTED:
        note = f"Not enough data: {FEWEST_STARTED} monthly subscribers must have had a month to renew."
        return Forecast(len(renewals), None, (), None, discount, note)
    survivors = [sum(count >= n for count in started) for n in range(periods + 1)]
    model = fit_sbg(survivors)
    return Forecast(
        started=len(started),
        model=model,
        periods=[
            Period(n, survivors[n] / survivors[0] if n <= periods else None, model.survival(n))
            for n in range(PROJECTED + 1)
        ],
        remaining_value=_remaining_value(session, group, moment, model, discount),
        discount_rate=discount,
        note="Churn does not fall with age here: the projection is geometric." if model.is_geometric else None,
    )


def _renewals(session: Session, group: Group, moment: Moment) -> list[tuple[int, int]]:
    """For each monthly subscriber: how many renewals they have been asked for, and how many they made."""
    fact, cash = MemberFact, MembershipCash
    rows = session.execute(
        select(fact.subscribed_at, func.coalesce(func.sum(cash.payments), 1))
        .join(Tier, Tier.id == fact.first_paid_tier_id)
        .outerjoin(
            cash,
            (cash.group_id == fact.group_id)
            & (cash.user_id == fact.user_id)
            & or_(fact.unsubscribed_at.is_(None), cash.day <= func.date(fact.unsubscribed_at)),
        )
        .where(fact.group_id == group.id, fact.subscribed_at <= moment.as_of, Tier.interval == "month")
        .group_by(fact.user_id, fact.subscribed_at)
    )
    return [(max(0, int((moment.as_of - at - LATE) / MONTH)), int(paid) - 1) for at, paid in rows if at is not None]


def _periods_seen(ages: Sequence[int]) -> int:
    """The longest time that enough people have had; everybody counted started at least so long ago."""
    seen = sorted(ages, reverse=True)[:FEWEST_STARTED]
    return min(seen[-1] if len(seen) == FEWEST_STARTED else 0, MOST_PERIODS)


def _remaining_value(session: Session, group: Group, moment: Moment, model: Sbg, discount: float) -> Money | None:
    """What a new subscriber is still expected to pay after the first month, at what paying members pay on average."""
    found = summary(session, group, moment, moment.today, changes(session, group, moment, since=moment.today))
    if not found.members["paying"]:
        return None
    monthly = (1 + discount) ** (1 / MONTHS["month"]) - 1
    arpu = found.mrr.minor / found.members["paying"]
    # An expectation, not money that anybody owes: rounded once, for display.
    return Money(round(model.remaining_value(0, value=arpu, discount=monthly)), group.currency)
