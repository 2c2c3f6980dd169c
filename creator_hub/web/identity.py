"""Who is asking: the session cookie (with CSRF) or a bearer token (without)."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from flask import Request
from sqlalchemy.orm import Session

from creator_hub import settings
from creator_hub.accounts import cookies, csrf, sessions
from creator_hub.accounts.doors import user_by_id
from creator_hub.accounts.secrets import new_secret
from creator_hub.core.access import Actor
from creator_hub.core.errors import SignInRequired

_VISIT = re.compile(r"[A-Za-z0-9_-]{43}")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Caller:
    """The actor and the cookie its CSRF token is bound to; `new_visit` is a visit cookie still to be set.

    A stranger chooses their visit cookie, so what it binds carries a prefix: it can never be the id of a person or of a
    session, whose CSRF tokens and stored answers would otherwise be the stranger's.
    """

    actor: Actor
    bound_to: str
    new_visit: str | None = None

    @property
    def csrf_token(self) -> str:
        return csrf.token_for(settings.current().secret_key, self.bound_to)


def identify(session: Session, request: Request) -> Caller:
    """Work out the caller. A bearer token that is dead is an error; a cookie that is dead is a stranger."""
    header = request.headers.get("Authorization", "")
    if header:
        scheme, _, token = header.partition(" ")
        actor = sessions.actor_for_token(session, token) if scheme.lower() == "bearer" else None
        if actor is None:
            raise SignInRequired("This API token is not valid, or was revoked.")
        return Caller(actor, str(actor.token_id))
    cookie = request.cookies.get(cookies.name_of(cookies.SESSION))
    actor = sessions.actor_for_cookie(session, cookie) if cookie else None
    if actor is not None:
        return Caller(actor, str(actor.session_id))
    visit = request.cookies.get(cookies.name_of(cookies.VISIT), "")
    if _VISIT.fullmatch(visit):
        return Caller(Actor(), f"visit:{visit}")
    fresh = new_secret()
    return Caller(Actor(), f"visit:{fresh}", new_visit=fresh)


@dataclass(frozen=True, slots=True)
class Me:
    """The signed-in person as every page shows them. A copy: an error page is drawn after the session is closed, and
    asking a closed session would take a new connection that nobody gives back."""

    id: uuid.UUID
    handle: str
    display_name: str
    roles: tuple[str, ...]


def face_of(session: Session, actor: Actor) -> Me | None:
    if actor.user_id is None:
        return None
    user = user_by_id(session, actor.user_id)
    return Me(user.id, user.handle, user.display_name, tuple(user.roles))


def check_csrf(request: Request, caller: Caller) -> None:
    """Refuse a changing request that a browser may have been tricked into. Bearer tokens are immune."""
    if request.method in SAFE_METHODS or caller.actor.token_id is not None:
        return
    csrf.check(settings.current().secret_key, caller.bound_to, request.headers.get("X-CSRF-Token"))
