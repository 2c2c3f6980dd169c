"""JSON routes of groups, membership, tiers and channels."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from creator_hub.accounts.queries import people
from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import route
from creator_hub.core.paging import Page, PageRequest
from creator_hub.core.schemas import WireSchema, page_of
from creator_hub.groups import channels, doors, queries, schemas, service, tiers
from creator_hub.groups.models import Channel, Group
from creator_hub.groups.queries import Member, TierSeats
from creator_hub.groups.standing import Standing, standing_of

JOINS = "30/minute"


def group_shape(session: Session, group: Group, standing: Standing) -> dict[str, Any]:
    shown = ("id", "handle", "name", "about", "currency", "hidden", "timezone", "created_at")
    owner = people(session, [group.owner_id])[group.owner_id]
    return {name: getattr(group, name) for name in shown} | {"owner": owner, "standing": standing}


def tier_shape(seats: TierSeats) -> dict[str, Any]:
    shown = ("id", "name", "rank", "price", "interval", "benefits", "seat_limit", "archived_at")
    return {name: getattr(seats.tier, name) for name in shown} | {"seats_left": seats.seats_left}


@route(
    "POST",
    "/groups",
    permission=Permission.CREATE_GROUP,
    body=schemas.GroupIn(),
    answer=schemas.GroupOut(),
    status=201,
    limit="20/hour",
)
def create_group(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    """Open a group; it begins with a free tier and a general channel."""
    group = service.create_group(session, actor, **body)
    return group_shape(session, group, standing_of(session, group, actor))


@route("GET", "/groups/<handle>", permission=Permission.SEE_PUBLIC, answer=schemas.GroupOut())
def show_group(session: Session, actor: Actor, handle: str) -> dict[str, Any]:
    """A group's public face, and what the caller is in it."""
    door = doors.group_by_handle(session, actor, handle, Permission.SEE_PUBLIC)
    return group_shape(session, door.group, door.standing)


@route(
    "PATCH",
    "/groups/<handle>",
    permission=Permission.MANAGE_GROUP,
    body=schemas.GroupPatch(),
    answer=schemas.GroupOut(),
)
def change_group(session: Session, actor: Actor, handle: str, body: dict[str, Any]) -> dict[str, Any]:
    """Change a group's name, description or visibility."""
    door = doors.group_by_handle(session, actor, handle, Permission.MANAGE_GROUP)
    return group_shape(session, service.change_group(session, actor, door.group, body), door.standing)


@route(
    "GET",
    "/groups/<handle>/members",
    permission=Permission.LIST_MEMBERS,
    query=schemas.MembersQuery(),
    answer=page_of(schemas.MembershipOut),
)
def list_members(session: Session, actor: Actor, handle: str, query: dict[str, Any]) -> Page[Member]:
    """Who is in the group now; `q` is how a handle or name begins."""
    door = doors.group_by_handle(session, actor, handle, Permission.LIST_MEMBERS)
    for_staff = door.standing.role in ("creator", "moderator")
    beginning = query.pop("q")
    return queries.members(
        session, door.group, PageRequest(**query), viewer=actor.user_id, for_staff=for_staff, beginning=beginning
    )


@route(
    "POST",
    "/groups/<handle>/join",
    permission=Permission.JOIN,
    body=WireSchema(),
    body_optional=True,
    answer=schemas.MembershipOut(),
    status=201,
    limit=JOINS,
)
def join(session: Session, actor: Actor, handle: str, body: dict[str, Any]) -> Member:
    """Join the free tier."""
    door = doors.group_by_handle(session, actor, handle, Permission.JOIN)
    return queries.member(session, door.group, service.join_free(session, actor, door.group))


@route(
    "POST",
    "/groups/<handle>/leave",
    permission=Permission.LEAVE,
    body=WireSchema(),
    body_optional=True,
    status=204,
)
def leave(session: Session, actor: Actor, handle: str, body: dict[str, Any]) -> None:
    """Leave the group."""
    door = doors.group_by_handle(session, actor, handle, Permission.LEAVE)
    service.leave(session, actor, door.group)


@route("GET", "/groups/<handle>/tiers", permission=Permission.SEE_PUBLIC, answer=schemas.TierList())
def list_tiers(session: Session, actor: Actor, handle: str) -> dict[str, Any]:
    """The tiers on offer, the free one first."""
    door = doors.group_by_handle(session, actor, handle, Permission.SEE_PUBLIC)
    return {"items": [tier_shape(seats) for seats in queries.tiers_on_sale(session, door.group)], "next": None}


@route(
    "POST",
    "/groups/<handle>/tiers",
    permission=Permission.MANAGE_GROUP,
    body=schemas.TierIn(),
    answer=schemas.TierOut(),
    status=201,
)
def create_tier(session: Session, actor: Actor, handle: str, body: dict[str, Any]) -> dict[str, Any]:
    """Offer a paid tier."""
    door = doors.group_by_handle(session, actor, handle, Permission.MANAGE_GROUP)
    tier = tiers.create_tier(session, actor, door.group, **body)
    return tier_shape(*queries.with_seats(session, [tier]))


@route(
    "PATCH",
    "/tiers/<uuid:tier_id>",
    permission=Permission.MANAGE_GROUP,
    body=schemas.TierPatch(),
    answer=schemas.TierOut(),
)
def change_tier(session: Session, actor: Actor, tier_id: uuid.UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Change a tier; a new price is for new members only."""
    door = doors.tier_by_id(session, actor, tier_id, Permission.MANAGE_GROUP)
    tier = tiers.change_tier(session, actor, door.group, door.tier, body)
    return tier_shape(*queries.with_seats(session, [tier]))


@route("DELETE", "/tiers/<uuid:tier_id>", permission=Permission.MANAGE_GROUP, status=204)
def archive_tier(session: Session, actor: Actor, tier_id: uuid.UUID) -> None:
    """Take a tier off sale; its members keep it."""
    door = doors.tier_by_id(session, actor, tier_id, Permission.MANAGE_GROUP)
    tiers.archive_tier(session, actor, door.group, door.tier)


@route("GET", "/groups/<handle>/channels", permission=Permission.READ_CHANNEL, answer=schemas.ChannelList())
def list_channels(session: Session, actor: Actor, handle: str) -> dict[str, Any]:
    """The channels the caller may enter."""
    door = doors.group_by_handle(session, actor, handle, Permission.READ_CHANNEL)
    return {"items": queries.channels_visible_to(session, door.group, door.standing), "next": None}


@route(
    "POST",
    "/groups/<handle>/channels",
    permission=Permission.MANAGE_GROUP,
    body=schemas.ChannelIn(),
    answer=schemas.ChannelOut(),
    status=201,
)
def create_channel(session: Session, actor: Actor, handle: str, body: dict[str, Any]) -> Channel:
    """Open a channel."""
    door = doors.group_by_handle(session, actor, handle, Permission.MANAGE_GROUP)
    return channels.create_channel(session, actor, door.group, **body)


@route(
    "PATCH",
    "/channels/<uuid:channel_id>",
    permission=Permission.MANAGE_GROUP,
    body=schemas.ChannelPatch(),
    answer=schemas.ChannelOut(),
)
def change_channel(session: Session, actor: Actor, channel_id: uuid.UUID, body: dict[str, Any]) -> Channel:
    """Change a channel; a higher rank puts those below it out at once."""
    door = doors.channel_by_id(session, actor, channel_id, Permission.MANAGE_GROUP)
    return channels.change_channel(session, actor, door.group, door.channel, body)
