"""JSON routes of session and people."""

from __future__ import annotations

import uuid
from typing import Any

from flask import g, request
from sqlalchemy.orm import Session

from creator_hub import settings
from creator_hub.accounts import cookies, csrf, doors, email_change, passwords, queries, schemas, service, sessions
from creator_hub.accounts.models import RoleChange, User
from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import FieldLimit, Reply, route
from creator_hub.core.errors import Invalid, NotAllowed
from creator_hub.core.paging import Page, PageRequest
from creator_hub.core.schemas import ListQuery, WireSchema, page_of

SIGN_UPS_PER_ADDRESS = "30/hour"
SIGN_UPS_PER_EMAIL = "10/hour"
SIGN_INS_PER_ADDRESS = "60/15minutes"
GUESSES_PER_PERSON = "10/15minutes"
RESETS_PER_EMAIL = "5/hour"


def signed_in(session: Session, actor: Actor, user: User) -> Reply:
    """Begin a session on this device and answer with its cookie and its own CSRF token. The one that was there ends:
    its cookie is overwritten, so nobody could sign it out any more."""
    if actor.session_id is not None:
        sessions.end(session, actor.person(), actor.session_id)
    row, secret = sessions.begin(
        session, user, user_agent=request.user_agent.string, address=request.remote_addr or "unknown"
    )
    body = {"csrf_token": csrf.token_for(settings.current().secret_key, str(row.id)), "user": user}
    return Reply(body, 201, cookies={cookies.SESSION: secret}, cookie_max_age=int(sessions.LIFETIME.total_seconds()))


def hashed(body: dict[str, Any]) -> dict[str, Any]:
    """The body with the password's hash in the place of the password."""
    password = body.pop("password")
    return body | {"password_hash": passwords.hash_password(password)}


@route(
    "POST",
    "/users",
    permission=Permission.SIGN_UP,
    body=schemas.SignUpIn(),
    answer=schemas.SessionOut(),
    status=201,
    limit=SIGN_UPS_PER_ADDRESS,
    field_limits=(FieldLimit(SIGN_UPS_PER_EMAIL, "email"),),
    prepare=hashed,
)
def sign_up(session: Session, actor: Actor, body: dict[str, Any]) -> Reply:
    """Create an account and sign in."""
    return signed_in(session, actor, service.create(session, **body))


@route("GET", "/session", permission=Permission.SESSION, answer=schemas.SessionOut())
def show_session(session: Session, actor: Actor) -> dict[str, Any]:
    """The signed-in person and the CSRF token to send with every change."""
    user = doors.user_by_id(session, actor.user_id) if actor.user_id else None
    return {"csrf_token": g.csrf_token, "user": user}


@route(
    "POST",
    "/session",
    permission=Permission.SESSION,
    body=schemas.SignInIn(),
    answer=schemas.SessionOut(),
    status=201,
    limit=SIGN_INS_PER_ADDRESS,
    field_limits=(FieldLimit(GUESSES_PER_PERSON, "email"),),
    prepare=lambda body: {"proof": service.check(**body)},
)
def sign_in(session: Session, actor: Actor, body: dict[str, Any]) -> Reply:
    """Sign in with e-mail and password."""
    return signed_in(session, actor, service.authenticate(session, body["proof"]))


@route("DELETE", "/session", permission=Permission.SESSION, status=204)
def sign_out(session: Session, actor: Actor) -> Reply:
    """Sign out on this device."""
    person = actor.person()
    if actor.session_id is not None:
        sessions.end(session, person, actor.session_id)
    return Reply(status=204, cookies={cookies.SESSION: None})


@route("GET", "/me", permission=Permission.USE_ACCOUNT, answer=schemas.MeOut())
def show_me(session: Session, actor: Actor) -> User:
    """The signed-in person."""
    return doors.me(session, actor)


@route(
    "PATCH",
    "/me",
    permission=Permission.USE_ACCOUNT,
    body=schemas.MePatch(),
    answer=schemas.MeOut(),
    field_limits=(FieldLimit(GUESSES_PER_PERSON, "current_password", per_caller=True),),
)
def change_me(session: Session, actor: Actor, body: dict[str, Any]) -> User:
    """Change the display name; with the current password also the password or the e-mail address.

    A new password ends the other sessions; a new address has to be confirmed by the link that is mailed there.
    """
    user = doors.me(session, actor)
    if "display_name" in body:
        user.display_name = body["display_name"]
    if "password" in body or "email" in body:
        if actor.session_id is None:
            raise NotAllowed("An API token cannot change password or e-mail. Sign in with a browser.")
        service.check_own_password(user, body.get("current_password", ""))
    if "password" in body:
        service.change_password(session, user, password=body["password"], keep_session=actor.session_id)
    if "email" in body:
        email_change.ask(session, user, body["email"])
    return user


@route(
    "POST",
    "/email-changes/<token>",
    permission=Permission.SESSION,
    body=WireSchema(),
    body_optional=True,
    status=204,
    limit="30/hour",
)
def confirm_email(session: Session, actor: Actor, token: str, body: dict[str, Any]) -> Reply:
    """Make the new e-mail address true with the link that was mailed there; every session ends."""
    user = email_change.confirm(session, token)
    return Reply(status=204, cookies={cookies.SESSION: None} if user.id == actor.user_id else {})


