"""What a person is in a group, now: f(entitlement intervals, now). Nothing stores it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from creator_hub.accounts.models import User
from creator_hub.core import clock
from creator_hub.core.access import Actor, Principal
from creator_hub.groups.intervals import NO_RANK, Interval, best_at, covered_until
from creator_hub.groups.models import Ban, Channel, Entitlement, Group, Membership, Tier

Role = Literal["creator", "moderator", "staff", "member", "none"]
OWNER_RANK = 32_767
# A ban takes away what being signed in gives; platform duties stay (finance refunds, trust investigates).
KEPT_WHEN_BANNED = frozenset({Principal.FINANCE, Principal.TRUST})


@dataclass(frozen=True, slots=True)
class Standing:
    """A person in a group at one moment.

    `rank` is that of the highest tier held (-1: none), `tier` and `source` say which and from what; `access_until` is
    when that rank ends by itself (None: not at all, or there is none). In a ChannelDoor, `access_until` is when access
    to that channel ends.
    """

    principals: frozenset[Principal]
    rank: int
    access_until: datetime | None
    role: Role
    membership: Membership | None
    tier: Tier | None
    source: str | None = None
    intervals: Sequence[Interval] = ()

    @property
    def is_inside(self) -> bool:
        """True for whoever belongs here: an entitled member, a moderator, the owner."""
        return self.role in ("creator", "moderator", "member")

    @property
    def sees_every_channel(self) -> bool:
        return self.role in ("creator", "moderator") or Principal.TRUST in self.principals

    def sees(self, channel: Channel) -> bool:
        return self.sees_every_channel or self.rank >= channel.min_tier_rank

    def in_channel(self, channel: Channel) -> Standing:
        """The same person towards one channel: below its rank a member is *of a lower tier*."""
        if self.sees_every_channel:
            return replace(self, access_until=None)
        if self.rank < channel.min_tier_rank:
            lower = (self.principals - {Principal.MEMBER}) | (
                {Principal.LOWER_TIER} if Principal.MEMBER in self.principals else frozenset()
            )
            return replace(self, principals=lower, access_until=None)
        return replace(self, access_until=covered_until(self.intervals, channel.min_tier_rank, clock.now()))


def standing_of(session: Session, group: Group, who: Actor | uuid.UUID) -> Standing:
    """What `who` is in `group` now. Reads the rows afresh, so asking again under a lock gives the new answer."""
    return standings_of(session, group, [who])[0]


def standings_of(session: Session, group: Group, people: Sequence[Actor | uuid.UUID]) -> list[Standing]:
    """The same for several people in two queries."""
    ids = [person.user_id if isinstance(person, Actor) else person for person in people]
    bases = [_base(person) for person in people]
    asked = [
        user_id
        for user_id, base in zip(ids, bases, strict=True)
        if user_id is not None and user_id != group.owner_id and Principal.SUSPENDED not in base
    ]
    known = _memberships_and_bans(session, group.id, asked) if asked else {}
    belong = [user_id for user_id, (row, banned) in known.items() if row and row.left_at is None and not banned]
    intervals = intervals_of(session, group.id, belong) if belong else {}
    return [_standing(group, user_id, base, known, intervals) for user_id, base in zip(ids, bases, strict=True)]


def _base(person: Actor | uuid.UUID) -> frozenset[Principal]:
    return person.principals() if isinstance(person, Actor) else frozenset({Principal.SIGNED_IN})


def _standing(
    group: Group,
    user_id: uuid.UUID | None,
    base: frozenset[Principal],
    known: dict[uuid.UUID, tuple[Membership | None, bool]],
    intervals: dict[uuid.UUID, list[Interval]],
) -> Standing:
    if user_id is None or Principal.SUSPENDED in base:
        return Standing(base, NO_RANK, None, "none", None, None)
    if user_id == group.owner_id:
        return Standing(base | {Principal.OWNER}, OWNER_RANK, None, "creator", None, None)
    outside: Role = "staff" if Principal.TRUST in base else "none"
    membership, banned = known.get(user_id, (None, False))
    if banned:
        return Standing((base & KEPT_WHEN_BANNED) | {Principal.BANNED}, NO_RANK, None, outside, None, None)
    if membership is None or membership.left_at is not None:
        return Standing(base, NO_RANK, None, outside, membership, None)
    return _as_member(base, membership, intervals.get(user_id, []), outside)


def _as_member(
    base: frozenset[Principal], membership: Membership, intervals: Sequence[Interval], outside: Role
) -> Standing:
    at = clock.now()
    best = best_at(intervals, at)
    moderator = membership.role == "moderator"
    principals = set(base)
    if best is not None:
        principals.add(Principal.MEMBER)
    elif any(not interval.tier.is_free and interval.starts_at <= at for interval in intervals):
        principals.add(Principal.LAPSED)
    if moderator:
        principals.add(Principal.MODERATOR)
    role: Role = "moderator" if moderator else "member" if best else outside
    if best is None:
        return Standing(frozenset(principals), NO_RANK, None, role, membership, None, None, intervals)
    until = covered_until(intervals, best.tier.rank, at)
    return Standing(frozenset(principals), best.tier.rank, until, role, membership, best.tier, best.source, intervals)


def _memberships_and_bans(
    session: Session, group_id: uuid.UUID, user_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, tuple[Membership | None, bool]]:
    rows = session.execute(
        select(User.id, Membership, ban_stands(group_id).label("banned"))
        .select_from(User)
        .outerjoin(Membership, and_(Membership.user_id == User.id, Membership.group_id == group_id))
        .where(User.id.in_(user_ids))
        .execution_options(populate_existing=True)
    )
    return {row.id: (row.Membership, row.banned) for row in rows}


def is_banned(session: Session, group_id: uuid.UUID, user_id: uuid.UUID) -> bool:
    return _memberships_and_bans(session, group_id, [user_id]).get(user_id, (None, False))[1]


def ban_stands(group_id: uuid.UUID) -> ColumnElement[bool]:
    """SQL: the row's user is banned from the group now."""
    return (
        select(Ban.id)
        .where(
            Ban.group_id == group_id,
            Ban.user_id == User.id,
            Ban.lifted_at.is_(None),
            or_(Ban.until.is_(None), Ban.until > clock.now()),
        )
        .correlate(User)
        .exists()
    )


def intervals_of(
    session: Session, group_id: uuid.UUID, user_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[Interval]]:
    """Every entitlement interval of these people in the group, past and future ones too, in one query."""
    rows = session.execute(
        select(Entitlement.user_id, Entitlement.source, Entitlement.starts_at, Entitlement.ends_at, Tier)
        .join(Tier, Tier.id == Entitlement.tier_id)
        .where(Entitlement.group_id == group_id, Entitlement.user_id.in_(user_ids))
    ).all()
    found: dict[uuid.UUID, list[Interval]] = {}
    for row in rows:
        found.setdefault(row.user_id, []).append(Interval(row.Tier, row.source, row.starts_at, row.ends_at))
    return found
