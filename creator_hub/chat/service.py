"""Sending, editing, reacting; how far one has read.

Lock order: the channel's stream row first, everything else after. Under that lock the door is asked again, so nobody
slips a message in behind a ban that was waiting for the same row.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from math import ceil
from typing import Any

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from creator_hub import streams
from creator_hub.accounts.doors import user_by_id
from creator_hub.accounts.queries import people
from creator_hub.chat import markup, mentions, queries, uploads
from creator_hub.chat.doors import MessageDoor, message_by_id
from creator_hub.chat.models import LONGEST_MESSAGE, Message, Reaction, ReadMark
from creator_hub.core import clock
from creator_hub.core.access import Actor, Permission
from creator_hub.core.errors import Conflict, HubError, Invalid, NotAllowed, SlowDown
from creator_hub.core.ids import new_id
from creator_hub.core.schemas import rfc3339
from creator_hub.groups.doors import ChannelDoor, channel_by_id, channel_for_each
from creator_hub.groups.mutes import refuse_muted, silenced

EDIT_WINDOW = timedelta(hours=24)
MOST_EMOJI_PER_MESSAGE = 20
STAFF = ("creator", "moderator")
_WORDS_OR_SPACE = re.compile(r"[\w\s<>&\"']", re.ASCII)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person wants to say in a channel."""

    actor: Actor
    client_msg_id: uuid.UUID
    text: str
    reply_to: uuid.UUID | None = None
    attachments: Sequence[uuid.UUID] = ()


@dataclass(frozen=True, slots=True)
class Composed:
    """A message that may be said, with the people it names by handle."""

    draft: Draft
    message: Message
    named: Mapping[str, uuid.UUID]


def send(
    session: Session,
    actor: Actor,
    channel_id: uuid.UUID,
    *,
    client_msg_id: uuid.UUID,
    text: str,
    reply_to: uuid.UUID | None = None,
    attachments: Sequence[uuid.UUID] = (),
) -> Message:
    """Put a message on the channel's stream. The same client id and body again gives the first message again; the same
    id with another body is refused (`same_key_other_body`)."""
    [sent] = send_all(session, channel_id, [Draft(actor, client_msg_id, text, reply_to, attachments)])
    if isinstance(sent, HubError):
        raise sent
    return sent


def send_all(session: Session, channel_id: uuid.UUID, drafts: Sequence[Draft]) -> list[Message | HubError]:
    """Put messages on the channel's stream in this order, each as `send` would: whoever is refused gets the error in
    their place, the others are not touched by it. The lock is taken once, and what is to be known is read once for all.

    At most one draft of a person; drafts with pictures come alone.
    """
    doors = _locked_for_each(session, [draft.actor for draft in drafts], channel_id)
    admitted = [door for door in doors if isinstance(door, ChannelDoor)]
    authors = [draft.actor.person() for draft in drafts]
    earlier = _sent_before(session, channel_id, drafts) if admitted else {}
    muted = silenced(session, admitted[0].group.id, authors) if admitted else set()
    outcomes: list[Message | HubError] = []
    new: list[Composed] = []
    for draft, door, author in zip(drafts, doors, authors, strict=True):
        try:
            if isinstance(door, HubError):
                raise door
            checked = replace(draft, text=_checked(draft.text, may_be_empty=bool(draft.attachments)))
            if author in earlier:
                outcomes.append(_same_or_refused(session, earlier[author], checked))
                continue
            if author in muted:
                refuse_muted(session, door.group.id, draft.actor.person())
            new.append(_compose(session, checked, door))
            outcomes.append(new[-1].message)
        except HubError as refusal:
            outcomes.append(refusal)
    if new:
        _append(session, channel_id, new)
    return outcomes


def _compose(session: Session, draft: Draft, door: ChannelDoor) -> Composed:
    """The message, not yet on the stream, or why it may not be said."""
    _open_to(door)
    _not_too_fast(session, draft.actor, door)
    if draft.reply_to is not None:
        _answerable(session, door.channel.id, draft.reply_to)
    named = mentions.people_named(session, door.group, door.channel, draft.text)
    message = Message(
        id=new_id(),
        channel_id=door.channel.id,
        author_id=draft.actor.person(),
        author_role=door.standing.role if door.standing.role != "none" else "member",
        client_msg_id=draft.client_msg_id,
        text=draft.text,
        html=markup.to_html(draft.text, named),
        reply_to=draft.reply_to,
        sent_at=clock.now(),
    )
    return Composed(draft, message, named)


