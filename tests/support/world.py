"""People and groups to play with. Each factory takes a session and returns the row; services do the work."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from creator_hub.accounts.models import User
from creator_hub.accounts.service import sign_up
from creator_hub.core import clock
from creator_hub.core.access import Actor
from creator_hub.core.ids import new_id
from creator_hub.core.money import Money
from creator_hub.groups import channels, entitlements, service, tiers
from creator_hub.groups.access_changes import channels_of
from creator_hub.groups.models import Channel, Group, Membership, Tier
from tests.support.client import PASSWORD


def as_actor(user: User) -> Actor:
    """The user as the edge would present them."""
    return Actor(user_id=user.id, roles=frozenset(user.roles), suspended=user.suspended_at is not None)


def a_person(session: Session, handle: str = "mei", roles: Iterable[str] = ()) -> User:
    return sign_up(
        session,
        email=f"{handle}@example.test",
        password=PASSWORD,
        handle=handle,
        display_name=handle.capitalize(),
        roles=roles,
    )


def a_group(
    session: Session, owner: User, handle: str = "mei", *, currency: str = "USD", hidden: bool = False
) -> Group:
    """A group with its free tier and its general channel."""
    return service.create_group(
        session, as_actor(owner), handle=handle, name=handle.capitalize(), about="", currency=currency, hidden=hidden
    )


def a_tier(
    session: Session,
    group: Group,
    name: str = "Silver",
    *,
    rank: int = 1,
    price_minor: int = 500,
    interval: str = "month",
    seat_limit: int | None = None,
) -> Tier:
    return tiers.create_tier(
        session,
        Actor(user_id=group.owner_id),
        group,
        name=name,
        price=Money(price_minor, group.currency),
        interval=interval,
        benefits=["The inner circle"],
        rank=rank,
        seat_limit=seat_limit,
    )


def a_channel(
    session: Session, group: Group, name: str = "lounge", *, min_tier_rank: int = 0, kind: str = "talk"
) -> Channel:
    owner = Actor(user_id=group.owner_id)
    return channels.create_channel(session, owner, group, name=name, kind=kind, min_tier_rank=min_tier_rank)


def a_member(
    session: Session,
    group: Group,
    user: User,
    *,
    tier: Tier | None = None,
    source: str = "subscription",
    source_id: str | None = None,
    starts_at: datetime | None = None,
    lasts: timedelta | None = None,
    campaign: str | None = None,
) -> Membership:
    """A member of the free tier, or of `tier` through `source`, for good or for as long as `lasts`."""
    if tier is None:
        service.grant_free(session, group, user.id, campaign=campaign)
    else:
        at = starts_at or clock.now()
        entitlements.grant(
            session,
            group_id=group.id,
            user_id=user.id,
            tier_id=tier.id,
            source=source,
            source_id=source_id or str(new_id()),
            starts_at=at,
            ends_at=at + lasts if lasts else None,
            campaign=campaign,
        )
    return service.membership_of(session, group, user.id)


def the_general_channel(session: Session, group: Group) -> Channel:
    return channels_named(session, group.id)["general"]


def channels_named(session: Session, group_id: uuid.UUID) -> dict[str, Channel]:
    return {channel.name: channel for channel in channels_of(session, group_id)}
