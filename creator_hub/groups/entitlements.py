"""Granting and ending intervals of access. Whoever sells, gives or invites writes here; nobody stores "is paid"."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, distinct, func, or_, select, update
from sqlalchemy.orm import Session

from creator_hub import streams
from creator_hub.core import clock, outbox
from creator_hub.core.errors import Conflict
from creator_hub.core.ids import new_id
from creator_hub.groups.access_changes import changing_access, channels_of, lock_group, tell_left
from creator_hub.groups.intervals import NO_RANK
from creator_hub.groups.models import Channel, Entitlement, Group, Membership, Tier
from creator_hub.groups.standing import is_banned, standing_of

EXPIRIES_AT_ONCE = 200
# Told when somebody left or was banned: what they pay for must not renew. Bound in workers/.
LEFT_TOPIC = "groups.person_left"


def grant(
    session: Session,
    *,
    group_id: uuid.UUID,
    user_id: uuid.UUID,
    tier_id: uuid.UUID,
    source: str,
    source_id: str,
    starts_at: datetime,
    ends_at: datetime | None = None,
    campaign: str | None = None,
    invite_id: uuid.UUID | None = None,
) -> Entitlement:
    """Give a person a tier for [starts_at, ends_at), or move the interval that (source, source_id) already granted.

    The membership begins or reopens with a new interval; a mere prolongation does not bring back somebody who left.
    While a person is banned the interval is kept and opens nothing. Raises Conflict `tier_full` when every seat of the
    tier is taken.
    """
    with changing_access(session, group_id, user_id, reason="tier") as group:
        tier = session.get_one(Tier, tier_id)
        entitlement = _find(session, source, source_id)
        fresh = entitlement is None or not _covers(entitlement, clock.now())
        if fresh or (entitlement is not None and entitlement.tier_id != tier_id):
            take_seat(session, tier, user_id)
        if entitlement is None:
            entitlement = Entitlement(
                id=new_id(), source=source, source_id=source_id, campaign=campaign, invite_id=invite_id
            )
            session.add(entitlement)
        entitlement.group_id, entitlement.user_id, entitlement.tier_id = group_id, user_id, tier_id
        entitlement.starts_at, entitlement.ends_at = starts_at, ends_at
        entitlement.ended_reason = entitlement.expiry_announced_at = None
        if fresh and _covers(entitlement, clock.now()) and not is_banned(session, group.id, user_id):
            _admit(session, group, user_id, campaign, invite_id)
    return entitlement


def end(session: Session, source: str, source_id: str, at: datetime, reason: str) -> Entitlement | None:
    """End the interval at `at` (never before it began). Past or present: who loses channels leaves them now; future:
    `announce_expired` sees to it. Unknown (source, source_id): nothing happens, so that retries are harmless."""
    found = _find(session, source, source_id)
    if found is None:
        return None
    with changing_access(session, found.group_id, found.user_id, reason=reason):
        session.refresh(found)
        found.ends_at = max(at, found.starts_at)
        found.ended_reason = reason
        found.expiry_announced_at = clock.now() if found.ends_at <= clock.now() else None
    return found


def remove_person(session: Session, group: Group, user_id: uuid.UUID, reason: str) -> None:
    """Close the membership (`left`, `banned`) and what was free in it. Paid intervals stay as they were bought: they
    open nothing without a membership, and count again when the person is back."""
    with changing_access(session, group.id, user_id, reason=reason):
        at = clock.now()
        membership = _membership(session, group.id, user_id)
        if membership is None or membership.left_at is not None:
            return
        membership.left_at, membership.left_reason, membership.role = at, reason, "member"
        gone = {"group_id": str(group.id), "user_id": str(user_id)}
        outbox.record(session, LEFT_TOPIC, gone, key=f"{membership.id}:{at.isoformat()}")
        session.execute(
            update(Entitlement)
            .where(
                Entitlement.group_id == group.id,
                Entitlement.user_id == user_id,
                Entitlement.source.in_(("free", "invite")),
                Entitlement.starts_at <= at,
                or_(Entitlement.ends_at.is_(None), Entitlement.ends_at > at),
            )
            .values(ends_at=at, ended_reason=reason, expiry_announced_at=at)
        )


def take_seat(session: Session, tier: Tier, user_id: uuid.UUID) -> None:
    """Raise Conflict `tier_full` unless the tier has a seat for this person. The caller holds the group row."""
    if tier.seat_limit is None:
        return
    others = seats_taken(session, [tier.id], but=user_id).get(tier.id, 0)
    if others >= tier.seat_limit:
        raise Conflict("Every seat of this tier is taken. Ask the creator, or choose another tier.", code="tier_full")


def seats_taken(
    session: Session, tier_ids: Iterable[uuid.UUID], *, but: uuid.UUID | None = None
) -> dict[uuid.UUID, int]:
    """How many people hold each tier now or later, not counting `but`."""
    query = (
        select(Entitlement.tier_id, func.count(distinct(Entitlement.user_id)).label("people"))
        .where(
            Entitlement.tier_id.in_(list(tier_ids)),
            or_(Entitlement.ends_at.is_(None), Entitlement.ends_at > clock.now()),
        )
        .group_by(Entitlement.tier_id)
    )
    if but is not None:
        query = query.where(Entitlement.user_id != but)
    return {row.tier_id: row.people for row in session.execute(query)}


def announce_expired(session: Session) -> int:
    """Tell the channels about intervals that ran out by themselves, once each; returns how many intervals.

    Access already ended with time; this writes the `member.left` rows. One group a call, so that no streams of one
    group are held while another group is waited for.
    """
    group_id = session.scalar(select(Entitlement.group_id).where(_unannounced()).order_by(Entitlement.ends_at).limit(1))
    if group_id is None:
        return 0
    group = lock_group(session, group_id)
    rows = session.scalars(
        select(Entitlement)
        .where(Entitlement.group_id == group_id, _unannounced())
        .order_by(Entitlement.ends_at)
        .limit(EXPIRIES_AT_ONCE)
    ).all()
    losses = _losses(session, group, rows)
    streams.lock(session, [channel.id for channel, _, _ in losses])
    for channel, user_id, reason in losses:
        tell_left(session, channel, user_id, reason)
    for row in rows:
        row.expiry_announced_at = clock.now()
        row.ended_reason = row.ended_reason or "expired"
    return len(rows)


def _unannounced() -> ColumnElement[bool]:
    return and_(Entitlement.ends_at <= clock.now(), Entitlement.expiry_announced_at.is_(None))


def _losses(session: Session, group: Group, ended: Sequence[Entitlement]) -> list[tuple[Channel, uuid.UUID, str]]:
    """Which channels each person could enter with what has ended, and cannot now."""
    held: dict[uuid.UUID, tuple[int, str]] = {}
    for row in ended:
        rank = session.get_one(Tier, row.tier_id).rank
        if rank > held.get(row.user_id, (NO_RANK, ""))[0]:
            held[row.user_id] = (rank, row.ended_reason or "expired")
    channels = channels_of(session, group.id)
    losses = []
    for user_id, (rank, reason) in held.items():
        standing = standing_of(session, group, user_id)
        if standing.membership is not None and standing.membership.left_at is None:
            lost = [channel for channel in channels if channel.min_tier_rank <= rank and not standing.sees(channel)]
            losses += [(channel, user_id, reason) for channel in lost]
    return losses


def _admit(
    session: Session, group: Group, user_id: uuid.UUID, campaign: str | None, invite_id: uuid.UUID | None
) -> None:
    """Begin the membership, or reopen the one that was left. What brought the person first stays what it was."""
    membership = _membership(session, group.id, user_id)
    if membership is not None and membership.left_at is None:
        return
    if membership is None:
        membership = Membership(id=new_id(), group_id=group.id, user_id=user_id, role="member")
        membership.campaign, membership.invite_id = campaign, invite_id
        session.add(membership)
    membership.since, membership.left_at, membership.left_reason = clock.now(), None, None


def _membership(session: Session, group_id: uuid.UUID, user_id: uuid.UUID) -> Membership | None:
    return session.scalars(
        select(Membership)
        .where(Membership.group_id == group_id, Membership.user_id == user_id)
        .execution_options(populate_existing=True)
    ).one_or_none()


def _find(session: Session, source: str, source_id: str) -> Entitlement | None:
    return session.scalars(
        select(Entitlement)
        .where(Entitlement.source == source, Entitlement.source_id == source_id)
        .execution_options(populate_existing=True)
    ).one_or_none()


def _covers(entitlement: Entitlement, moment: datetime) -> bool:
    return entitlement.ends_at is None or entitlement.ends_at > moment
