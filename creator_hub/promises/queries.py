"""Reads of promises: what stands, what became of each period, and how often the creator's word was kept."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub.core.paging import Page, PageRequest, paginate
from creator_hub.groups.models import Group
from creator_hub.promises.judging import words
from creator_hub.promises.models import OPEN_STATES, Period, Promise, Remedy

HISTORY_SHOWN = 24


@dataclass(frozen=True, slots=True)
class PeriodView:
    """A period as it is shown; `mine` is the viewer's own remedy."""

    n: int
    from_at: datetime
    until_at: datetime
    due_at: datetime
    state: str
    evidence: Sequence[dict[str, Any]]
    excuse: str | None
    mine: Remedy | None


@dataclass(frozen=True, slots=True)
class Settled:
    """One line of the public history."""

    promise: str
    kind: str
    n: int
    from_at: datetime
    until_at: datetime
    state: str
    excuse: str | None


@dataclass(frozen=True, slots=True)
class Reliability:
    """`kept_percent`: of the periods that were kept or missed, the part that was kept; None before the first. Excused
    ones are neither, and are shown."""

    kept_percent: int | None
    kept: int
    missed: int
    excused: int
    promises: Sequence[str]
    history: Sequence[Settled]


def promises_of(session: Session, group: Group, asked: PageRequest) -> Page[Promise]:
    return paginate(session, select(Promise).where(Promise.group_id == group.id), Promise.id, asked)


def periods_of(session: Session, promise: Promise, asked: PageRequest, viewer: uuid.UUID | None) -> Page[PeriodView]:
    page = paginate(session, select(Period).where(Period.promise_id == promise.id), Period.id, asked)
    mine = {
        remedy.period_id: remedy
        for remedy in session.scalars(
            select(Remedy).where(Remedy.user_id == viewer, Remedy.period_id.in_([row.id for row in page.items]))
        )
    }
    return Page([view(row, mine.get(row.id)) for row in page.items], page.next)


def view(row: Period, mine: Remedy | None = None) -> PeriodView:
    return PeriodView(row.n, row.from_at, row.until_at, row.due_at, row.state, row.evidence, row.excuse, mine)


def reliability(session: Session, group: Group) -> Reliability:
    """Over everything the group ever promised, every version."""
    rows = session.execute(
        select(Period, Promise)
        .join(Promise, Promise.id == Period.promise_id)
        .where(Promise.group_id == group.id, Period.state.not_in(OPEN_STATES))
        .order_by(Period.until_at.desc(), Period.id.desc())
    ).all()
    states = [period.state for period, _ in rows]
    kept, missed = states.count("kept"), states.count("missed") + states.count("remedied")
    current = session.scalars(
        select(Promise).where(Promise.group_id == group.id, Promise.replaced_at.is_(None)).order_by(Promise.kind)
    ).all()
    return Reliability(
        kept_percent=100 * kept // (kept + missed) if kept + missed else None,
        kept=kept,
        missed=missed,
        excused=states.count("excused"),
        promises=[words(promise) for promise in current],
        history=[
            Settled(words(promise), promise.kind, p.n, p.from_at, p.until_at, p.state, p.excuse)
            for p, promise in rows[:HISTORY_SHOWN]
        ],
    )


def due_soon(session: Session, group: Group) -> Sequence[tuple[Period, Promise]]:
    """The periods that run, those at risk first."""
    rows = session.execute(
        select(Period, Promise)
        .join(Promise, Promise.id == Period.promise_id)
        .where(Promise.group_id == group.id, Period.state.in_(OPEN_STATES))
        .order_by(Period.state, Period.due_at)
    ).all()
    return [(period, promise) for period, promise in rows]
