"""Verbs of a group itself: open, change, join, leave."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from creator_hub.core import clock
from creator_hub.core.access import Actor, Principal
from creator_hub.core.errors import Conflict, Invalid, NotFound
from creator_hub.core.ids import new_id
from creator_hub.groups import audit, channels, entitlements
from creator_hub.groups.access_changes import lock_group
from creator_hub.groups.models import Entitlement, Group, Membership, Tier
from creator_hub.groups.standing import Standing, standing_of

FREE_TIER_NAME = "Free"
FIRST_CHANNEL_NAME = "general"


def create_group(
    session: Session,
    actor: Actor,
    *,
    handle: str,
    name: str,
    about: str,
    currency: str,
    hidden: bool = False,
    timezone: str = "UTC",
) -> Group:
    """Open a group with its free tier and a first channel. Raises Invalid when the handle is taken."""
    group = Group(
        id=new_id(),
        handle=handle,
        name=name,
        about=about,
        currency=currency,
        hidden=hidden,
        timezone=timezone,
        owner_id=actor.person(),
        created_at=clock.now(),
    )
    try:
        with session.begin_nested():
            session.add(group)
    except IntegrityError:
        raise Invalid(errors={"handle": ["This handle is taken. Choose another."]}) from None
    session.add(_free_tier(group))
    audit.note(session, group, actor, "group.created")
    channels.create_channel(session, actor, group, name=FIRST_CHANNEL_NAME, kind="talk", min_tier_rank=0)
    return group


def _free_tier(group: Group) -> Tier:
    return Tier(
        id=new_id(),
        group_id=group.id,
        name=FREE_TIER_NAME,
        price_minor=0,
        currency=group.currency,
        interval="month",
        benefits=[],
        rank=0,
        seat_limit=None,
        created_at=clock.now(),
        archived_at=None,
    )


def change_group(session: Session, actor: Actor, group: Group, changes: dict[str, Any]) -> Group:
    """Change name, about or hidden. Handle and currency are for good: links and prices rest on them."""
    for field, value in changes.items():
        setattr(group, field, value)
    audit.note(session, group, actor, "group.changed", reason=", ".join(sorted(changes)))
    return group


def join_free(session: Session, actor: Actor, group: Group) -> Membership:
    """Join the free tier. The group row is held, so a double click is one membership and one Conflict."""
    lock_group(session, group.id)
    standing = standing_of(session, group, actor)
    refuse_who_is_in(standing)
    grant_free(session, group, actor.person())
    return membership_of(session, group, actor.person())


def refuse_who_is_in(standing: Standing) -> None:
    """Raise NotFound for the banned and Conflict `already_member` for whoever belongs here. Call it under the lock."""
    if Principal.BANNED in standing.principals:
        raise NotFound
    if standing.is_inside:
        raise Conflict("You already belong to this group.", code="already_member")


def grant_free(
    session: Session,
    group: Group,
    user_id: uuid.UUID,
    *,
    campaign: str | None = None,
    invite_id: uuid.UUID | None = None,
) -> None:
    """Give the free tier, open-ended. Coming back is a new interval: what was before stays on record."""
    earlier = session.scalar(
        select(func.count()).where(
            Entitlement.group_id == group.id,
            Entitlement.user_id == user_id,
            Entitlement.source == "free",
            Entitlement.ends_at <= clock.now(),
        )
    )
    entitlements.grant(
        session,
        group_id=group.id,
        user_id=user_id,
        tier_id=free_tier(session, group).id,
        source="free",
        source_id=f"{group.id}:{user_id}:{earlier}",
        starts_at=clock.now(),
        campaign=campaign,
        invite_id=invite_id,
    )


def free_tier(session: Session, group: Group) -> Tier:
    return session.scalars(
        select(Tier).where(Tier.group_id == group.id, Tier.rank == 0, Tier.archived_at.is_(None))
    ).one()


def membership_of(session: Session, group: Group, user_id: uuid.UUID) -> Membership:
    return session.scalars(
        select(Membership).where(Membership.group_id == group.id, Membership.user_id == user_id)
    ).one()


def leave(session: Session, actor: Actor, group: Group) -> None:
    """Leave the group. Open sockets hear nothing committed after this."""
    entitlements.remove_person(session, group, actor.person(), "left")
