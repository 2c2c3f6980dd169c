"""Sign-in, sign-up, account and reset pages. The forms submit to the JSON routes."""

from __future__ import annotations

import re
from typing import Any

from flask import render_template, request
from sqlalchemy.orm import Session

from creator_hub.accounts import doors, queries, sessions
from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import Redirect, page

_OWN_PATH = re.compile(r"/(?:[^\s\\/\x00-\x1f][^\s\\\x00-\x1f]*)?")


def next_path() -> str:
    """Where to go after signing in: a path of this site only, so that nobody is sent away by a crafted link.

    Browsers drop tabs and line ends from addresses and read a backslash as a slash, so a path with any is none of ours.
    """
    wanted = request.args.get("next", "/")
    return wanted if _OWN_PATH.fullmatch(wanted) else "/"


@page("/sign-in", permission=Permission.SIGN_UP)
def sign_in_page(session: Session, actor: Actor) -> str | Redirect:
    """Sign in."""
    if actor.user_id is not None:
        return Redirect(next_path())
    return render_template("accounts/sign_in.html", next=next_path())


@page("/sign-up", permission=Permission.SIGN_UP)
def sign_up_page(session: Session, actor: Actor) -> str | Redirect:
    """Sign up."""
    if actor.user_id is not None:
        return Redirect(next_path())
    return render_template("accounts/sign_up.html", next=next_path())


@page("/forgot-password", permission=Permission.SIGN_UP)
def forgot_page(session: Session, actor: Actor) -> str:
    """Ask for a reset link."""
    return render_template("accounts/forgot_password.html")


@page("/reset-password/<token>", permission=Permission.SIGN_UP)
def reset_page(session: Session, actor: Actor, token: str) -> str:
    """Choose a new password."""
    return render_template("accounts/reset_password.html", token=token)


@page("/confirm-email/<token>", permission=Permission.SESSION)
def confirm_email_page(session: Session, actor: Actor, token: str) -> str:
    """Use a new e-mail address. A button, for mail scanners open every link."""
    return render_template("accounts/confirm_email.html", token=token)


@page("/confirm-password", permission=Permission.USE_ACCOUNT)
def confirm_password_page(session: Session, actor: Actor) -> str:
    """Show the password again, then go on."""
    return render_template("accounts/confirm_password.html", next=next_path())


@page("/account", permission=Permission.USE_ACCOUNT)
def account_page(session: Session, actor: Actor) -> str:
    """Profile, devices, API tokens."""
    context: dict[str, Any] = {
        "user": doors.me(session, actor),
        "devices": sessions.devices(session, actor.person()),
        "current_session": actor.session_id,
        "tokens": queries.tokens_of(session, actor.person()),
    }
    return render_template("accounts/account.html", **context)
