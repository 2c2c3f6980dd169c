"""Channels: the rooms of a group, each with its stream, each open from one tier rank up."""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from creator_hub import streams
from creator_hub.core import clock
from creator_hub.core.access import Actor
from creator_hub.core.errors import Invalid
from creator_hub.core.ids import new_id
from creator_hub.groups import audit
from creator_hub.groups.access_changes import lock_group, tell_granted, tell_joined, tell_left
from creator_hub.groups.models import Channel, Group
from creator_hub.groups.queries import who_sees


def create_channel(
    session: Session, actor: Actor, group: Group, *, name: str, kind: str, min_tier_rank: int, slow_seconds: int = 0
) -> Channel:
    """Open a channel and its stream; whoever may enter is granted it live. Raises Invalid when the name is taken."""
    group = lock_group(session, group.id)
    channel = Channel(
        id=new_id(),
        group_id=group.id,
        name=name,
        kind=kind,
        min_tier_rank=min_tier_rank,
        slow_seconds=slow_seconds,
        created_at=clock.now(),
        archived_at=None,
    )
    streams.create(session, channel.id)
    session.add(channel)
    _flush_or_name_taken(session)
    audit.note(session, group, actor, "channel.created", subject_id=channel.id)
    tell_granted(session, group, channel, [group.owner_id, *sorted(who_sees(session, group.id, min_tier_rank))])
    return channel


def change_channel(session: Session, actor: Actor, group: Group, channel: Channel, changes: dict[str, Any]) -> Channel:
    """Change name, kind or rank. Who falls below a new rank is out before the change is told; who rises is let in."""
    group = lock_group(session, group.id)
    session.refresh(channel)
    could = who_sees(session, group.id, channel.min_tier_rank)
    for field, value in changes.items():
        setattr(channel, field, value)
    _flush_or_name_taken(session)
    can = who_sees(session, group.id, channel.min_tier_rank)
    audit.note(session, group, actor, "channel.changed", subject_id=channel.id, reason=", ".join(sorted(changes)))
    gained = sorted(can - could)
    streams.lock(session, [channel.id, streams.ACCOUNT_LOG] if gained else [channel.id])
    for user_id in sorted(could - can):
        tell_left(session, channel, user_id, "tier")
    streams.append(session, channel.id, "channel.changed", shown(channel))
    tell_joined(session, channel, gained)
    tell_granted(session, group, channel, gained)
    return channel


def shown(channel: Channel) -> dict[str, Any]:
    """What `channel.changed` says."""
    fields = ("name", "kind", "min_tier_rank", "slow_seconds")
    return {"channel_id": str(channel.id)} | {field: getattr(channel, field) for field in fields}


def _flush_or_name_taken(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError:
        raise Invalid(errors={"name": ["This group has a channel of that name. Choose another."]}) from None
