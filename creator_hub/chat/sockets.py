"""Socket events of chat. Joining, leaving and typing belong to the live edge."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from creator_hub.chat import removal, schemas, service
from creator_hub.chat.models import Message
from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import Together, on
from creator_hub.core.errors import HubError
from creator_hub.core.schemas import rfc3339

SENDS = "60/minute"
CHANGES = "120/minute"


def send_together(session: Session, channel_id: uuid.UUID, asked: Sequence[tuple[Actor, dict[str, Any]]]) -> list[Any]:
    drafts = [service.Draft(actor, data["client_msg_id"], data["text"], data.get("reply_to")) for actor, data in asked]
    sent = service.send_all(session, channel_id, drafts)
    return [one if isinstance(one, HubError) else _acknowledgement(one) for one in sent]


TOGETHER = Together(lambda data: None if data.get("attachments") else data["channel_id"], send_together)


@on("message.send", schemas.MessageSend(), Permission.POST, limit=SENDS, together=TOGETHER)
def send(session: Session, actor: Actor, data: dict[str, Any]) -> dict[str, Any]:
    return _acknowledgement(service.send(session, actor, data.pop("channel_id"), **data))


def _acknowledgement(message: Message) -> dict[str, Any]:
    return {
        "id": str(message.id),
        "seq": message.seq,
        "client_msg_id": str(message.client_msg_id),
        "sent_at": rfc3339(message.sent_at),
    }


@on("message.edit", schemas.MessageEdit(), Permission.EDIT_OWN, limit=CHANGES)
def edit(session: Session, actor: Actor, data: dict[str, Any]) -> dict[str, Any]:
    return {"seq": service.edit(session, actor, data["id"], data["text"])[1]}


@on("message.delete", schemas.MessageRef(), Permission.DELETE_MESSAGE, limit=CHANGES)
def delete(session: Session, actor: Actor, data: dict[str, Any]) -> dict[str, Any]:
    return {"seq": removal.delete_message(session, actor, data["id"])}


@on("reaction.set", schemas.ReactionRef(), Permission.POST, limit=CHANGES)
def react(session: Session, actor: Actor, data: dict[str, Any]) -> dict[str, Any]:
    return {"seq": service.react(session, actor, data["message_id"], data["emoji"], present=True)}


@on("reaction.unset", schemas.ReactionRef(), Permission.POST, limit=CHANGES)
def unreact(session: Session, actor: Actor, data: dict[str, Any]) -> dict[str, Any]:
    return {"seq": service.react(session, actor, data["message_id"], data["emoji"], present=False)}


@on("channel.read", schemas.ChannelRead(), Permission.READ_CHANNEL, limit=CHANGES)
def read(session: Session, actor: Actor, data: dict[str, Any]) -> dict[str, Any]:
    service.mark_read(session, actor, data["channel_id"], data["seq"])
    return {}
