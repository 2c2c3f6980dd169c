"""What waits for a moderator: reported messages with what was said around them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from creator_hub.accounts.queries import PublicUser, people
from creator_hub.chat.models import Message
from creator_hub.chat.queries import as_wire
from creator_hub.groups.models import Channel, Group
from creator_hub.moderation.models import Report

AROUND = 3


@dataclass(frozen=True, slots=True)
class Case:
    """One reported message. Who reported it is not told to the group's moderators: nobody should fear to report.

    `id` is the first report's; `notes` are (kind, note, words as they were when reported); `context` are wire Messages.
    """

    id: uuid.UUID
    channel: str
    author: PublicUser
    message_id: uuid.UUID
    notes: Sequence[tuple[str, str, str]]
    first_at: datetime
    context: Sequence[dict[str, Any]]


def open_count(session: Session, group: Group) -> int:
    """How many messages wait for a decision."""
    waiting = select(func.count(Report.message_id.distinct())).where(Report.group_id == group.id)
    return session.scalar(waiting.where(Report.state == "open")) or 0


def open_cases(session: Session, group: Group, limit: int) -> list[Case]:
    """Reported messages without a decision, the longest waiting first."""
    rows = session.execute(
        select(Report, Channel.name, Message)
        .join(Channel, Channel.id == Report.channel_id)
        .join(Message, Message.id == Report.message_id)
        .where(Report.group_id == group.id, Report.state == "open")
        .order_by(Report.id)
        .limit(limit * 10)
    ).all()
    cases: dict[uuid.UUID, list[Any]] = {}
    for row in rows:
        cases.setdefault(row.Report.message_id, []).append(row)
    authors = people(session, (row.Report.author_id for row in rows))
    return [_case(session, same, authors) for same in list(cases.values())[:limit]]


def _case(session: Session, rows: Sequence[Any], authors: dict[uuid.UUID, PublicUser]) -> Case:
    first: Report = rows[0].Report
    return Case(
        id=first.id,
        channel=rows[0].name,
        author=authors[first.author_id],
        message_id=first.message_id,
        notes=[(row.Report.kind, row.Report.note, row.Report.quoted) for row in rows],
        first_at=first.created_at,
        context=_around(session, rows[0].Message),
    )


def _around(session: Session, message: Message) -> list[dict[str, Any]]:
    """The message with the few said before and after it."""
    here = select(Message).where(Message.channel_id == message.channel_id)
    before = session.scalars(
        here.where(Message.seq <= message.seq).order_by(Message.seq.desc()).limit(AROUND + 1)
    ).all()
    after = session.scalars(here.where(Message.seq > message.seq).order_by(Message.seq).limit(AROUND)).all()
    return as_wire(session, [*reversed(before), *after])
