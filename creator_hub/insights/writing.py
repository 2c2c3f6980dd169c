"""Reads and writes the rows of facts and rollups. Nothing here decides anything."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Table, and_, delete, select
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
OF_A_PERSON = [name for name in Person.__slots__ if name not in ("user_id", "origin", "steps", "cash")]
Row = tuple[object, ...]


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
    session: Session, group_id: uuid.UUID, user_ids: Sequence[uuid.UUID], people: Sequence[Person]
) -> None:
    """Write the facts of these people in place of what was there."""
    for model in PERSONAL:
        session.execute(delete(model).where(model.group_id == group_id, model.user_id.in_(list(user_ids))))
    _copy(session, MemberFact, (_fact(group_id, person) for person in people))
    _copy(session, MembershipCash, (_cash(group_id, p.user_id, row) for p in people for row in p.cash))
    _copy(session, MembershipStep, (_as_step(group_id, p.user_id, step) for p in people for step in p.steps))


def _fact(group_id: uuid.UUID, person: Person) -> Row:
    origin = (person.origin.campaign, person.origin.invite_id)
    return (group_id, person.user_id, *origin, *(getattr(person, name) for name in OF_A_PERSON))


def _cash(group_id: uuid.UUID, user_id: uuid.UUID, row: CashDay) -> Row:
    return group_id, user_id, row.day, row.tier_id, row.paid_minor, row.refunded_minor, row.payments


def _as_step(group_id: uuid.UUID, user_id: uuid.UUID, step: Step) -> Row:
    was, now = step.was, step.now
    return (
        *(group_id, user_id, step.at, step.until, step.day),
        *(was.state, was.tier_id, was.annual_minor),
        *(now.state, now.tier_id, now.annual_minor),
        *(step.joined, step.left_reason, step.movement),
    )


def fill(session: Session, group_id: uuid.UUID, sums: Sums) -> None:
    """Write the rollups of a group that has none."""
    for kind, model in ROLLUPS.items():
        figures = _figures(model, kind)
        changed = _by_key(sums, kind)
        _copy(session, model, ((group_id, *key, *_amounts(found, figures)) for key, found in changed.items()))


def add(session: Session, group_id: uuid.UUID, sums: Sums) -> None:
    """Add to the rollups; a row that comes to nothing goes, so that what is left is what a rebuild would write."""
    for kind, model in ROLLUPS.items():
        changed = _by_key(sums, kind)
        if changed:
            _add(session, model, kind, group_id, changed)


def _add(
    session: Session, model: Any, kind: type[Key], group_id: uuid.UUID, changed: dict[Any, dict[str, int]]
) -> None:
    table: Table = model.__table__
    figures, names = _figures(model, kind), ["group_id", *_names(kind)]
    # One order for everybody who adds to the same rows, whatever order their people came in.
    keys = sorted(changed, key=lambda key: [str(value) for value in key])
    columns = [*names, *figures]
    rows = [dict(zip(columns, (group_id, *key, *_amounts(changed[key], figures)), strict=True)) for key in keys]
    new = upsert(table)
    added = {name: table.c[name] + new.excluded[name] for name in figures}
    session.execute(new.on_conflict_do_update(index_elements=names, set_=added), rows)
    when = table.c.period if kind is CohortKey else table.c.day
    dates = {key.period if kind is CohortKey else key.day for key in keys}
    nothing = and_(*(table.c[name] == 0 for name in figures))
    session.execute(delete(table).where(table.c.group_id == group_id, when.in_(dates), nothing))


def _by_key(sums: Sums, kind: type[Key]) -> dict[Any, dict[str, int]]:
    found: dict[Any, dict[str, int]] = defaultdict(dict)
    for (key, name), amount in sums.items():
        if amount and isinstance(key, kind):
            found[key][name] = amount
    return found


def _names(kind: type[Key]) -> list[str]:
    return list(kind._fields)


def _figures(model: Any, kind: type[Key]) -> list[str]:
    keys = {"group_id", *_names(kind)}
    return [column.name for column in model.__table__.columns if column.name not in keys]


def _amounts(found: dict[str, int], figures: Sequence[str]) -> Row:
    return tuple(found.get(name, 0) for name in figures)


def forget(session: Session, group_id: uuid.UUID) -> None:
    """Delete every membership fact and rollup of the group."""
    for model in (*PERSONAL, *ROLLUPS.values()):
        session.execute(delete(model).where(model.group_id == group_id))


def _copy(session: Session, model: Any, rows: Iterable[Row]) -> None:
    """COPY: a rebuild writes millions of rows. The columns are the table's, in its order."""
    names = ", ".join(f'"{column.name}"' for column in model.__table__.columns)
    driver: Any = session.connection().connection.cursor()
    with driver, driver.copy(f"COPY {model.__tablename__} ({names}) FROM STDIN") as target:
        for row in rows:
            target.write_row(row)
