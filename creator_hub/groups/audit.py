"""The group's memory of who did what to whom, and why. Written in the transaction that did it."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from creator_hub.core import clock
from creator_hub.core.access import Actor
from creator_hub.core.ids import new_id
from creator_hub.groups.models import AuditEntry, Group


def note(
    session: Session,
    group: Group,
    actor: Actor,
    action: str,
    *,
    subject_id: uuid.UUID | None = None,
    reason: str | None = None,
) -> None:
    """Write one entry. `action` reads noun.verb (`ban.made`, `tier.archived`); `subject_id` is whom or what it met."""
    session.add(
        AuditEntry(
            id=new_id(),
            group_id=group.id,
            actor_id=actor.person(),
            action=action,
            subject_id=subject_id,
            reason=reason,
            at=clock.now(),
        )
    )
