"""Changing one's e-mail address: asked for with the password, true once the link mailed to the new one is opened.

Nobody learns from it who has an account: the answer is the same whether the new address is taken or not, and only its
mailbox is told.
"""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from creator_hub.accounts.models import EmailChange, User
from creator_hub.accounts.secrets import digest, new_secret
from creator_hub.accounts.service import end_other_ways_in
from creator_hub.core import clock, mail, outbox
from creator_hub.core.errors import Gone
from creator_hub.core.ids import new_id

LIFETIME = timedelta(hours=1)
TOPIC = "accounts.email_change_asked"


def ask(session: Session, user: User, email: str) -> None:
    """Have a worker look whether the address is free, and mail to it."""
    outbox.record(session, TOPIC, {"user_id": str(user.id), "email": email})


def mail_link(session: Session, user: User, email: str, public_url: str) -> None:
    """Mail the link to the new address and a warning to the old one."""
    if user.deleted_at is not None:
        return
    if session.scalar(select(User.id).where(User.email == email)) is not None:
        mail.send_later(
            session,
            to=email,
            subject=_("This address has an account already"),
            text=_("Somebody wanted another account to have this address. Nothing was changed."),
        )
        return
    secret, at = new_secret(), clock.now()
    session.add(
        EmailChange(
            id=new_id(),
            user_id=user.id,
            email=email,
            secret_hash=digest(secret),
            created_at=at,
            expires_at=at + LIFETIME,
        )
    )
    mail.send_later(
        session,
        to=email,
        subject=_("Confirm your new address"),
        text=_("Open this link within an hour to use this address for your account:\n\n%(url)s")
        % {"url": f"{public_url}/confirm-email/{secret}"},
    )
    mail.send_later(
        session,
        to=user.email,
        subject=_("Somebody wants to change your address"),
        text=_("Your account is about to get another e-mail address.")
        + "\n\n"
        + _("If it was not you, reset your password now."),
    )


def confirm(session: Session, token: str) -> User:
    """Use a link, once. Every session and every other link ends: the account may be in new hands."""
    row = session.scalars(
        select(EmailChange).where(EmailChange.secret_hash == digest(token)).with_for_update()
    ).one_or_none()
    if row is None or row.used_at is not None or row.expires_at <= clock.now():
        raise Gone("This link has been used or has expired. Ask for a new one.", code="link_expired")
    user = session.get_one(User, row.user_id, with_for_update=True)
    before = user.email
    try:
        with session.begin_nested():
            user.email = row.email
    except IntegrityError:
        raise Gone("This address has been taken meanwhile.", code="link_expired") from None
    row.used_at = clock.now()
    end_other_ways_in(session, user, keep_session=None)
    mail.send_later(
        session,
        to=before,
        subject=_("Your address was changed"),
        text=_("Your account has another e-mail address now, and every device was signed out.")
        + "\n\n"
        + _("If it was not you, write to us at once."),
    )
    return user
