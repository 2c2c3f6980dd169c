"""Roles and bans of a group. Everything here is noted in the audit log."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub.accounts.doors import user_by_id
from creator_hub.core import clock
from creator_hub.core.access import Actor
from creator_hub.core.errors import Conflict, Invalid, NotAllowed, NotFound
from creator_hub.core.ids import new_id
from creator_hub.groups import audit
from creator_hub.groups.access_changes import changing_access, lock_group
from creator_hub.groups.entitlements import remove_person
from creator_hub.groups.models import Ban, Group
from creator_hub.groups.standing import Standing, standing_of


def make_moderator(session: Session, actor: Actor, group: Group, user_id: uuid.UUID) -> None:
    """Let a member moderate. The owner needs no role and cannot give one to themselves; doing it twice is once."""
    if user_id == group.owner_id:
        raise NotAllowed("You own this group and need no role in it.")
    with changing_access(session, group.id, user_id, reason="tier"):
        standing = standing_of(session, group, user_id)
        if standing.role not in ("member", "moderator") or standing.membership is None:
            raise Conflict("Only members can become moderators. Invite this person first.", code="not_a_member")
        if standing.role == "member":
            standing.membership.role = "moderator"
            audit.note(session, group, actor, "moderator.made", subject_id=user_id)


def unmake_moderator(session: Session, actor: Actor, group: Group, user_id: uuid.UUID) -> None:
    """Take the role back; channels above the person's own tier close for them at once."""
    with changing_access(session, group.id, user_id, reason="tier"):
        standing = standing_of(session, group, user_id)
        if standing.role != "moderator" or standing.membership is None:
            raise NotFound
        standing.membership.role = "member"
        audit.note(session, group, actor, "moderator.unmade", subject_id=user_id)


def ban(
    session: Session,
    actor: Actor,
    group: Group,
    standing: Standing,
    *,
    user_id: uuid.UUID,
    reason: str,
    until: datetime | None,
) -> Ban:
    """Put a person out, for good or until a moment; open sockets go before anything later is heard. People who never
    were members can be banned too. A moderator bans neither moderators nor the owner."""
    user_by_id(session, user_id)
    if until is not None and until <= clock.now():
        raise Invalid(errors={"until": ["Choose a moment in the future, or leave it out."]})
    lock_group(session, group.id)
    refuse_target(session, actor, group, standing, user_id)
    earlier = _standing_ban(session, group, user_id)
    if earlier is not None:
        if _is_in_force(earlier):
            raise Conflict("This person is already banned.", code="already_banned")
        # A ban that ran out still holds the one place a person has in the list of standing bans.
        earlier.lifted_at = earlier.until
        session.flush()
    remove_person(session, group, user_id, "banned")
    row = Ban(
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
    audit.note(session, group, actor, "ban.made", subject_id=user_id, reason=reason)
    return row


def unban(session: Session, actor: Actor, group: Group, user_id: uuid.UUID) -> None:
    """Let a person come back; they are not a member until they join again."""
    lock_group(session, group.id)
    row = _standing_ban(session, group, user_id)
    if row is None or not _is_in_force(row):
        raise NotFound
    row.lifted_at = clock.now()
    audit.note(session, group, actor, "ban.lifted", subject_id=user_id)


def refuse_target(session: Session, actor: Actor, group: Group, standing: Standing, user_id: uuid.UUID) -> None:
    """A moderator bans and mutes neither moderators nor the owner, and nobody themselves. The group is locked."""
    target = standing_of(session, group, user_id)
    if user_id == actor.user_id:
        raise NotAllowed("You cannot do this to yourself. You may leave the group instead.")
    if target.role == "creator" or (target.role == "moderator" and standing.role == "moderator"):
        raise NotAllowed("Only the creator may act against a moderator, and nobody against the creator.")


def _standing_ban(session: Session, group: Group, user_id: uuid.UUID) -> Ban | None:
    return session.scalars(
        select(Ban)
        .where(Ban.group_id == group.id, Ban.user_id == user_id, Ban.lifted_at.is_(None))
        .execution_options(populate_existing=True)
    ).one_or_none()


def _is_in_force(row: Ban) -> bool:
    return row.until is None or row.until > clock.now()
