"""Reads of groups: whose, which channels, who is in them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from creator_hub.accounts.models import User
from creator_hub.accounts.queries import PublicUser, people
from creator_hub.core import clock
from creator_hub.core.paging import Page, PageRequest, paginate
from creator_hub.groups.access_changes import channels_of
from creator_hub.groups.entitlements import seats_taken
from creator_hub.groups.intervals import Interval, best_at, covered_until
from creator_hub.groups.models import AuditEntry, Ban, Channel, Entitlement, Group, Invite, Membership, Mute, Tier
from creator_hub.groups.standing import Standing, intervals_of


@dataclass(frozen=True, slots=True)
class Member:
    """A membership as the contract shows it. `access_until`, `source` and `campaign` are None where the viewer has no
    business with them: nobody learns from a list who pays, or who stopped."""

    id: uuid.UUID
    group: Group
    user: PublicUser
    tier: Tier | None
    role: str
    since: datetime
    access_until: datetime | None
    source: str | None
    campaign: str | None


@dataclass(frozen=True, slots=True)
class TierSeats:
    """A tier with the seats that are left; None where there is no limit."""

    tier: Tier
    seats_left: int | None


@dataclass(frozen=True, slots=True)
class CampaignFigures:
    """What one campaign brought: people who joined through it, who of them is here, who of those pays."""

    campaign: str
    joined: int
    here: int
    paying: int


def channels_visible_to(session: Session, group: Group, standing: Standing) -> list[Channel]:
    return [channel for channel in channels_of(session, group.id) if standing.sees(channel)]


def groups_of(session: Session, user_id: uuid.UUID) -> Sequence[Group]:
    """The groups a person owns or belongs to, by name. A lapsed member still finds the way back; the banned do not."""
    belongs = exists().where(
        Membership.group_id == Group.id, Membership.user_id == user_id, Membership.left_at.is_(None)
    )
    return session.scalars(
        select(Group).where(or_(Group.owner_id == user_id, belongs)).order_by(func.lower(Group.name), Group.id)
    ).all()


def public_groups(session: Session, limit: int = 50) -> Sequence[Group]:
    """Groups that are not hidden, newest first."""
    return session.scalars(select(Group).where(Group.hidden.is_(False)).order_by(Group.id.desc()).limit(limit)).all()


def tiers_on_sale(session: Session, group: Group) -> list[TierSeats]:
    """The tiers one can join, the free one first, with seats left."""
    tiers = session.scalars(
        select(Tier).where(Tier.group_id == group.id, Tier.archived_at.is_(None)).order_by(Tier.rank, Tier.price_minor)
    ).all()
    return with_seats(session, tiers)


def with_seats(session: Session, tiers: Sequence[Tier]) -> list[TierSeats]:
    limited = [tier.id for tier in tiers if tier.seat_limit is not None]
    taken = seats_taken(session, limited) if limited else {}
    return [TierSeats(tier, _seats_left(tier, taken)) for tier in tiers]


def _seats_left(tier: Tier, taken: dict[uuid.UUID, int]) -> int | None:
    return None if tier.seat_limit is None else max(0, tier.seat_limit - taken.get(tier.id, 0))


def members(
    session: Session,
    group: Group,
    asked: PageRequest,
    *,
    viewer: uuid.UUID | None,
    for_staff: bool,
    beginning: str = "",
) -> Page[Member]:
    """Who is in the group now: entitled members and moderators, newest first, whose handle or name begins so. The owner
    is not in the list."""
    entitled = exists().where(Entitlement.group_id == group.id, Entitlement.user_id == Membership.user_id, holds_now())
    page = paginate(
        session,
        select(Membership).where(
            Membership.group_id == group.id,
            Membership.left_at.is_(None),
            or_(entitled, Membership.role == "moderator"),
            *_called(beginning),
        ),
        Membership.id,
        asked,
    )
    ids = [row.user_id for row in page.items]
    faces, intervals = people(session, ids), intervals_of(session, group.id, ids)
    shown = [
        _member(group, row, faces[row.user_id], intervals.get(row.user_id, []), for_staff or row.user_id == viewer)
        for row in page.items
    ]
    return Page(shown, page.next)


def _called(beginning: str) -> list[ColumnElement[bool]]:
    """SQL: the member's handle or name begins so."""
    if not beginning:
        return []
    called = or_(
        User.handle.istartswith(beginning, autoescape=True), User.display_name.istartswith(beginning, autoescape=True)
    )
    return [exists().where(User.id == Membership.user_id, called)]


