"""Invites: passcodes that let people in and remember which campaign brought them."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from creator_hub.core import clock
from creator_hub.core.access import Actor
from creator_hub.core.errors import Gone, Invalid, NotAllowed
from creator_hub.core.ids import new_id
from creator_hub.groups import audit, entitlements
from creator_hub.groups.access_changes import lock_group
from creator_hub.groups.models import Entitlement, Group, Invite, Membership, Tier
from creator_hub.groups.passcodes import new_passcode
from creator_hub.groups.service import grant_free, membership_of, refuse_who_is_in
from creator_hub.groups.standing import Standing, standing_of


def create_invite(
    session: Session,
    actor: Actor,
    group: Group,
    standing: Standing,
    *,
    max_uses: int | None,
    expires_at: datetime | None,
    tier_id: uuid.UUID | None,
    campaign: str | None,
    for_user_id: uuid.UUID | None = None,
) -> Invite:
    """Make a passcode. Only the owner gives a paid tier away; an invite never opens more than its maker may. With
    `for_user_id` nobody else can use it."""
    if tier_id is not None:
        tier = _tier_on_sale(session, group, tier_id)
        if not tier.is_free and standing.role != "creator":
            raise NotAllowed("Only the creator may invite into a paid tier.")
    if expires_at is not None and expires_at <= clock.now():
        raise Invalid(errors={"expires_at": ["Choose a moment in the future."]})
    invite = Invite(
        id=new_id(),
        group_id=group.id,
        passcode=new_passcode(),
        tier_id=tier_id,
        for_user_id=for_user_id,
        campaign=campaign,
        max_uses=max_uses,
        uses=0,
        expires_at=expires_at,
        revoked_at=None,
        created_by=actor.person(),
        created_at=clock.now(),
    )
    session.add(invite)
    audit.note(session, group, actor, "invite.made", subject_id=invite.id, reason=campaign)
    return invite


def _tier_on_sale(session: Session, group: Group, tier_id: uuid.UUID) -> Tier:
    tier = session.scalars(
        select(Tier).where(Tier.id == tier_id, Tier.group_id == group.id, Tier.archived_at.is_(None))
    ).one_or_none()
    if tier is None:
        raise Invalid(errors={"tier_id": ["This group has no such tier."]})
    return tier


def revoke_invite(session: Session, actor: Actor, group: Group, invite: Invite) -> None:
    """Make the passcode worthless. Whoever came in with it stays."""
    if invite.revoked_at is None:
        invite.revoked_at = clock.now()
        audit.note(session, group, actor, "invite.revoked", subject_id=invite.id)


def redeem(session: Session, actor: Actor, group: Group, invite: Invite) -> Membership:
    """Come in with a passcode. Raises Gone `invite_expired` or `invite_used_up`, Conflict `already_member` (which uses
    nothing up) and `tier_full`. Who is in the free tier may still redeem an invite into a higher one."""
    lock_group(session, group.id)
    session.refresh(invite)
    tier = session.get_one(Tier, invite.tier_id) if invite.tier_id else None
    refuse_spent(invite, tier)
    standing = standing_of(session, group, actor)
    steps_up = tier is not None and standing.role in ("member", "moderator") and standing.rank < tier.rank
    if not steps_up:
        refuse_who_is_in(standing)
    _use_once(session, invite)
    if tier is None or tier.is_free:
        grant_free(session, group, actor.person(), campaign=invite.campaign, invite_id=invite.id)
    else:
        _grant_tier(session, group, actor.person(), invite, tier)
    return membership_of(session, group, actor.person())


def refuse_spent(invite: Invite, tier: Tier | None) -> None:
    """Raise Gone when this passcode opens nothing any more."""
    expired = invite.expires_at is not None and invite.expires_at <= clock.now()
    if expired or invite.revoked_at is not None or (tier is not None and tier.archived_at is not None):
        raise Gone("This invitation has expired. Ask for a new one.", code="invite_expired")
    if invite.max_uses is not None and invite.uses >= invite.max_uses:
        raise _used_up()


def _use_once(session: Session, invite: Invite) -> None:
    """Count a use; the WHERE and the table's own constraint both hold the cap."""
    used = session.scalar(
        update(Invite)
        .where(Invite.id == invite.id, or_(Invite.max_uses.is_(None), Invite.uses < Invite.max_uses))
        .values(uses=Invite.uses + 1)
        .returning(Invite.uses)
    )
    if used is None:
        raise _used_up()


def _used_up() -> Gone:
    return Gone("This invitation has been used up. Ask for a new one.", code="invite_used_up")


def _grant_tier(session: Session, group: Group, user_id: uuid.UUID, invite: Invite, tier: Tier) -> None:
    """A new interval, also for whoever redeemed the same invite before: the old one stays on record."""
    name = f"{invite.id}:{user_id}"
    earlier = session.scalar(
        select(func.count()).where(Entitlement.source == "invite", Entitlement.source_id.startswith(name))
    )
    entitlements.grant(
        session,
        group_id=group.id,
        user_id=user_id,
        tier_id=tier.id,
        source="invite",
        source_id=f"{name}:{earlier}",
        starts_at=clock.now(),
        campaign=invite.campaign,
        invite_id=invite.id,
    )
