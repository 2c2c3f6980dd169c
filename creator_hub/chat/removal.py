"""Taking messages away, and giving back what a moderator took.

An author's deletion is final. What a moderator removes is kept for thirty days, for undo and appeal.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from creator_hub import streams
from creator_hub.chat import markup, mentions, queries
from creator_hub.chat.doors import removed_by_id
from creator_hub.chat.models import Message, RemovedText
from creator_hub.chat.service import locked_message, pictures_of, rewrite_creation
from creator_hub.core import clock
from creator_hub.core.access import Actor, Permission
from creator_hub.groups import audit

KEEP_REMOVED = timedelta(days=30)


def delete_message(session: Session, actor: Actor, message_id: uuid.UUID, *, reason: str | None = None) -> int:
    """Delete for everybody; returns the deletion's seq. Every earlier payload of it becomes a tombstone."""
    door = locked_message(session, actor, message_id, Permission.DELETE_MESSAGE)
    message = door.message
    by = "author" if message.author_id == actor.user_id else "moderator"
    if by == "moderator":
        session.add(RemovedText(message_id=message.id, text=message.text, until=clock.now() + KEEP_REMOVED))
        audit.note(session, door.group, actor, "message.removed", subject_id=message.author_id, reason=reason)
    message.text, message.html, message.deleted_at, message.deleted_by = "", "", clock.now(), by
    session.flush()
    mentions.note(session, message, ())
    rewrite_creation(session, message, ())
    for seq in queries.edits_of(session, message):
        streams.rewrite(
            session, message.channel_id, seq, {"id": str(message.id), "text": "", "html": "", "edited_at": None}
        )
    return streams.append(
        session, message.channel_id, "message.deleted", {"id": str(message.id), "by": by}, subject_id=message.id
    ).seq


def restore_message(session: Session, actor: Actor, message_id: uuid.UUID) -> Message:
    """Give back what a moderator removed; the stream tells it as `message.restored` with the whole message."""
    channel_id = removed_by_id(session, actor, message_id).message.channel_id
    streams.lock(session, [channel_id])
    door = removed_by_id(session, actor, message_id)
    message, removed = door.message, door.removed
    named = mentions.people_named(session, door.group, door.channel, removed.text)
    message.text, message.html = removed.text, markup.to_html(removed.text, named)
    message.deleted_at = message.deleted_by = None
    session.delete(removed)
    session.flush()
    mentions.note(session, message, named.values())
    data = rewrite_creation(session, message, pictures_of(session, message))
    audit.note(session, door.group, actor, "message.restored", subject_id=message.author_id)
    streams.append(session, channel_id, "message.restored", data, subject_id=message.id)
    return message


def forget_removed(session: Session) -> None:
    """Drop what moderators removed once the time for appeals is over."""
    session.execute(delete(RemovedText).where(RemovedText.until <= clock.now()))