def member(session: Session, group: Group, membership: Membership) -> Member:
    """One membership in full, for the person themselves."""
    user_id = membership.user_id
    intervals = intervals_of(session, group.id, [user_id]).get(user_id, [])
    return _member(group, membership, people(session, [user_id])[user_id], intervals, True)


def _member(group: Group, row: Membership, user: PublicUser, intervals: Sequence[Interval], in_full: bool) -> Member:
    at = clock.now()
    best = best_at(intervals, at)
    return Member(
        id=row.id,
        group=group,
        user=user,
        tier=best.tier if best else None,
        role=row.role,
        since=row.since,
        access_until=covered_until(intervals, best.tier.rank, at) if best and in_full else None,
        source=best.source if best and in_full else None,
        campaign=row.campaign if in_full else None,
    )


def holds_now() -> ColumnElement[bool]:
    """SQL: the entitlement row's interval contains this moment."""
    at = clock.now()
    return and_(Entitlement.starts_at <= at, or_(Entitlement.ends_at.is_(None), Entitlement.ends_at > at))


def who_sees(session: Session, group_id: uuid.UUID, min_tier_rank: int) -> set[uuid.UUID]:
    """The members to whom a channel of this rank is open, moderators included, the owner not."""
    ranked = exists().where(
        Entitlement.group_id == group_id,
        Entitlement.user_id == Membership.user_id,
        Entitlement.tier_id == Tier.id,
        Tier.rank >= min_tier_rank,
        holds_now(),
    )
    return set(
        session.scalars(
            select(Membership.user_id).where(
                Membership.group_id == group_id,
                Membership.left_at.is_(None),
                or_(Membership.role == "moderator", ranked),
            )
        )
    )


def invites(session: Session, group: Group, asked: PageRequest) -> Page[Invite]:
    return paginate(session, select(Invite).where(Invite.group_id == group.id), Invite.id, asked)


def bans(session: Session, group: Group, asked: PageRequest) -> Page[Ban]:
    """The bans that stand now, newest first."""
    standing = select(Ban).join(User, User.id == Ban.user_id).where(Ban.group_id == group.id, Ban.lifted_at.is_(None))
    return paginate(session, standing.where(or_(Ban.until.is_(None), Ban.until > clock.now())), Ban.id, asked)


def mutes(session: Session, group: Group, asked: PageRequest) -> Page[Mute]:
    """The mutes that stand now, newest first."""
    standing = select(Mute).where(Mute.group_id == group.id, Mute.lifted_at.is_(None))
    return paginate(session, standing.where(or_(Mute.until.is_(None), Mute.until > clock.now())), Mute.id, asked)


def audit(session: Session, group: Group, asked: PageRequest) -> Page[AuditEntry]:
    return paginate(session, select(AuditEntry).where(AuditEntry.group_id == group.id), AuditEntry.id, asked)


def moderators(session: Session, group: Group) -> list[PublicUser]:
    ids = session.scalars(
        select(Membership.user_id).where(
            Membership.group_id == group.id, Membership.role == "moderator", Membership.left_at.is_(None)
        )
    ).all()
    return sorted(people(session, ids).values(), key=lambda person: person.handle)


def campaign_figures(session: Session, group: Group) -> list[CampaignFigures]:
    """Per campaign, most members first."""
    here = exists().where(Entitlement.group_id == group.id, Entitlement.user_id == Membership.user_id, holds_now())
    paying = exists().where(
        Entitlement.group_id == group.id,
        Entitlement.user_id == Membership.user_id,
        Entitlement.source == "subscription",
        holds_now(),
    )
    stays = Membership.left_at.is_(None)
    # One row per campaign and person it brought, for the first time or back.
    brought = (
        select(Entitlement.campaign, Entitlement.user_id)
        .where(Entitlement.group_id == group.id, Entitlement.campaign.is_not(None))
        .distinct()
        .subquery()
    )
    rows = session.execute(
        select(
            brought.c.campaign,
            func.count().label("joined"),
            func.count().filter(stays, here).label("here"),
            func.count().filter(stays, paying).label("paying"),
        )
        .join(Membership, Membership.user_id == brought.c.user_id)
        .where(Membership.group_id == group.id)
        .group_by(brought.c.campaign)
        .order_by(func.count().desc(), brought.c.campaign)
    ).all()
    return [CampaignFigures(row.campaign, row.joined, row.here, row.paying) for row in rows]
