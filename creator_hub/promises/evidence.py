"""What the creator did, by their own account: staff, moderators and bots never count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from creator_hub.chat.models import Message
from creator_hub.core.schemas import rfc3339
from creator_hub.groups.models import Channel, Group
from creator_hub.promises.models import Promise
from creator_hub.voting.chain_models import Chain, Round
from creator_hub.voting.models import Poll
from creator_hub.voting.qa_models import QaSession, Question


@dataclass(frozen=True, slots=True)
class Found:
    """`items` are what fans are shown; `done` of `wanted` is how far it goes. `is_late` means that it can no longer be
    kept, `is_settled` that it is kept whatever follows."""

    items: list[dict[str, Any]]
    done: int
    wanted: int
    is_late: bool = False
    is_settled: bool = False


def find(
    session: Session,
    promise: Promise,
    group: Group,
    from_at: datetime,
    until_at: datetime,
    due_at: datetime,
    now: datetime,
) -> Found:
    """The evidence for [from_at, until_at), with what came in the grace up to `due_at`, as known at `now`."""
    upto = min(due_at, now)
    if promise.kind == "messages":
        return _days_written(session, promise, group, from_at, upto)
    if promise.kind == "qa":
        return _counted(promise, _sessions(session, group, from_at, upto))
    if promise.kind == "episode":
        return _counted(promise, _episodes(session, group, from_at, upto))
    return _answers(session, promise, group, from_at, until_at, now)


def last_sign(session: Session, group: Group) -> datetime | None:
    """When the creator last wrote, answered, or opened a round, a poll or a Q&A."""
    mine = (
        select(func.max(Message.sent_at))
        .join(Channel, Channel.id == Message.channel_id)
        .where(Channel.group_id == group.id, Message.author_id == group.owner_id),
        select(func.max(Question.answered_at))
        .join(QaSession, QaSession.id == Question.session_id)
        .join(Channel, Channel.id == QaSession.channel_id)
        .where(Channel.group_id == group.id, Question.answered_by == group.owner_id),
        select(func.max(QaSession.created_at))
        .join(Channel, Channel.id == QaSession.channel_id)
        .where(Channel.group_id == group.id, QaSession.created_by == group.owner_id),
        select(func.max(Round.opened_at))
        .join(Chain, Chain.id == Round.chain_id)
        .where(Chain.group_id == group.id, Round.opened_by == group.owner_id),
        select(func.max(Poll.created_at))
        .join(Channel, Channel.id == Poll.channel_id)
        .where(Channel.group_id == group.id, Poll.created_by == group.owner_id),
    )
    found = [at for at in (session.scalar(query) for query in mine) if at is not None]
    return max(found, default=None)


def _counted(promise: Promise, rows: Sequence[tuple[datetime, str]]) -> Found:
    items = [{"at": rfc3339(at), "what": what} for at, what in rows]
    return Found(items, len(items), promise.count, is_settled=len(items) >= promise.count)


def _days_written(session: Session, promise: Promise, group: Group, from_at: datetime, upto: datetime) -> Found:
    """Different local days on which the creator wrote; ten messages on one day are one day."""
    zone = ZoneInfo(promise.timezone)
    rows = session.scalars(
        select(Message.sent_at)
        .join(Channel, Channel.id == Message.channel_id)
        .where(
            Channel.group_id == group.id,
            Message.author_id == group.owner_id,
            Message.sent_at >= from_at,
            Message.sent_at < upto,
            or_(Message.deleted_at.is_(None), Message.deleted_at >= upto),
        )
        .order_by(Message.sent_at)
    )
    first_of: dict[str, datetime] = {}
    for at in rows:
        first_of.setdefault(at.astimezone(zone).date().isoformat(), at)
    return _counted(promise, [(at, day) for day, at in first_of.items()])


def _sessions(session: Session, group: Group, from_at: datetime, upto: datetime) -> list[tuple[datetime, str]]:
    """Q&A sessions the creator opened and answered something in."""
    answered = (
        select(func.min(Question.answered_at))
        .where(Question.session_id == QaSession.id, Question.answered_by == group.owner_id)
        .scalar_subquery()
    )
    rows = session.execute(
        select(answered, QaSession.title)
        .join(Channel, Channel.id == QaSession.channel_id)
        .where(
            Channel.group_id == group.id,
            QaSession.created_by == group.owner_id,
            answered >= from_at,
            answered < upto,
        )
        .order_by(answered)
    )
    return [(at, title) for at, title in rows if at is not None]


def _episodes(session: Session, group: Group, from_at: datetime, upto: datetime) -> list[tuple[datetime, str]]:
    """Rounds the creator opened that decided an episode: the story went on."""
    rows = session.execute(
        select(Round.decided_at, Chain.title)
        .join(Chain, Chain.id == Round.chain_id)
        .where(
            Chain.group_id == group.id,
            Round.opened_by == group.owner_id,
            Round.state == "decided",
            Round.decided_at >= from_at,
            Round.decided_at < upto,
        )
        .order_by(Round.decided_at)
    )
    return [(at, title) for at, title in rows if at is not None]


def _answers(
    session: Session, promise: Promise, group: Group, from_at: datetime, until_at: datetime, now: datetime
) -> Found:
    """Questions asked in the period, each to be answered by the creator within `count` hours; skipped ones are
    answered by nobody. A period without questions is kept: there was nothing to answer."""
    patience = timedelta(hours=promise.count)
    rows = session.execute(
        select(Question.asked_at, Question.answered_at, Question.answered_by)
        .join(QaSession, QaSession.id == Question.session_id)
        .join(Channel, Channel.id == QaSession.channel_id)
        .where(
            Channel.group_id == group.id,
            Question.asked_at >= from_at,
            Question.asked_at < min(until_at, now),
            Question.state != "removed",
            or_(Question.author_id.is_(None), Question.author_id != group.owner_id),
        )
        .order_by(Question.asked_at)
    ).all()
    in_time = [row for row in rows if row.answered_by == group.owner_id and row.answered_at - row.asked_at <= patience]
    late = [row for row in rows if row not in in_time and row.asked_at + patience <= now]
    items = [{"at": rfc3339(row.asked_at), "what": "answered" if row in in_time else "waiting"} for row in rows]
    over = now >= until_at + patience
    return Found(items, len(in_time), len(rows), bool(late), is_settled=over and not late)
