"""The ways to load what belongs to a group: load and permission in one call.

Who may not know that something exists gets the same NotFound as for what does not: strangers of a hidden group, and
strangers of any channel, invite or ban list. The anonymous are asked to sign in before anything is looked up.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from creator_hub.core.access import ALLOWED, Actor, Permission, Principal, allows, require
from creator_hub.core.errors import HubError, NotAllowed, NotFound, SignInRequired
from creator_hub.groups import passcodes
from creator_hub.groups.models import Channel, Group, Invite, Tier
from creator_hub.groups.standing import Standing, standing_of, standings_of

Row = TypeVar("Row", Group, Channel, Tier, Invite)
# Who knows that a hidden group exists, and what its channels are.
INSIDERS = frozenset({Principal.MEMBER, Principal.LOWER_TIER, Principal.MODERATOR, Principal.OWNER, Principal.TRUST})


@dataclass(frozen=True, slots=True)
class GroupDoor:
    group: Group
    standing: Standing


@dataclass(frozen=True, slots=True)
class ChannelDoor:
    """`standing` is towards this channel: its `access_until` is when access to the channel ends."""

    channel: Channel
    group: Group
    standing: Standing


@dataclass(frozen=True, slots=True)
class TierDoor:
    tier: Tier
    group: Group
    standing: Standing


@dataclass(frozen=True, slots=True)
class InviteDoor:
    invite: Invite
    group: Group
    standing: Standing


def group_by_handle(session: Session, actor: Actor, handle: str, permission: Permission) -> GroupDoor:
    _ask_to_sign_in(actor, permission)
    return _enter(session, actor, _one(session, select(Group).where(Group.handle == handle)), permission)


def group_by_id(session: Session, actor: Actor, group_id: uuid.UUID, permission: Permission) -> GroupDoor:
    _ask_to_sign_in(actor, permission)
    return _enter(session, actor, _one(session, select(Group).where(Group.id == group_id)), permission)


def channel_by_id(session: Session, actor: Actor, channel_id: uuid.UUID, permission: Permission) -> ChannelDoor:
    """A channel, for those it is open to. Members below its rank get NotAllowed `tier` (a hidden group: NotFound)."""
    [door] = channel_for_each(session, [actor], channel_id, permission)
    if isinstance(door, HubError):
        raise door
    return door


def channel_for_each(
    session: Session, actors: Sequence[Actor], channel_id: uuid.UUID, permission: Permission
) -> list[ChannelDoor | HubError]:
    """The same channel for several people, in few queries; whoever it is closed to gets an error in their place."""
    doors: list[ChannelDoor | HubError | None] = [_refusal(_ask_to_sign_in, actor, permission) for actor in actors]
    known = [actor for actor, refused in zip(actors, doors, strict=True) if refused is None]
    if known:
        try:
            channel = _one(session, select(Channel).where(Channel.id == channel_id, Channel.archived_at.is_(None)))
            group = _one(session, select(Group).where(Group.id == channel.group_id))
        except NotFound as error:
            return [refused or error for refused in doors]
        standings = iter(standings_of(session, group, known))
        for place, actor in enumerate(actors):
            if doors[place] is None:
                standing = next(standings).in_channel(channel)
                refused = _refusal(_let_into_channel, actor, permission, group, standing)
                doors[place] = refused or ChannelDoor(channel, group, standing)
    return [door for door in doors if door is not None]


def _let_into_channel(actor: Actor, permission: Permission, group: Group, standing: Standing) -> None:
    below = Principal.LOWER_TIER in standing.principals and not allows(permission, standing.principals)
    if below and not group.hidden:
        actor.proved.add(permission)
        raise NotAllowed("This channel belongs to a higher tier. Change your tier to enter it.", code="tier")
    require(actor, permission, standing.principals, hidden=below or _is_stranger(standing))


def _refusal(check: Callable[..., None], *arguments: object) -> HubError | None:
    try:
        check(*arguments)
    except HubError as error:
        return error
    return None


def tier_by_id(session: Session, actor: Actor, tier_id: uuid.UUID, permission: Permission) -> TierDoor:
    """A tier, archived ones too: existing members keep theirs."""
    _ask_to_sign_in(actor, permission)
    tier = _one(session, select(Tier).where(Tier.id == tier_id))
    door = _enter(session, actor, _one(session, select(Group).where(Group.id == tier.group_id)), permission)
    return TierDoor(tier, door.group, door.standing)


def group_behind(session: Session, actor: Actor, group_id: uuid.UUID, permission: Permission) -> GroupDoor:
    """The group that something private hangs on, an invite or a payment: to strangers neither exists."""
    _ask_to_sign_in(actor, permission)
    group = _one(session, select(Group).where(Group.id == group_id))
    standing = standing_of(session, group, actor)
    require(actor, permission, standing.principals, hidden=_is_stranger(standing))
    return GroupDoor(group, standing)


def invite_by_id(session: Session, actor: Actor, invite_id: uuid.UUID, permission: Permission) -> InviteDoor:
    _ask_to_sign_in(actor, permission)
    invite = _one(session, select(Invite).where(Invite.id == invite_id))
    door = group_behind(session, actor, invite.group_id, permission)
    return InviteDoor(invite, door.group, door.standing)


def invite_by_passcode(session: Session, actor: Actor, passcode: str, permission: Permission) -> InviteDoor:
    """An invite by what was handed out; the passcode opens hidden groups too, but never to the banned. One that is for
    somebody else does not exist."""
    _ask_to_sign_in(actor, permission)
    invite = _one(session, select(Invite).where(Invite.passcode == passcodes.canonical(passcode)))
    if invite.for_user_id is not None and invite.for_user_id != actor.user_id:
        raise SignInRequired if actor.user_id is None else NotFound
    group = _one(session, select(Group).where(Group.id == invite.group_id))
    standing = standing_of(session, group, actor)
    if Principal.BANNED in standing.principals:
        raise NotFound
    require(actor, permission, standing.principals)
    return InviteDoor(invite, group, standing)


def _enter(session: Session, actor: Actor, group: Group, permission: Permission) -> GroupDoor:
    standing = standing_of(session, group, actor)
    banned = Principal.BANNED in standing.principals and permission is not Permission.SEE_PUBLIC
    unseen = banned or (group.hidden and _is_stranger(standing))
    # Finance reaches a hidden group by its duty; what any signed-in stranger may do elsewhere opens nothing here.
    by_duty = Principal.SIGNED_IN not in ALLOWED[permission]
    if unseen and not (by_duty and allows(permission, standing.principals)):
        actor.proved.add(permission)
        raise NotFound
    require(actor, permission, standing.principals)
    return GroupDoor(group, standing)


def _is_stranger(standing: Standing) -> bool:
    return standing.principals.isdisjoint(INSIDERS)


def _ask_to_sign_in(actor: Actor, permission: Permission) -> None:
    """Before anything is looked up, so that the answer tells nothing about what exists."""
    if actor.user_id is None and not allows(permission, actor.principals()):
        actor.proved.add(permission)
        raise SignInRequired


def _one(session: Session, query: Select[Row]) -> Row:
    """The row as it is now, even when this session read it before it held a lock."""
    row = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound
    return row
