"""The page a passcode leads to: what it opens, who invites, and how well their word was kept so far."""

from __future__ import annotations

from typing import Any

from flask import render_template
from sqlalchemy.orm import Session

from creator_hub.accounts.queries import people
from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import route
from creator_hub.groups import doors
from creator_hub.groups.invites import refuse_spent
from creator_hub.groups.models import Tier
from creator_hub.groups.staff_api import REDEMPTIONS
from creator_hub.promises.queries import reliability


@route("GET", "/join/<passcode>", permission=Permission.SEE_PUBLIC, surface="page", limit=REDEMPTIONS)
def join_page(session: Session, actor: Actor, passcode: str) -> str:
    """What a passcode opens, and the button that does it."""
    door = doors.invite_by_passcode(session, actor, passcode, Permission.SEE_PUBLIC)
    tier = session.get_one(Tier, door.invite.tier_id) if door.invite.tier_id else None
    inside = door.standing.is_inside and (tier is None or door.standing.rank >= tier.rank)
    if not inside:
        refuse_spent(door.invite, tier)
    context: dict[str, Any] = {
        "group": door.group,
        "owner": people(session, [door.group.owner_id])[door.group.owner_id],
        "invite": door.invite,
        "tier": tier,
        "inside": inside,
        "reliability": reliability(session, door.group),
    }
    return render_template("join.html", **context)
