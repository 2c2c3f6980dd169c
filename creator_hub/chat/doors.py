"""The ways to load a message: through its channel."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from creator_hub.chat.models import Message, RemovedText, Upload
from creator_hub.core.access import Actor, Permission, Principal, require
from creator_hub.core.errors import Gone, NotFound
from creator_hub.groups.doors import ChannelDoor, channel_by_id
from creator_hub.groups.models import Channel, Group
from creator_hub.groups.standing import Standing


@dataclass(frozen=True, slots=True)
class MessageDoor:
    message: Message
    channel: Channel
    group: Group
    standing: Standing


def message_by_id(session: Session, actor: Actor, message_id: uuid.UUID, permission: Permission) -> MessageDoor:
    """A message this actor may use so. Authors count as themselves; what is deleted is gone for everybody."""
    actor.person()  # the anonymous are asked to sign in before anything is looked up
    message = session.get(Message, message_id)
    if message is None:
        actor.proved.add(permission)
        raise NotFound
    door = _through_channel(session, actor, message)
    principals = set(door.standing.principals)
    if message.author_id == actor.user_id:
        principals.add(Principal.SELF)
    elif permission is Permission.EDIT_OWN:
        principals = set()
    require(actor, permission, principals)
    if message.deleted_at is not None:
        raise Gone("This message was deleted.", code="message_deleted")
    return MessageDoor(message, door.channel, door.group, door.standing)


@dataclass(frozen=True, slots=True)
class RemovedDoor:
    message: Message
    removed: RemovedText
    channel: Channel
    group: Group


def removed_by_id(session: Session, actor: Actor, message_id: uuid.UUID) -> RemovedDoor:
    """What a moderator removed and is still kept, for those who moderate its group; never for its author as such."""
    actor.person()
    message = session.get(Message, message_id, populate_existing=True)
    if message is None:
        actor.proved.add(Permission.MODERATE)
        raise NotFound
    door = channel_by_id(session, actor, message.channel_id, Permission.MODERATE)
    removed = session.get(RemovedText, message_id)
    if removed is None:
        raise NotFound
    return RemovedDoor(message, removed, door.channel, door.group)


@dataclass(frozen=True, slots=True)
class UploadDoor:
    upload: Upload


def upload_by_id(session: Session, actor: Actor, upload_id: uuid.UUID, permission: Permission) -> UploadDoor:
    """A picture, for whoever may read its message; unsent ones are their author's alone."""
    actor.person()
    row = session.get(Upload, upload_id)
    if row is None or (row.message_id is None and row.owner_id != actor.user_id):
        actor.proved.add(permission)
        raise NotFound
    if row.message_id is None:
        channel_by_id(session, actor, row.channel_id, permission)
    else:
        message_by_id(session, actor, row.message_id, permission)
    return UploadDoor(row)


def _through_channel(session: Session, actor: Actor, message: Message) -> ChannelDoor:
    return channel_by_id(session, actor, message.channel_id, Permission.READ_CHANNEL)
