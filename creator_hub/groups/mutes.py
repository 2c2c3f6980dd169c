"""Mutes: a person may read but not write, for a while or for good. Noted in the audit log, as bans are."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from creator_hub.core import clock
from creator_hub.core.access import Actor
from creator_hub.core.errors import Conflict, Invalid, NotAllowed, NotFound
from creator_hub.core.ids import new_id
from creator_hub.groups import audit
from creator_hub.groups.access_changes import lock_group
from creator_hub.groups.models import Group, Mute
from creator_hub.groups.moderation import refuse_target
from creator_hub.groups.standing import Standing, standing_of


def mute(
    session: Session,
    actor: Actor,
    group: Group,
    standing: Standing,
    *,
    user_id: uuid.UUID,
    reason: str,
    until: datetime | None,
) -> Mute:
    """Silence a member until a moment, or until it is lifted. Raises Conflict when they already are, or no member."""
    if until is not None and until <= clock.now():
        raise Invalid(errors={"until": ["Choose a moment in the future, or leave it out."]})
    lock_group(session, group.id)
    refuse_target(session, actor, group, standing, user_id)
    if not standing_of(session, group, user_id).is_inside:
        raise Conflict("Only members can be muted.", code="not_a_member")
    earlier = _standing_mute(session, group.id, user_id)
    if earlier is not None:
        if earlier.until is None or earlier.until > clock.now():
            raise Conflict("This person is already muted.", code="already_muted")
        # A mute that ran out still holds the one place a person has in the list of standing mutes.
        earlier.lifted_at = earlier.until
        session.flush()
    row = Mute(
        id=new_id(),
        group_id=group.id,
        user_id=user_id,
        reason=reason,
        until=until,
        created_by=actor.person(),
        created_at=clock.now(),
        lifted_at=None,
    )
    session.add(row)
    audit.note(session, group, actor, "mute.made", subject_id=user_id, reason=reason)
    return row


def unmute(session: Session, actor: Actor, group: Group, user_id: uuid.UUID) -> None:
    """Let a person write again."""
    lock_group(session, group.id)
    row = mute_in_force(session, group.id, user_id)
    if row is None:
        raise NotFound
    row.lifted_at = clock.now()
    audit.note(session, group, actor, "mute.lifted", subject_id=user_id)


def refuse_muted(session: Session, group_id: uuid.UUID, user_id: uuid.UUID) -> None:
    """Raise NotAllowed for whoever is silenced. Whatever others would read asks here, under the lock it writes with: a
    mute that was waited for is obeyed."""
    row = mute_in_force(session, group_id, user_id)
    if row is None:
        return
    until = f" until {row.until:%d %B %H:%M} UTC" if row.until else ""
    raise NotAllowed(f"You are muted in this group{until}. Reason: {row.reason}", code="muted")


def mute_in_force(session: Session, group_id: uuid.UUID, user_id: uuid.UUID) -> Mute | None:
    """The mute that keeps a person silent now."""
    return session.scalars(
        select(Mute)
        .where(
            Mute.group_id == group_id,
            Mute.user_id == user_id,
            Mute.lifted_at.is_(None),
            or_(Mute.until.is_(None), Mute.until > clock.now()),
        )
        .execution_options(populate_existing=True)
    ).one_or_none()


def silenced(session: Session, group_id: uuid.UUID, user_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these people are kept silent now."""
    rows = session.scalars(
        select(Mute.user_id).where(
            Mute.group_id == group_id,
            Mute.user_id.in_(user_ids),
            Mute.lifted_at.is_(None),
            or_(Mute.until.is_(None), Mute.until > clock.now()),
        )
    )
    return set(rows)


def _standing_mute(session: Session, group_id: uuid.UUID, user_id: uuid.UUID) -> Mute | None:
    return session.scalars(
        select(Mute)
        .where(Mute.group_id == group_id, Mute.user_id == user_id, Mute.lifted_at.is_(None))
        .execution_options(populate_existing=True)
    ).one_or_none()
