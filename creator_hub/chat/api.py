"""JSON routes of chat."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from creator_hub import streams
from creator_hub.chat import queries, removal, schemas, service
from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import Reply, route
from creator_hub.groups.doors import channel_by_id, group_by_handle
from creator_hub.groups.queries import channels_visible_to

SENDS = "60/minute"


@route(
    "GET",
    "/channels/<uuid:channel_id>/events",
    permission=Permission.READ_CHANNEL,
    query=schemas.EventsQuery(),
    answer=schemas.EventPage(),
)
def list_events(session: Session, actor: Actor, channel_id: uuid.UUID, query: dict[str, int]) -> dict[str, Any]:
    """The channel's stream after a seq, oldest first."""
    channel_by_id(session, actor, channel_id, Permission.READ_CHANNEL)
    head = streams.heads(session, [channel_id])[channel_id]
    return {"items": streams.read_after(session, channel_id, query["after_seq"], query["limit"]), "head_seq": head}


@route(
    "GET",
    "/channels/<uuid:channel_id>/messages",
    permission=Permission.READ_CHANNEL,
    query=schemas.HistoryQuery(),
    answer=schemas.MessagePage(),
)
def list_messages(session: Session, actor: Actor, channel_id: uuid.UUID, query: dict[str, Any]) -> dict[str, Any]:
    """A page of history: the newest before a seq, oldest first; `next` is the seq to ask before."""
    channel_by_id(session, actor, channel_id, Permission.READ_CHANNEL)
    items, before = queries.history(session, channel_id, actor.person(), query["before_seq"], query["limit"])
    return {"items": items, "next": before}


@route(
    "POST",
    "/channels/<uuid:channel_id>/messages",
    permission=Permission.POST,
    body=schemas.MessageIn(),
    answer=schemas.MessageOut(),
    status=201,
    limit=SENDS,
)
def send_message(session: Session, actor: Actor, channel_id: uuid.UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Send a message; retry with the same client_msg_id."""
    return queries.as_wire(session, [service.send(session, actor, channel_id, **body)])[0]


@route(
    "PATCH",
    "/messages/<uuid:message_id>",
    permission=Permission.EDIT_OWN,
    body=schemas.MessagePatch(),
    answer=schemas.MessageOut(),
)
def edit_message(session: Session, actor: Actor, message_id: uuid.UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Edit one's own message."""
    message, _ = service.edit(session, actor, message_id, body["text"])
    return queries.as_wire(session, [message])[0]


@route("DELETE", "/messages/<uuid:message_id>", permission=Permission.DELETE_MESSAGE, status=204)
def delete_message(session: Session, actor: Actor, message_id: uuid.UUID) -> None:
    """Delete a message for everybody."""
    removal.delete_message(session, actor, message_id)


@route("POST", "/messages/<uuid:message_id>/restore", permission=Permission.MODERATE, answer=schemas.MessageOut())
def restore_message(session: Session, actor: Actor, message_id: uuid.UUID) -> dict[str, Any]:
    """Give back what a moderator removed, within thirty days."""
    return queries.as_wire(session, [removal.restore_message(session, actor, message_id)])[0]


@route("PUT", "/messages/<uuid:message_id>/reactions/<emoji>", permission=Permission.POST, answer=schemas.SeqOut())
def set_reaction(session: Session, actor: Actor, message_id: uuid.UUID, emoji: str) -> dict[str, Any]:
    """React with an emoji."""
    return {"seq": service.react(session, actor, message_id, emoji, present=True)}


@route("DELETE", "/messages/<uuid:message_id>/reactions/<emoji>", permission=Permission.POST, answer=schemas.SeqOut())
def unset_reaction(session: Session, actor: Actor, message_id: uuid.UUID, emoji: str) -> dict[str, Any]:
    """Take a reaction back."""
    return {"seq": service.react(session, actor, message_id, emoji, present=False)}


@route(
    "PUT",
    "/channels/<uuid:channel_id>/read",
    permission=Permission.READ_CHANNEL,
    body=schemas.ReadIn(),
    answer=schemas.ReadOut(),
)
def mark_read(session: Session, actor: Actor, channel_id: uuid.UUID, body: dict[str, int]) -> dict[str, int]:
    """Move one's read mark forward."""
    return {"seq": service.mark_read(session, actor, channel_id, body["seq"])}


@route(
    "GET",
    "/groups/<handle>/search",
    permission=Permission.READ_CHANNEL,
    query=schemas.SearchQuery(),
    answer=schemas.MessagePage(),
)
def search(session: Session, actor: Actor, handle: str, query: dict[str, Any]) -> Reply:
    """Search the channels one may read."""
    door = group_by_handle(session, actor, handle, Permission.READ_CHANNEL)
    visible = [channel.id for channel in channels_visible_to(session, door.group, door.standing)]
    return Reply({"items": queries.search(session, visible, query["q"], query["limit"]), "next": None})
