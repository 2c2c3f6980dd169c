"""The group page: the chat for those inside, the tiers for those who might join."""

from __future__ import annotations

from typing import Any

from flask import render_template
from sqlalchemy.orm import Session

from creator_hub import streams
from creator_hub.accounts.queries import people
from creator_hub.chat import mentions
from creator_hub.chat.queries import read_marks
from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import page
from creator_hub.groups.access_changes import channels_of
from creator_hub.groups.doors import GroupDoor, group_by_handle
from creator_hub.groups.queries import tiers_on_sale


@page("/g/<handle>", permission=Permission.SEE_PUBLIC)
def group_page(session: Session, actor: Actor, handle: str) -> str:
    """A group: its live chat, or what it offers."""
    door = group_by_handle(session, actor, handle, Permission.SEE_PUBLIC)
    context: dict[str, Any] = {
        "group": door.group,
        "standing": door.standing,
        "tiers": [offer.tier for offer in tiers_on_sale(session, door.group)],
        "channels": channels_of(session, door.group.id),
        "page_data": page_data(session, actor, door) if door.standing.is_inside else None,
    }
    return render_template("chat/group.html", **context)


def page_data(session: Session, actor: Actor, door: GroupDoor) -> dict[str, Any]:
    """What the page's script starts from: who I am, the channels, how far each goes and how far I have read."""
    channels = channels_of(session, door.group.id)
    ids = [channel.id for channel in channels]
    named = mentions.unread(session, actor.person(), ids)
    heads, marks = streams.heads(session, ids), read_marks(session, actor.person(), ids)
    faces = people(session, [actor.person(), door.group.owner_id])
    owner = faces[door.group.owner_id].as_json()
    shown = [
        {
            "id": str(channel.id),
            "name": channel.name,
            "kind": channel.kind,
            "min_tier_rank": channel.min_tier_rank,
            "locked": not door.standing.sees(channel),
            "head_seq": heads[channel.id] if door.standing.sees(channel) else 0,
            "read_seq": marks.get(channel.id, 0),
            "mentions": named.get(channel.id, 0) if door.standing.sees(channel) else 0,
        }
        for channel in channels
    ]
    return {
        "me": faces[actor.person()].as_json() | {"role": door.standing.role},
        "group": {"id": str(door.group.id), "handle": door.group.handle, "name": door.group.name, "owner": owner},
        "channels": shown,
        "channel_id": next((channel["id"] for channel in shown if not channel["locked"]), None),
    }
