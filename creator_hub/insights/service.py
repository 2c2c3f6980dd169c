"""Keeps facts and rollups. Only a worker writes them, never a reader; what changed says itself what is to be done."""

from __future__ import annotations

import uuid
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from creator_hub.core import clock, outbox
from creator_hub.groups.models import Group
from creator_hub.insights import activity, history, snapshot, writing
from creator_hub.insights.facts import person_of
from creator_hub.insights.models import ActivityMark, FactProgress, PersonChange
from creator_hub.insights.rollups import Sums, sums_of

REFRESH, COUNT = "insights.refresh", "insights.count"
GROUPS_AT_ONCE = 100
# Activity is counted again this often while there is some; the membership follows at once.
COUNT_EVERY = timedelta(minutes=5)


def ask_for_refresh(session: Session) -> int:
    """Have a worker bring up to date every group whose people changed. The newest change is the key: asking twice for
    the same changes is asking once."""
    pending = session.execute(
        select(PersonChange.group_id, func.max(PersonChange.id))
        .group_by(PersonChange.group_id)
        .order_by(func.min(PersonChange.id))
        .limit(GROUPS_AT_ONCE)
    ).all()
    for group_id, newest in pending:
        outbox.record(session, REFRESH, {"group_id": str(group_id)}, key=f"{group_id}:{newest}")
    return len(pending)


def ask_for_count(session: Session) -> int:
    """Have a worker count the activity of every group that had some since it was last counted, or that has not been
    counted since its day began."""
    now = clock.now()
    marked = select(ActivityMark.group_id).where(ActivityMark.at > now - 2 * COUNT_EVERY)
    due = session.scalars(
        select(Group.id)
        .outerjoin(FactProgress, FactProgress.group_id == Group.id)
        .where(
            func.coalesce(FactProgress.counted_until, Group.created_at) < now - COUNT_EVERY,
            or_(
                FactProgress.counted_until.is_(None),
                Group.id.in_(marked),
                FactProgress.counted_until < now - timedelta(hours=1),
            ),
        )
        .order_by(FactProgress.counted_until.nulls_first(), Group.id)
        .limit(GROUPS_AT_ONCE)
    ).all()
    slot = int(now.timestamp() // COUNT_EVERY.total_seconds())
    for group_id in due:
        outbox.record(session, COUNT, {"group_id": str(group_id)}, key=f"{group_id}:{slot}")
    return len(due)


def refresh(session: Session, group_id: uuid.UUID) -> int:
    """Take over what changed; returns how many people were looked at. Running it again changes nothing.

    Changes are taken off the list before the sources are read: whatever commits later notes a change of its own.
    """
    group, progress = _locked(session, group_id)
    changed = session.scalars(
        delete(PersonChange).where(PersonChange.group_id == group_id).returning(PersonChange.user_id)
    ).all()
    if None in changed:
        _rewrite(session, group, progress)
        return 0
    people = sorted({user_id for user_id in changed if user_id is not None})
    for begin in range(0, len(people), history.PEOPLE_AT_ONCE):
        _take_over(session, group, people[begin : begin + history.PEOPLE_AT_ONCE])
    return len(people)


def count(session: Session, group_id: uuid.UUID) -> None:
    """Count what people did since it was last counted, and look anew at what only a worker has the time for."""
    group, progress = _locked(session, group_id)
    _count(session, group, progress)
    snapshot.take(session, group)


def rebuild(session: Session, group_id: uuid.UUID) -> None:
    """Forget the group's facts and make them again from the sources."""
    group, progress = _locked(session, group_id)
    session.execute(delete(PersonChange).where(PersonChange.group_id == group_id))
    _rewrite(session, group, progress)


def _locked(session: Session, group_id: uuid.UUID) -> tuple[Group, FactProgress]:
    session.execute(upsert(FactProgress).values(group_id=group_id).on_conflict_do_nothing())
    progress = session.scalars(
        select(FactProgress)
        .where(FactProgress.group_id == group_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    return session.get_one(Group, group_id, populate_existing=True), progress


def _take_over(session: Session, group: Group, user_ids: list[uuid.UUID]) -> None:
    zone = ZoneInfo(group.timezone)
    sums = Sums()
    for person in writing.people(session, group.id, user_ids):
        sums.subtract(sums_of(person))
    people = [person_of(found, zone) for found in history.of_people(session, group.id, user_ids)]
    for person in people:
        sums.update(sums_of(person))
    writing.replace_people(session, group.id, user_ids, people)
    writing.add(session, group.id, sums)


def _rewrite(session: Session, group: Group, progress: FactProgress) -> None:
    writing.forget(session, group.id)
    zone, sums = ZoneInfo(group.timezone), Sums()
    for user_ids in history.everybody(session, group.id):
        people = [person_of(found, zone) for found in history.of_people(session, group.id, user_ids)]
        for person in people:
            sums.update(sums_of(person))
        writing.replace_people(session, group.id, user_ids, people)
    writing.fill(session, group.id, sums)
    activity.forget(session, group.id)
    progress.counted_until = None
    _count(session, group, progress)


def _count(session: Session, group: Group, progress: FactProgress) -> None:
    now = clock.now()
    activity.count(session, group, progress.counted_until, now)
    progress.counted_until = now
