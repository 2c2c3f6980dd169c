"""The way to load a report: through its group, for those who keep order there."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.errors import NotFound
from creator_hub.groups.doors import channel_by_id
from creator_hub.groups.models import Group
from creator_hub.moderation.models import Report


@dataclass(frozen=True, slots=True)
class ReportDoor:
    report: Report
    group: Group


def report_by_id(session: Session, actor: Actor, report_id: uuid.UUID) -> ReportDoor:
    """A report, for the moderators of its group. Strangers get the answer for what does not exist."""
    actor.person()
    row = session.get(Report, report_id)
    if row is None:
        actor.proved.add(Permission.MODERATE)
        raise NotFound
    door = channel_by_id(session, actor, row.channel_id, Permission.MODERATE)
    return ReportDoor(row, door.group)