@route(
    "POST",
    "/session/proof",
    permission=Permission.USE_ACCOUNT,
    body=schemas.ProofIn(),
    status=204,
    by_session=True,
    field_limits=(FieldLimit(GUESSES_PER_PERSON, "password", per_caller=True),),
)
def prove_again(session: Session, actor: Actor, body: dict[str, Any]) -> None:
    """Show the password again, for what needs it shown lately."""
    if not passwords.verify(doors.me(session, actor).password_hash, body["password"]):
        raise Invalid(errors={"password": ["This is not your current password."]})
    sessions.prove(session, actor)


@route(
    "POST",
    "/me/tokens",
    permission=Permission.USE_ACCOUNT,
    by_session=True,
    body=schemas.TokenIn(),
    answer=schemas.NewTokenOut(),
    status=201,
    limit="20/hour",
)
def create_token(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    """Create an API token; it is shown this once."""
    token, secret = service.create_token(session, actor.person(), **body)
    return {"id": token.id, "token": secret}


@route("GET", "/me/tokens", permission=Permission.USE_ACCOUNT, by_session=True, answer=schemas.TokenPage())
def list_tokens(session: Session, actor: Actor) -> dict[str, Any]:
    """The living API tokens, without their secrets."""
    return {"items": queries.tokens_of(session, actor.person()), "next": None}


@route("DELETE", "/me/tokens/<uuid:token_id>", permission=Permission.USE_ACCOUNT, by_session=True, status=204)
def revoke_token(session: Session, actor: Actor, token_id: uuid.UUID) -> None:
    """Revoke an API token."""
    sessions.revoke_token(session, actor.person(), token_id)


@route("GET", "/me/devices", permission=Permission.USE_ACCOUNT, by_session=True, answer=schemas.DevicePage())
def list_devices(session: Session, actor: Actor) -> dict[str, Any]:
    """Where this person is signed in."""
    rows = sessions.devices(session, actor.person())
    return {"items": [device_shape(row, actor) for row in rows], "next": None}


def device_shape(row: Any, actor: Actor) -> dict[str, Any]:
    shown = ("id", "user_agent", "address", "created_at", "seen_at")
    return {name: getattr(row, name) for name in shown} | {"current": row.id == actor.session_id}


@route("DELETE", "/me/devices", permission=Permission.USE_ACCOUNT, by_session=True, status=204)
def end_other_devices(session: Session, actor: Actor) -> None:
    """Sign out everywhere else."""
    sessions.end_all(session, actor.person(), keep=actor.session_id)


@route("DELETE", "/me/devices/<uuid:device_id>", permission=Permission.USE_ACCOUNT, by_session=True, status=204)
def end_device(session: Session, actor: Actor, device_id: uuid.UUID) -> None:
    """Sign one device out."""
    sessions.end(session, actor.person(), device_id)


@route(
    "POST",
    "/password-resets",
    permission=Permission.SIGN_UP,
    body=schemas.ResetIn(),
    status=202,
    limit="10/hour",
    field_limits=(FieldLimit(RESETS_PER_EMAIL, "email"),),
)
def request_reset(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    """Ask for a reset link by mail. The answer does not tell whether the account exists."""
    service.request_reset(session, body["email"])
    return {}


@route(
    "POST",
    "/password-resets/<token>",
    permission=Permission.SIGN_UP,
    body=schemas.ResetUse(),
    answer=schemas.SessionOut(),
    status=201,
    limit="30/hour",
)
def use_reset(session: Session, actor: Actor, token: str, body: dict[str, Any]) -> Reply:
    """Choose a new password with a reset link; every old session ends."""
    return signed_in(session, actor, service.reset_password(session, token, body["password"]))


@route("GET", "/users/<handle>", permission=Permission.SEE_PUBLIC, answer=schemas.PublicUserOut())
def show_user(session: Session, actor: Actor, handle: str) -> User:
    """A person's public face."""
    return doors.user_by_handle(session, handle)


@route(
    "PUT",
    "/users/<uuid:user_id>/roles",
    permission=Permission.MANAGE_ROLES,
    proved=True,
    body=schemas.RolesIn(),
    answer=schemas.UserOut(),
)
def set_roles(session: Session, actor: Actor, user_id: uuid.UUID, body: dict[str, Any]) -> User:
    """Set a person's platform roles; never one's own, and always on the record."""
    user = doors.user_by_id(session, user_id)
    service.set_roles(session, user, body["roles"], changed_by=actor.person())
    return user


@route(
    "GET",
    "/role-changes",
    permission=Permission.MANAGE_ROLES,
    query=ListQuery(),
    answer=page_of(schemas.RoleChangeOut),
)
def list_role_changes(session: Session, actor: Actor, query: PageRequest) -> Page[RoleChange]:
    """Who gave whom which platform roles, newest first."""
    return queries.role_changes(session, query)
