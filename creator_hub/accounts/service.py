"""Verbs of an account: sign up, sign in, change, reset."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from creator_hub.accounts import passwords, sessions
from creator_hub.accounts.models import ApiToken, EmailChange, PasswordReset, RoleChange, User
from creator_hub.accounts.secrets import TOKEN_PREFIX, digest, new_secret
from creator_hub.core import clock, logs, mail, outbox
from creator_hub.core.db import unit_of_work
from creator_hub.core.errors import BadRequest, Gone, Invalid, NotAllowed
from creator_hub.core.ids import new_id

RESET_LIFETIME = timedelta(hours=1)
RESET_TOPIC = "accounts.reset_asked"
log = logs.get(__name__)


class NoMatch(BadRequest):
    default_code = "no_match"
    default_message = "This e-mail and password do not match. Check both, or reset your password."


def sign_up(
    session: Session, *, email: str, password: str, handle: str, display_name: str, roles: Iterable[str] = ()
) -> User:
    """Create an account. Raises Invalid, by field, when the e-mail or the handle is taken."""
    hashed = passwords.hash_password(password)
    return create(session, email=email, password_hash=hashed, handle=handle, display_name=display_name, roles=roles)


def create(
    session: Session, *, email: str, password_hash: str, handle: str, display_name: str, roles: Iterable[str] = ()
) -> User:
    """Create an account whose password was hashed before the transaction began. Raises Invalid as `sign_up`."""
    user = User(
        id=new_id(),
        email=email,
        handle=handle,
        display_name=display_name,
        password_hash=password_hash,
        roles=sorted(roles),
        settings={},
        created_at=clock.now(),
    )
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError as error:
        raise _taken(error) from None
    if user.roles:
        _record_roles(session, user, before=[], changed_by=None)
    return user


def _taken(error: IntegrityError) -> Invalid:
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", "") or ""
    if "email" in constraint:
        return Invalid(errors={"email": ["This e-mail cannot be used. Sign in, or reset your password."]})
    if "handle" in constraint:
        return Invalid(errors={"handle": ["This handle is taken. Choose another."]})
    raise error


@dataclass(frozen=True, slots=True)
class Proof:
    """What a sign-in has shown: whose password, against which hash; the hash of today's cost if that one is cheaper."""

    user_id: uuid.UUID
    checked: str
    better: str | None


def check(*, email: str, password: str) -> Proof:
    """Whose credentials these are. Unknown e-mail and wrong password are one answer, in one time.

    Opens its own unit of work to read: the check itself is slow, and must not hold a transaction.
    """
    with unit_of_work() as session:
        found = session.execute(
            select(User.id, User.password_hash).where(User.email == email, User.deleted_at.is_(None))
        ).one_or_none()
    if not passwords.verify(found.password_hash if found else None, password) or found is None:
        log.warning("sign_in_failed")
        raise NoMatch
    better = passwords.hash_password(password) if passwords.needs_rehash(found.password_hash) else None
    return Proof(found.id, found.password_hash, better)


def authenticate(session: Session, proof: Proof) -> User:
    """The person whose credentials were checked, unless their password was changed since.

    The suspended get in too: there is little they may do, but end their subscriptions they must be able to.
    """
    user = session.get(User, proof.user_id)
    if user is None or user.deleted_at is not None or user.password_hash != proof.checked:
        raise NoMatch
    user.password_hash = proof.better or proof.checked
    log.info("signed_in", user=str(user.id))
    return user


def check_own_password(user: User, password: str) -> None:
    """Pass, or raise Invalid: whoever sits at a signed-in device need not be its person."""
    if not passwords.verify(user.password_hash, password):
        raise Invalid(errors={"current_password": ["This is not your current password."]})


def change_password(session: Session, user: User, *, password: str, keep_session: uuid.UUID | None) -> None:
    """Set a new password; every other session and every mailed link ends: whoever knew the old one is out."""
    user.password_hash = passwords.hash_password(password)
    log.info("password_changed", user=str(user.id))
    end_other_ways_in(session, user, keep_session=keep_session)
    mail.send_later(
        session,
        to=user.email,
        subject=_("Your password was changed"),
        text=_("The password of your account was changed, and your other devices were signed out.")
        + "\n\n"
        + _("If it was not you, reset your password now."),
    )


