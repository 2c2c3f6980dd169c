"""The page of a group's promises: for members what was promised, what came and what they got; for the creator also the
form to promise, and to excuse in time."""

from __future__ import annotations

from typing import Any

from flask import render_template
from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import page
from creator_hub.core.paging import PageRequest
from creator_hub.groups import doors
from creator_hub.promises import queries
from creator_hub.promises.judging import words
from creator_hub.promises.models import CADENCES, KINDS, OPEN_STATES, REMEDIES

PERIODS_SHOWN = PageRequest(limit=12)
PROMISES_SHOWN = PageRequest(limit=20)


@page("/g/<handle>/promises", permission=Permission.SEE_PUBLIC)
def promises_page(session: Session, actor: Actor, handle: str) -> str:
    """What was promised, what came, and what one got for what did not."""
    door = doors.group_by_handle(session, actor, handle, Permission.SEE_PUBLIC)
    found = queries.promises_of(session, door.group, PROMISES_SHOWN).items
    context: dict[str, Any] = {
        "group": door.group,
        "owns": door.standing.role == "creator",
        "staff": door.standing.role in ("creator", "moderator"),
        "reliability": queries.reliability(session, door.group),
        "promises": [
            (row, words(row), queries.periods_of(session, row, PERIODS_SHOWN, actor.user_id).items) for row in found
        ],
        "kinds": KINDS,
        "cadences": CADENCES,
        "remedies": REMEDIES,
        "open_states": OPEN_STATES,
    }
    return render_template("promises/promises.html", **context)
