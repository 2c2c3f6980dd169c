"""Promising, and excusing. What was promised before stays for those who bought under it."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from creator_hub.core import clock
from creator_hub.core.errors import Conflict
from creator_hub.core.ids import new_id
from creator_hub.groups.access_changes import lock_group
from creator_hub.groups.models import Group
from creator_hub.promises import cadence
from creator_hub.promises.models import OPEN_STATES, Period, Promise

EXCUSES_A_YEAR = 2
YEAR = timedelta(days=365)


def make(
    session: Session,
    group: Group,
    *,
    kind: str,
    count: int,
    every: str,
    timezone: str | None,
    grace_hours: int,
    remedy: str,
    remedy_value: int,
    evidence: str,
) -> Promise:
    """Promise something from the next whole period on; the same kind again is the next version, for new buyers."""
    lock_group(session, group.id)
    now, zone = clock.now(), timezone or group.timezone
    current = session.scalars(
        select(Promise).where(Promise.group_id == group.id, Promise.kind == kind, Promise.replaced_at.is_(None))
    ).one_or_none()
    if current is not None:
        current.replaced_at = now
        session.flush()
    promise = Promise(
        id=new_id(),
        group_id=group.id,
        version=current.version + 1 if current else 1,
        kind=kind,
        count=count,
        every=every,
        timezone=zone,
        grace_hours=grace_hours,
        remedy=remedy,
        remedy_value=remedy_value,
        evidence=evidence,
        starts_on=cadence.first_day(every, now.astimezone(ZoneInfo(zone)).date()),
        created_at=now,
        replaced_at=None,
    )
    session.add(promise)
    return promise


def excuse(session: Session, promise: Promise, period: Period, reason: str) -> Period:
    """Say in time, and in public, why a period will not be kept. Raises Conflict `period_settled` once it is judged and
    `no_excuses_left` beyond two a year."""
    lock_group(session, promise.group_id)
    session.refresh(period, with_for_update=True)
    if period.state not in OPEN_STATES:
        raise Conflict("This period is settled. What is settled stays.", code="period_settled")
    used = session.scalar(
        select(func.count())
        .select_from(Period)
        .join(Promise, Promise.id == Period.promise_id)
        .where(
            Promise.group_id == promise.group_id,
            Promise.kind == promise.kind,
            Period.state == "excused",
            Period.settled_at > clock.now() - YEAR,
        )
    )
    if (used or 0) >= EXCUSES_A_YEAR:
        raise Conflict(
            "Both excuses of the last twelve months are used. The period is judged by what comes.",
            code="no_excuses_left",
        )
    period.state, period.excuse, period.settled_at = "excused", reason, clock.now()
    return period
