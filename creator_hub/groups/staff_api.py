"""JSON routes of invites, moderators, bans and the audit log."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from creator_hub.accounts.doors import user_by_handle
from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import route
from creator_hub.core.paging import Page, PageRequest
from creator_hub.core.schemas import ListQuery, WireSchema, page_of
from creator_hub.groups import doors, invites, moderation, mutes, queries, schemas
from creator_hub.groups.models import AuditEntry, Ban, Invite, Mute
from creator_hub.groups.queries import Member

# A passcode has 73 random bits; the limit keeps guessing from costing us anything.
REDEMPTIONS = "30/minute"


@route(
    "POST",
    "/groups/<handle>/invites",
    permission=Permission.INVITE,
    body=schemas.InviteIn(),
    body_optional=True,
    answer=schemas.InviteOut(),
    status=201,
)
def create_invite(session: Session, actor: Actor, handle: str, body: dict[str, Any]) -> Invite:
    """Make a passcode invitation that remembers its campaign."""
    door = doors.group_by_handle(session, actor, handle, Permission.INVITE)
    return invites.create_invite(session, actor, door.group, door.standing, **body)


@route(
    "GET",
    "/groups/<handle>/invites",
    permission=Permission.INVITE,
    query=ListQuery(),
    answer=page_of(schemas.InviteOut),
)
def list_invites(session: Session, actor: Actor, handle: str, query: PageRequest) -> Page[Invite]:
    """The group's invitations, newest first."""
    door = doors.group_by_handle(session, actor, handle, Permission.INVITE)
    return queries.invites(session, door.group, query)


@route("DELETE", "/invites/<uuid:invite_id>", permission=Permission.INVITE, status=204)
def revoke_invite(session: Session, actor: Actor, invite_id: uuid.UUID) -> None:
    """Revoke an invitation; whoever came in with it stays."""
    door = doors.invite_by_id(session, actor, invite_id, Permission.INVITE)
    invites.revoke_invite(session, actor, door.group, door.invite)


@route(
    "POST",
    "/invites/<passcode>/redeem",
    permission=Permission.JOIN,
    body=WireSchema(),
    body_optional=True,
    answer=schemas.MembershipOut(),
    status=201,
    limit=REDEMPTIONS,
)
def redeem(session: Session, actor: Actor, passcode: str, body: dict[str, Any]) -> Member:
    """Come in with a passcode."""
    door = doors.invite_by_passcode(session, actor, passcode, Permission.JOIN)
    return queries.member(session, door.group, invites.redeem(session, actor, door.group, door.invite))


@route("PUT", "/groups/<handle>/moderators/<uuid:user_id>", permission=Permission.MAKE_MODERATOR, status=204)
def make_moderator(session: Session, actor: Actor, handle: str, user_id: uuid.UUID) -> None:
    """Make a member a moderator."""
    door = doors.group_by_handle(session, actor, handle, Permission.MAKE_MODERATOR)
    moderation.make_moderator(session, actor, door.group, user_id)


@route("DELETE", "/groups/<handle>/moderators/<uuid:user_id>", permission=Permission.MAKE_MODERATOR, status=204)
def unmake_moderator(session: Session, actor: Actor, handle: str, user_id: uuid.UUID) -> None:
    """Take a moderator's role back."""
    door = doors.group_by_handle(session, actor, handle, Permission.MAKE_MODERATOR)
    moderation.unmake_moderator(session, actor, door.group, user_id)


@route(
    "POST",
    "/groups/<handle>/bans",
    permission=Permission.MODERATE,
    body=schemas.BanIn(),
    answer=schemas.BanOut(),
    status=201,
)
def create_ban(session: Session, actor: Actor, handle: str, body: dict[str, Any]) -> Ban:
    """Ban a person; open sockets hear nothing committed after it."""
    door = doors.group_by_handle(session, actor, handle, Permission.MODERATE)
    return moderation.ban(session, actor, door.group, door.standing, **_against(session, body))


@route(
    "GET",
    "/groups/<handle>/bans",
    permission=Permission.MODERATE,
    query=ListQuery(),
    answer=page_of(schemas.BanOut),
)
def list_bans(session: Session, actor: Actor, handle: str, query: PageRequest) -> Page[Ban]:
    """The bans that stand."""
    door = doors.group_by_handle(session, actor, handle, Permission.MODERATE)
    return queries.bans(session, door.group, query)


@route("DELETE", "/groups/<handle>/bans/<uuid:user_id>", permission=Permission.MODERATE, status=204)
def lift_ban(session: Session, actor: Actor, handle: str, user_id: uuid.UUID) -> None:
    """Lift a ban; the person may join again."""
    door = doors.group_by_handle(session, actor, handle, Permission.MODERATE)
    moderation.unban(session, actor, door.group, user_id)


@route(
    "POST",
    "/groups/<handle>/mutes",
    permission=Permission.MODERATE,
    body=schemas.BanIn(),
    answer=schemas.BanOut(),
    status=201,
)
def create_mute(session: Session, actor: Actor, handle: str, body: dict[str, Any]) -> Mute:
    """Mute a member: they read on, and write again when it ends."""
    door = doors.group_by_handle(session, actor, handle, Permission.MODERATE)
    return mutes.mute(session, actor, door.group, door.standing, **_against(session, body))


@route(
    "GET",
    "/groups/<handle>/mutes",
    permission=Permission.MODERATE,
    query=ListQuery(),
    answer=page_of(schemas.BanOut),
)
def list_mutes(session: Session, actor: Actor, handle: str, query: PageRequest) -> Page[Mute]:
    """The mutes that stand."""
    door = doors.group_by_handle(session, actor, handle, Permission.MODERATE)
    return queries.mutes(session, door.group, query)


@route("DELETE", "/groups/<handle>/mutes/<uuid:user_id>", permission=Permission.MODERATE, status=204)
def lift_mute(session: Session, actor: Actor, handle: str, user_id: uuid.UUID) -> None:
    """Lift a mute."""
    door = doors.group_by_handle(session, actor, handle, Permission.MODERATE)
    mutes.unmute(session, actor, door.group, user_id)


@route(
    "GET",
    "/groups/<handle>/audit",
    permission=Permission.MODERATE,
    query=ListQuery(),
    answer=page_of(schemas.AuditOut),
)
def list_audit(session: Session, actor: Actor, handle: str, query: PageRequest) -> Page[AuditEntry]:
    """Who did what to whom, and why, newest first."""
    door = doors.group_by_handle(session, actor, handle, Permission.MODERATE)
    return queries.audit(session, door.group, query)


def _against(session: Session, body: dict[str, Any]) -> dict[str, Any]:
    """Whom a ban or mute is against, and its terms."""
    user_id = body["user_id"] if "user_id" in body else user_by_handle(session, body["handle"]).id
    return {"user_id": user_id, "reason": body["reason"], "until": body["until"]}