def _append(session: Session, channel_id: uuid.UUID, new: Sequence[Composed]) -> None:
    """Put them on the stream in one go; the payload of each names its own position."""
    faces = people(session, [composed.message.author_id for composed in new])

    def entry(message: Message) -> streams.Entry:
        def shown(seq: int) -> dict[str, Any]:
            message.seq = seq
            face = faces[message.author_id]
            return queries.wire(message, {"id": face.id, "handle": face.handle, "display_name": face.display_name}, ())

        return streams.Entry(shown, message.author_id, message.client_msg_id, message.id)

    streams.append_all(session, channel_id, "message.created", [entry(composed.message) for composed in new])
    session.add_all(composed.message for composed in new)
    session.flush()
    for composed in new:
        if composed.named:
            mentions.note(session, composed.message, composed.named.values())
        if composed.draft.attachments:
            pictures = uploads.attach(session, composed.message, composed.draft.attachments)
            rewrite_creation(session, composed.message, pictures)


def edit(session: Session, actor: Actor, message_id: uuid.UUID, text: str) -> tuple[Message, int]:
    """Change one's own words within the window; returns the message and the edit's seq."""
    text = _checked(text)
    door = locked_message(session, actor, message_id, Permission.EDIT_OWN)
    message = door.message
    if clock.now() - message.sent_at > EDIT_WINDOW:
        raise NotAllowed("Messages can be edited for 24 hours.", code="edit_window_over")
    _may_speak(session, actor, ChannelDoor(door.channel, door.group, door.standing))
    named = mentions.people_named(session, door.group, door.channel, text)
    message.text, message.html, message.edited_at = text, markup.to_html(text, named), clock.now()
    session.flush()
    mentions.note(session, message, named.values())
    rewrite_creation(session, message, pictures_of(session, message))
    changed = {
        "id": str(message.id),
        "text": message.text,
        "html": message.html,
        "edited_at": rfc3339(message.edited_at),
    }
    return message, streams.append(session, message.channel_id, "message.edited", changed, subject_id=message.id).seq


def react(session: Session, actor: Actor, message_id: uuid.UUID, emoji: str, *, present: bool) -> int | None:
    """Set or take back one emoji; returns the seq, or None when nothing changed."""
    if not 0 < len(emoji) <= 16 or _WORDS_OR_SPACE.search(emoji):
        raise Invalid(errors={"emoji": ["Choose one emoji."]})
    door = locked_message(session, actor, message_id, Permission.POST)
    refuse_muted(session, door.group.id, actor.person())
    message = door.message
    counts = queries.reaction_counts(session, [message.id]).get(message.id, {})
    if present and emoji not in counts and len(counts) >= MOST_EMOJI_PER_MESSAGE:
        raise Conflict("This message has as many different reactions as it can hold.", code="too_many_reactions")
    key = {"message_id": message.id, "emoji": emoji, "user_id": actor.person()}
    if present:
        changed = session.execute(
            insert(Reaction).values(**key, at=clock.now()).on_conflict_do_nothing().returning(Reaction.emoji)
        ).all()
    else:
        changed = session.execute(delete(Reaction).filter_by(**key).returning(Reaction.emoji)).all()
    if not changed:
        return None
    counts = queries.reaction_counts(session, [message.id]).get(message.id, {})
    data = {"message_id": str(message.id), "counts": counts}
    return streams.append(session, message.channel_id, "reaction.changed", data, subject_id=message.id).seq


def mark_read(session: Session, actor: Actor, channel_id: uuid.UUID, seq: int) -> int:
    """Move the read mark forward, never past the head; returns where it stands."""
    channel_by_id(session, actor, channel_id, Permission.READ_CHANNEL)
    upto = min(seq, streams.heads(session, [channel_id])[channel_id])
    mark = insert(ReadMark).values(channel_id=channel_id, user_id=actor.person(), seq=upto)
    session.execute(
        mark.on_conflict_do_update(
            index_elements=["channel_id", "user_id"], set_={"seq": mark.excluded.seq}, where=ReadMark.seq < upto
        )
    )
    return upto


