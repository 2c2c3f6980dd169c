"""Who is named in a message, and which of that they have not read.

Only people who can read the channel are named: a mention tells nobody that a channel exists, and a name that is
nobody's here stays a word.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from creator_hub.accounts.models import User
from creator_hub.chat import markup
from creator_hub.chat.models import Mention, Message, ReadMark
from creator_hub.groups.models import Channel, Group
from creator_hub.groups.standing import standing_of

MOST_PER_MESSAGE = 20


def people_named(session: Session, group: Group, channel: Channel, text: str) -> dict[str, uuid.UUID]:
    """Handle → person, for those named in `text` who can read the channel; at most twenty."""
    handles = sorted(markup.handles_in(text))[:MOST_PER_MESSAGE]
    if not handles:
        return {}
    rows = session.execute(select(User.handle, User.id).where(User.handle.in_(handles), User.deleted_at.is_(None)))
    named = {row.handle: row.id for row in rows}
    return {handle: user_id for handle, user_id in named.items() if _reads(session, group, channel, user_id)}


def note(session: Session, message: Message, user_ids: Iterable[uuid.UUID]) -> None:
    """Make these the people whom a message mentions; its author is not told of their own name."""
    session.execute(delete(Mention).where(Mention.message_id == message.id))
    session.add_all(
        Mention(message_id=message.id, user_id=user_id, channel_id=message.channel_id, seq=message.seq)
        for user_id in set(user_ids) - {message.author_id}
    )
    session.flush()


def unread(session: Session, user_id: uuid.UUID, channel_ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, int]:
    """How often a person is named in each channel after their read mark."""
    rows = session.execute(
        select(Mention.channel_id, func.count().label("n"))
        .outerjoin(ReadMark, (ReadMark.channel_id == Mention.channel_id) & (ReadMark.user_id == user_id))
        .where(
            Mention.user_id == user_id,
            Mention.channel_id.in_(list(channel_ids)),
            Mention.seq > func.coalesce(ReadMark.seq, 0),
        )
        .group_by(Mention.channel_id)
    ).all()
    return {row.channel_id: row.n for row in rows}


def _reads(session: Session, group: Group, channel: Channel, user_id: uuid.UUID) -> bool:
    standing = standing_of(session, group, user_id)
    return standing.is_inside and standing.sees(channel)
