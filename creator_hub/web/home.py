"""The front page."""

from __future__ import annotations

from flask import render_template
from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import page


@page("/", permission=Permission.SEE_PUBLIC)
def home_page(session: Session, actor: Actor) -> str:
    """What this is, and the groups one may visit."""
    return render_template("home.html", groups=[])
