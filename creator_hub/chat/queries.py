"""Reading messages: a page of history, counts, search."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from creator_hub.accounts.queries import people
from creator_hub.chat import uploads
from creator_hub.chat.models import Message, Reaction, ReadMark
from creator_hub.core.schemas import rfc3339
from creator_hub.streams import StreamEvent


def wire(
    message: Message,
    author: Mapping[str, Any],
    attachments: Sequence[Mapping[str, Any]],
    counts: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """The Message of the contract, as JSON values. `author` has id, handle, display_name."""
    return {
        "id": str(message.id),
        "seq": message.seq,
        "channel_id": str(message.channel_id),
        "client_msg_id": str(message.client_msg_id),
        "author": {
            "id": str(author["id"]),
            "handle": author["handle"],
            "display_name": author["display_name"],
            "role": message.author_role,
        },
        "text": message.text,
        "html": message.html,
        "reply_to": str(message.reply_to) if message.reply_to else None,
        "attachments": [] if message.deleted_at else list(attachments),
        "reactions": dict(counts or {}),
        "sent_at": rfc3339(message.sent_at),
        "edited_at": rfc3339(message.edited_at) if message.edited_at else None,
        "deleted": message.deleted_at is not None,
    }


def history(
    session: Session, channel_id: uuid.UUID, viewer: uuid.UUID, before_seq: int | None, limit: int
) -> tuple[list[Any], int | None]:
    """Up to `limit` messages before a seq, oldest first, and the seq to ask before next (None at the beginning). Each
    says how the `viewer` reacted."""
    query = select(Message).where(Message.channel_id == channel_id)
    if before_seq is not None:
        query = query.where(Message.seq < before_seq)
    rows = session.scalars(query.order_by(Message.seq.desc()).limit(limit + 1)).all()
    kept = list(reversed(rows[:limit]))
    mine = reactions_by(session, viewer, [message.id for message in kept])
    shown = [each | {"my_reactions": mine.get(uuid.UUID(each["id"]), [])} for each in as_wire(session, kept)]
    return shown, kept[0].seq if len(rows) > limit else None


def as_wire(session: Session, messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Messages with authors, pictures and reactions, in three queries however many they are."""
    authors = people(session, (message.author_id for message in messages))
    ids = [message.id for message in messages]
    pictures, counts = uploads.of_messages(session, ids), reaction_counts(session, ids)
    return [wire(m, authors[m.author_id].as_json(), pictures.get(m.id, ()), counts.get(m.id)) for m in messages]


def reaction_counts(session: Session, message_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[str, int]]:
    rows = session.execute(
        select(Reaction.message_id, Reaction.emoji, func.count().label("n"))
        .where(Reaction.message_id.in_(list(message_ids)))
        .group_by(Reaction.message_id, Reaction.emoji)
        .order_by(func.min(Reaction.at))
    ).all()
    counts: dict[uuid.UUID, dict[str, int]] = {}
    for row in rows:
        counts.setdefault(row.message_id, {})[row.emoji] = row.n
    return counts


def reactions_by(session: Session, user_id: uuid.UUID, message_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """With which emoji a person reacted, by message."""
    rows = session.execute(
        select(Reaction.message_id, Reaction.emoji)
        .where(Reaction.user_id == user_id, Reaction.message_id.in_(list(message_ids)))
        .order_by(Reaction.at)
    ).all()
    found: dict[uuid.UUID, list[str]] = {}
    for row in rows:
        found.setdefault(row.message_id, []).append(row.emoji)
    return found


def edits_of(session: Session, message: Message) -> Sequence[int]:
    """The stream positions of this message's edits."""
    return session.scalars(
        select(StreamEvent.seq).where(
            StreamEvent.stream_id == message.channel_id,
            StreamEvent.subject_id == message.id,
            StreamEvent.kind == "message.edited",
        )
    ).all()


def read_marks(session: Session, user_id: uuid.UUID, channel_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    rows = session.execute(
        select(ReadMark.channel_id, ReadMark.seq).where(
            ReadMark.user_id == user_id, ReadMark.channel_id.in_(list(channel_ids))
        )
    ).all()
    return {row.channel_id: row.seq for row in rows}


def search(session: Session, channel_ids: Iterable[uuid.UUID], words: str, limit: int) -> list[dict[str, Any]]:
    """Messages that contain every word, newest first. Substrings, so that it works without spaces (Chinese, Thai)."""
    query = select(Message).where(Message.channel_id.in_(list(channel_ids)), Message.deleted_at.is_(None))
    for word in words.split()[:8]:
        query = query.where(Message.text.icontains(word, autoescape=True))
    return as_wire(session, session.scalars(query.order_by(Message.id.desc()).limit(limit)).all())
