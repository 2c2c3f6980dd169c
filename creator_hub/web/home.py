"""The front page."""

from __future__ import annotations

from flask import render_template
from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import page
from creator_hub.groups.queries import groups_of, public_groups


@page("/", permission=Permission.SEE_PUBLIC)
def home_page(session: Session, actor: Actor) -> str:
    """What this is, one's own groups, and the groups one may visit."""
    mine = groups_of(session, actor.user_id) if actor.user_id else []
    known = {group.id for group in mine}
    others = [group for group in public_groups(session) if group.id not in known]
    return render_template("home.html", my_groups=mine, groups=others)