def _locked_for_each(session: Session, actors: Sequence[Actor], channel_id: uuid.UUID) -> list[ChannelDoor | HubError]:
    """Door, lock, door again: strangers never hold the lock, and what the lock waited for is seen."""
    before = channel_for_each(session, actors, channel_id, Permission.POST)
    if all(isinstance(door, HubError) for door in before):
        return before
    streams.lock(session, [channel_id])
    under = channel_for_each(session, actors, channel_id, Permission.POST)
    return [first if isinstance(first, HubError) else second for first, second in zip(before, under, strict=True)]


def locked_message(session: Session, actor: Actor, message_id: uuid.UUID, permission: Permission) -> MessageDoor:
    """A message behind its door, with its channel's stream locked."""
    door = message_by_id(session, actor, message_id, permission)
    streams.lock(session, [door.channel.id])
    session.refresh(door.message)
    return message_by_id(session, actor, message_id, permission)


def _may_speak(session: Session, actor: Actor, door: ChannelDoor) -> None:
    _open_to(door)
    refuse_muted(session, door.group.id, actor.person())


def _open_to(door: ChannelDoor) -> None:
    if door.channel.kind == "announcement" and door.standing.role not in STAFF:
        raise NotAllowed("Only the creator and moderators write in this channel.", code="announcement")


def _not_too_fast(session: Session, actor: Actor, door: ChannelDoor) -> None:
    """Slow mode: one message per member and so many seconds. Staff are not slowed."""
    if not door.channel.slow_seconds or door.standing.role in STAFF:
        return
    last = session.scalar(
        select(Message.sent_at)
        .where(Message.channel_id == door.channel.id, Message.author_id == actor.person())
        .order_by(Message.seq.desc())
        .limit(1)
    )
    wait = door.channel.slow_seconds - (clock.now() - last).total_seconds() if last else 0
    if wait > 0:
        raise SlowDown("Slow mode is on in this channel. Wait a moment.", retry_after=ceil(wait))


def _checked(text: str, *, may_be_empty: bool = False) -> str:
    text = text.strip()
    if not text and not may_be_empty:
        raise Invalid(errors={"text": ["Write something first."]})
    if len(text) > LONGEST_MESSAGE:
        raise Invalid(errors={"text": [f"Messages have at most {LONGEST_MESSAGE} characters."]})
    return text


def _sent_before(session: Session, channel_id: uuid.UUID, drafts: Sequence[Draft]) -> dict[uuid.UUID, Message]:
    """What these people sent here earlier under the same client ids, by author."""
    keys = [(draft.actor.person(), draft.client_msg_id) for draft in drafts]
    rows = session.scalars(
        select(Message).where(
            Message.channel_id == channel_id, tuple_(Message.author_id, Message.client_msg_id).in_(keys)
        )
    )
    return {message.author_id: message for message in rows}


def _same_or_refused(session: Session, earlier: Message, draft: Draft) -> Message:
    """A retry gets its message again, also after it was edited or deleted: the words then differ for a good reason."""
    touched = earlier.edited_at is not None or earlier.deleted_at is not None
    pictures = [each["id"] for each in pictures_of(session, earlier)]
    same = (earlier.text, earlier.reply_to, pictures) == (
        draft.text,
        draft.reply_to,
        [str(each) for each in draft.attachments],
    )
    if not touched and not same:
        raise Conflict("This client_msg_id was used for another message.", code="same_key_other_body")
    return earlier


def _answerable(session: Session, channel_id: uuid.UUID, reply_to: uuid.UUID) -> None:
    """Only a message of the same channel can be replied to: a quote must not carry words across a wall."""
    if session.scalar(select(Message.id).where(Message.id == reply_to, Message.channel_id == channel_id)) is None:
        raise Invalid(errors={"reply_to": ["There is no such message in this channel."]})


def pictures_of(session: Session, message: Message) -> Sequence[Mapping[str, Any]]:
    """A message's pictures as the wire shows them."""
    return uploads.of_messages(session, [message.id]).get(message.id, ())


def rewrite_creation(session: Session, message: Message, pictures: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The creation row always shows the message as it is now, so that history replays to the present. Returns what it
    shows."""
    author = user_by_id(session, message.author_id)
    face = {"id": author.id, "handle": author.handle, "display_name": author.display_name}
    data = queries.wire(message, face, pictures)
    streams.rewrite(session, message.channel_id, message.seq, data)
    return data
