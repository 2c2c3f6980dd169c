"""Facts and rollups, brought up to date for a group at a time; and the invitations of a holdout."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from creator_hub import settings
from creator_hub.core import mail
from creator_hub.core.access import Actor
from creator_hub.core.edge import job
from creator_hub.groups import invites
from creator_hub.groups.standing import standing_of
from creator_hub.insights import holdouts, service


@job(service.REFRESH)
def refresh(session: Session, payload: dict[str, Any]) -> None:
    service.refresh(session, uuid.UUID(payload["group_id"]))


@job(service.COUNT)
def count(session: Session, payload: dict[str, Any]) -> None:
    service.count(session, uuid.UUID(payload["group_id"]))


@job(holdouts.INVITE_TOPIC)
def invite_the_drawn(session: Session, payload: dict[str, Any]) -> None:
    """A passcode of their own, by mail: it opens for nobody else, or the draw would leak."""
    drawn = holdouts.invitation_of(session, uuid.UUID(payload["holdout_id"]), uuid.UUID(payload["user_id"]))
    if drawn is None:
        return
    holdout, group, person = drawn
    creator = Actor(user_id=group.owner_id)
    invite = invites.create_invite(
        session,
        creator,
        group,
        standing_of(session, group, creator),
        max_uses=1,
        expires_at=holdout.ends_at,
        tier_id=None,
        campaign=holdout.campaign,
        for_user_id=person.id,
    )
    mail.send_later(
        session,
        to=person.email,
        subject=f"{group.name} would like to see you",
        text=(
            f"You are invited to {group.name}. The invitation is yours alone:\n"
            f"{settings.current().public_url}/join/{invite.passcode}\n"
        ),
    )