def end_other_ways_in(session: Session, user: User, *, keep_session: uuid.UUID | None) -> None:
    sessions.end_all(session, user.id, keep=keep_session)
    for links in (PasswordReset, EmailChange):
        session.execute(
            update(links).where(links.user_id == user.id, links.used_at.is_(None)).values(used_at=clock.now())
        )


def create_token(
    session: Session, user_id: uuid.UUID, name: str, expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """A new API token; the secret is returned once and never again."""
    at = clock.now()
    if expires_at is not None and expires_at <= at:
        raise Invalid(errors={"expires_at": ["Choose a moment to come."]})
    secret = TOKEN_PREFIX + new_secret()
    token = ApiToken(
        id=new_id(), user_id=user_id, name=name, secret_hash=digest(secret), created_at=at, expires_at=expires_at
    )
    session.add(token)
    session.flush()
    return token, secret


def request_reset(session: Session, email: str) -> None:
    """Have a worker look whether the account exists: the answer, and the time it takes, are the same either way."""
    outbox.record(session, RESET_TOPIC, {"email": email})


def mail_reset_link(session: Session, email: str, public_url: str) -> None:
    """Mail a reset link if the account exists."""
    user = session.scalars(select(User).where(User.email == email, User.deleted_at.is_(None))).one_or_none()
    if user is None:
        return
    secret, at = new_secret(), clock.now()
    session.add(
        PasswordReset(
            id=new_id(),
            user_id=user.id,
            secret_hash=digest(secret),
            created_at=at,
            expires_at=at + RESET_LIFETIME,
        )
    )
    mail.send_later(
        session,
        to=user.email,
        subject=_("Reset your password"),
        text=_("Open this link within an hour to choose a new password:\n\n%(url)s\n\nIf it was not you, do nothing.")
        % {"url": f"{public_url}/reset-password/{secret}"},
    )


def reset_password(session: Session, token: str, password: str) -> User:
    """Use a reset link. The row is locked, so a link works once however often it is clicked.

    API tokens end too: this is how an account is taken back, and a thief may have made some.
    """
    row = session.scalars(
        select(PasswordReset).where(PasswordReset.secret_hash == digest(token)).with_for_update()
    ).one_or_none()
    if row is None or row.used_at is not None or row.expires_at <= clock.now():
        raise Gone("This link has been used or has expired. Ask for a new one.", code="reset_expired")
    row.used_at = clock.now()
    user = session.get_one(User, row.user_id)
    change_password(session, user, password=password, keep_session=None)
    sessions.revoke_tokens(session, user.id)
    return user


def set_roles(session: Session, user: User, roles: Iterable[str], *, changed_by: uuid.UUID | None) -> None:
    """Give a person these platform roles, on the record. Losing one closes their sockets: it may have opened channels
    to them. Raises NotAllowed for one's own: whoever may give roles has no money, and must not help themselves to it.
    """
    if changed_by == user.id:
        raise NotAllowed("Nobody changes their own roles. Ask another admin.")
    session.refresh(user, with_for_update=True)
    before, user.roles = user.roles, sorted(set(roles))
    if before == user.roles:
        return
    _record_roles(session, user, before=before, changed_by=changed_by)
    mail.send_later(
        session,
        to=user.email,
        subject=_("Your duties have changed"),
        text=_("Your duties on Creator Hub are now: %(roles)s.\n\nIf you do not expect this, tell us.")
        % {"roles": ", ".join(user.roles) or _("none")},
    )
    if set(before) - set(user.roles):
        sessions.cut_off(session, user.id, "signed_out")


def _record_roles(session: Session, user: User, *, before: list[str], changed_by: uuid.UUID | None) -> None:
    session.flush()
    log.info("roles_changed", user=str(user.id), by=str(changed_by), before=before, after=user.roles)
    session.add(
        RoleChange(id=new_id(), user_id=user.id, changed_by=changed_by, before=before, after=user.roles, at=clock.now())
    )
