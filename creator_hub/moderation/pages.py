"""The moderators' queue."""

from __future__ import annotations

from typing import Any

from flask import render_template
from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import page
from creator_hub.groups.doors import group_by_handle
from creator_hub.moderation import queries

SHOWN = 50


@page("/g/<handle>/reports", permission=Permission.MODERATE)
def reports_page(session: Session, actor: Actor, handle: str) -> str:
    """Reported messages that wait for a decision."""
    door = group_by_handle(session, actor, handle, Permission.MODERATE)
    context: dict[str, Any] = {
        "group": door.group,
        "owns": door.standing.role == "creator",
        "cases": queries.open_cases(session, door.group, SHOWN),
    }
    return render_template("moderation/reports.html", **context)
