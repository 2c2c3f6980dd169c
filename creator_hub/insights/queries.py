"""The overview, its charts and the churn report. Days and months are those of the group's time zone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from creator_hub.core.money import Money
from creator_hub.groups.models import Group
from creator_hub.insights.facts import MOVEMENTS, REASONS, STATES
from creator_hub.insights.models import ActivityRollup
from creator_hub.insights.periods import days_between
from creator_hub.insights.reading import Changes, Figures, Moment, changes, per_month


@dataclass(frozen=True, slots=True)
class Overview:
    """A group at a moment, and what happened in the days before. Movement: contraction and churn count positive."""

    as_of: datetime
    since: date
    members: Mapping[str, int]
    mrr: Money
    movement: Mapping[str, Money]
    joins: int
    departures: Mapping[str, int]
    creator_authored_share: float | None


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    members: int
    paying: int
    mrr: Money
    joins: int
    departures: int


@dataclass(frozen=True, slots=True)
class ChurnMonth:
    """A month's comings and goings; `rate` is departures per member at its start, None when there was none."""

    month: date
    members_at_start: int
    joins: int
    departures: Mapping[str, int]
    rate: float | None


def overview(session: Session, group: Group, moment: Moment, days: int) -> Overview:
    """The group at the moment, with movement, joins and departures of the last `days` days, today included."""
    since = moment.today - timedelta(days=days - 1)
    return summary(session, group, moment, since, changes(session, group, moment, since=since))


def summary(session: Session, group: Group, moment: Moment, since: date, found: Changes) -> Overview:
    """The overview, from what each day since `since` changed."""
    level, window = Figures(), Figures()
    for (day, _), figures in found.items():
        level.update(figures)
        if day is not None:
            window.update(figures)
    return Overview(
        as_of=moment.as_of,
        since=since,
        members={state: level[state] for state in STATES},
        mrr=per_month(group, level["annual_minor"]),
        movement={kind: per_month(group, window[kind]) for kind in MOVEMENTS},
        joins=window["joins"],
        departures={reason: window[reason] for reason in REASONS},
        creator_authored_share=creator_authored_share(session, group, since, moment.today),
    )


def days_of(group: Group, found: Changes, first: date, last: date) -> list[Day]:
    """One row a day from `first` to `last`, from changes since `first`, days without any included."""
    level = Figures(found.get((None, None), {}))
    rows = []
    for day in days_between(first, last):
        today = found.get((day, None), Figures())
        level.update(today)
        rows.append(
            Day(
                day=day,
                members=sum(level[state] for state in STATES),
                paying=level["paying"],
                mrr=per_month(group, level["annual_minor"]),
                joins=today["joins"],
                departures=sum(today[reason] for reason in REASONS),
            )
        )
    return rows


def churn(session: Session, group: Group, moment: Moment, months: Sequence[date]) -> list[ChurnMonth]:
    """One row for each month (by its first day), the running one up to now."""
    found = changes(session, group, moment, since=months[0], grain="month")
    here = _members(found.get((None, None), Figures()))
    rows = []
    for month in months:
        figures = found.get((month, None), Figures())
        departures = {reason: figures[reason] for reason in REASONS}
        rate = round(sum(departures.values()) / here, 4) if here else None
        rows.append(ChurnMonth(month, here, figures["joins"], departures, rate))
        here += _members(figures)
    return rows


def _members(figures: Mapping[str, int]) -> int:
    return sum(figures.get(state, 0) for state in STATES)


def creator_authored_share(session: Session, group: Group, first: date, last: date) -> float | None:
    """Of the messages written in the group on these days, the part the creator wrote: 0–1; None without messages."""
    row = session.execute(
        select(func.sum(ActivityRollup.messages), func.sum(ActivityRollup.creator_messages)).where(
            ActivityRollup.group_id == group.id, ActivityRollup.day.between(first, last)
        )
    ).one()
    total, by_creator = row
    return round(by_creator / total, 4) if total else None
