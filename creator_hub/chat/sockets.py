"""Socket events of chat. Joining, leaving and typing belong to the live edge."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from creator_hub.chat import removal, schemas, service
from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import on
from creator_hub.core.schemas import rfc3339

SENDS = "60/minute"
CHANGES = "120/minute"


@on("message.send", schemas.MessageSend(), Permission.POST, limit=SENDS)
def send(session: Session, actor: Actor, data: dict[str, Any]) -> dict[str, Any]:
    message = service.send(session, actor, data.pop("channel_id"), **data)
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
