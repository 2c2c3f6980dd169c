"""Reporting a message, and deciding about it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from creator_hub.chat import removal
from creator_hub.chat.doors import message_by_id
from creator_hub.chat.models import Message
from creator_hub.core import clock
from creator_hub.core.access import Actor, Permission
from creator_hub.core.errors import Conflict
from creator_hub.core.ids import new_id
from creator_hub.groups import audit
from creator_hub.groups.models import Group
from creator_hub.moderation.models import Report


def report(session: Session, actor: Actor, *, message_id: uuid.UUID, kind: str, note: str) -> Report:
    """Tell the moderators about a message one can read. Once per person and message; not about one's own."""
    door = message_by_id(session, actor, message_id, Permission.READ_CHANNEL)
    message = door.message
    if message.author_id == actor.user_id:
        raise Conflict("This is your own message. You can delete it.", code="own_message")
    row = Report(
        id=new_id(),
        group_id=door.group.id,
        channel_id=door.channel.id,
        message_id=message.id,
        reporter_id=actor.person(),
        author_id=message.author_id,
        kind=kind,
        note=note,
        quoted=message.text,
        state="open",
        created_at=clock.now(),
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict("You have reported this message already. Thank you.", code="already_reported") from None
    return row


def decide(session: Session, actor: Actor, group: Group, row: Report, *, remove: bool, outcome: str) -> Report:
    """Settle every open report of a message: take it away, or leave it. Raises Conflict when somebody already did.

    Removing locks the channel's stream first, as every change of a message does; the reports are locked after it.
    """
    still_there = _is_there(session, row.message_id)
    if remove and still_there:
        removal.delete_message(session, actor, row.message_id, reason=outcome)
    open_reports = _open_reports(session, row.message_id)
    if not open_reports:
        raise Conflict("This report was settled already.", code="already_settled")
    for each in open_reports:
        each.state = "removed" if remove else "dismissed"
        each.handled_at, each.handled_by, each.outcome = clock.now(), actor.person(), outcome
    if not remove:
        audit.note(session, group, actor, "report.dismissed", subject_id=row.author_id, reason=outcome)
    session.flush()
    session.refresh(row)
    return row


def _is_there(session: Session, message_id: uuid.UUID) -> bool:

    return session.scalar(select(Message.deleted_at.is_(None)).where(Message.id == message_id)) or False


def _open_reports(session: Session, message_id: uuid.UUID) -> Sequence[Report]:
    return session.scalars(
        select(Report)
        .where(Report.message_id == message_id, Report.state == "open")
        .order_by(Report.id)
        .with_for_update()
    ).all()
