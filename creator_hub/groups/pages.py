"""Pages of groups: start one, keep it. The forms submit to the JSON routes."""

from __future__ import annotations

from typing import Any

from flask import render_template
from sqlalchemy.orm import Session

from creator_hub import settings
from creator_hub.accounts.queries import people
from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import page
from creator_hub.core.money import to_major
from creator_hub.core.paging import MAX_LIMIT, PageRequest
from creator_hub.groups import access_changes, doors, queries
from creator_hub.groups.models import Group

# Currencies a creator chooses from; the wire takes any ISO code.
CURRENCIES = ("USD", "EUR", "GBP", "JPY", "KRW", "BRL", "INR", "CAD", "AUD")
SHOWN = PageRequest(limit=MAX_LIMIT)
AUDIT_SHOWN = PageRequest(limit=30)


@page("/groups/new", permission=Permission.CREATE_GROUP)
def new_group_page(session: Session, actor: Actor) -> str:
    """Start a group."""
    return render_template("groups/new.html", currencies=[(code, code) for code in CURRENCIES])


@page("/g/<handle>/settings", permission=Permission.MODERATE)
def settings_page(session: Session, actor: Actor, handle: str) -> str:
    """Tiers, channels, invites, moderators, bans and the audit log of a group."""
    door = doors.group_by_handle(session, actor, handle, Permission.MODERATE)
    group = door.group
    bans = queries.bans(session, group, SHOWN).items
    mutes = queries.mutes(session, group, SHOWN).items
    audit = queries.audit(session, group, AUDIT_SHOWN).items
    named = {row.user_id for row in bans} | {row.user_id for row in mutes} | {entry.actor_id for entry in audit}
    named |= {entry.subject_id for entry in audit if entry.subject_id is not None}
    context: dict[str, Any] = {
        "group": group,
        "owns": door.standing.role == "creator",
        "tiers": queries.tiers_on_sale(session, group),
        "channels": access_changes.channels_of(session, group.id),
        "invites": queries.invites(session, group, SHOWN).items,
        "campaigns": queries.campaign_figures(session, group),
        "moderators": queries.moderators(session, group),
        "candidates": _candidates(session, group),
        "bans": bans,
        "mutes": mutes,
        "audit": audit,
        "people": people(session, named),
        "public_url": settings.current().public_url,
        "major": to_major,
    }
    return render_template("groups/settings.html", **context)


def _candidates(session: Session, group: Group) -> list[tuple[str, str]]:
    """Members who could be made moderators, as options of a list."""
    found = queries.members(session, group, SHOWN, viewer=None, for_staff=True).items
    plain = [member.user for member in found if member.role == "member"]
    return [(str(user.id), f"{user.display_name} (@{user.handle})") for user in plain]
