"""Reads and writes the rows of facts and rollups. Nothing here decides anything."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Table, and_, delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from creator_hub.insights.facts import CashDay, Origin, Person, Status, Step
from creator_hub.insights.models import CohortRollup, DailyRollup, MemberFact, MembershipCash, MembershipStep
from creator_hub.insights.rollups import CohortKey, DayKey, Key, Sums

PERSONAL = (MembershipStep, MembershipCash, MemberFact)
ROLLUPS: dict[type[DayKey] | type[CohortKey], type[DailyRollup] | type[CohortRollup]] = {
    DayKey: DailyRollup,
    CohortKey: CohortRollup,
}
ROWS_AT_ONCE = 5_000


def people(session: Session, group_id: uuid.UUID, user_ids: Sequence[uuid.UUID]) -> list[Person]:
    """These people as their facts are written now."""
    steps, cash = defaultdict(list), defaultdict(list)
    for step in _rows_of(session, MembershipStep, group_id, user_ids):
        steps[step.user_id].append(step)
    for row in _rows_of(session, MembershipCash, group_id, user_ids):
        cash[row.user_id].append(row)
    return [
        Person(
            user_id=fact.user_id,
            origin=Origin(fact.campaign, fact.invite_id),
            steps=tuple(_step(row) for row in sorted(steps[fact.user_id], key=lambda row: row.at)),
            cash=tuple(
                CashDay(row.day, row.tier_id, row.paid_minor, row.refunded_minor, row.payments)
                for row in cash[fact.user_id]
            ),
            first_day=fact.first_day,
            first_paid_day=fact.first_paid_day,
            first_paid_tier_id=fact.first_paid_tier_id,
            subscribed_at=fact.subscribed_at,
            unsubscribed_at=fact.unsubscribed_at,
            trial_at=fact.trial_at,
            trial_day=fact.trial_day,
            converted=fact.converted,
        )
        for fact in _rows_of(session, MemberFact, group_id, user_ids)
    ]


def _rows_of(session: Session, model: Any, group_id: uuid.UUID, user_ids: Sequence[uuid.UUID]) -> list[Any]:
    query = select(*model.__table__.columns).where(model.group_id == group_id, model.user_id.in_(list(user_ids)))
    return list(session.execute(query))


def _step(row: Any) -> Step:
    return Step(
        at=row.at,
        until=row.until,
        day=row.day,
        was=Status(row.was_state, row.was_tier_id, row.was_annual_minor),
        now=Status(row.state, row.tier_id, row.annual_minor),
        joined=row.joined,
        left_reason=row.left_reason,
        movement=row.movement,
    )


def replace_people(
    session: Session, group_id: uuid.UUID, user_ids: Sequence[uuid.UUID], people: Iterable[Person]
) -> None:
    """Write the facts of these people in place of what was there."""
    for model in PERSONAL:
        session.execute(delete(model).where(model.group_id == group_id, model.user_id.in_(list(user_ids))))
    for model, rows in _as_rows(group_id, people).items():
        _insert(session, model, rows)


def _as_rows(group_id: uuid.UUID, people: Iterable[Person]) -> dict[Any, list[dict[str, Any]]]:
    rows: dict[Any, list[dict[str, Any]]] = {model: [] for model in PERSONAL}
    for person in people:
        whose = {"group_id": group_id, "user_id": person.user_id}
        rows[MemberFact].append(
            whose
            | {"campaign": person.origin.campaign, "invite_id": person.origin.invite_id}
            | {
                name: getattr(person, name)
                for name in Person.__slots__
                if name not in ("user_id", "origin", "steps", "cash")
            }
        )
        rows[MembershipCash] += [whose | asdict(row) for row in person.cash]
        rows[MembershipStep] += [
            whose
            | {
                "at": step.at,
                "until": step.until,
                "day": step.day,
                "was_state": step.was.state,
                "was_tier_id": step.was.tier_id,
                "was_annual_minor": step.was.annual_minor,
                "state": step.now.state,
                "tier_id": step.now.tier_id,
                "annual_minor": step.now.annual_minor,
                "joined": step.joined,
                "left_reason": step.left_reason,
                "movement": step.movement,
            }
            for step in person.steps
        ]
    return rows


def add(session: Session, group_id: uuid.UUID, sums: Sums) -> None:
    """Add to the rollups; a row that comes to nothing goes, so that what is left is what a rebuild would write."""
    by_key: dict[Key, dict[str, int]] = defaultdict(dict)
    for (key, name), amount in sums.items():
        if amount:
            by_key[key][name] = amount
    for kind, model in ROLLUPS.items():
        changed = {key: figures for key, figures in by_key.items() if isinstance(key, kind)}
        if changed:
            _add(session, model, group_id, changed)


def _add(session: Session, model: Any, group_id: uuid.UUID, changed: dict[Any, dict[str, int]]) -> None:
    table: Table = model.__table__
    names = ["group_id", *next(iter(changed)).__slots__]
    figures = [column.name for column in table.columns if column.name not in names]
    rows = [
        {"group_id": group_id} | asdict(key) | {name: amounts.get(name, 0) for name in figures}
        for key, amounts in changed.items()
    ]
    # One order for everybody who adds to the same rows, whatever order their people came in.
    rows.sort(key=lambda row: [str(row[name]) for name in names])
    new = upsert(table)
    added = {name: table.c[name] + new.excluded[name] for name in figures}
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        session.execute(new.on_conflict_do_update(index_elements=names, set_=added), rows[begin : begin + ROWS_AT_ONCE])
    dates = {getattr(key, names[-1] if isinstance(key, CohortKey) else "day") for key in changed}
    when = table.c.period if "period" in names else table.c.day
    nothing = and_(*(table.c[name] == 0 for name in figures))
    session.execute(delete(table).where(table.c.group_id == group_id, when.in_(dates), nothing))


def forget(session: Session, group_id: uuid.UUID) -> None:
    """Delete every membership fact and rollup of the group."""
    for model in (*PERSONAL, *ROLLUPS.values()):
        session.execute(delete(model).where(model.group_id == group_id))


def _insert(session: Session, model: Any, rows: list[dict[str, Any]]) -> None:
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        session.execute(insert(model), rows[begin : begin + ROWS_AT_ONCE])
