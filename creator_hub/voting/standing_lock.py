"""Acting on rights that cannot change meanwhile.

Whoever is banned, leaves or loses a tier has their membership and entitlement rows written. A vote holds those rows of
its voter, shared, before it asks the door again: either the loss is committed and seen, or it waits for the vote. Only
that one person's rows are held, so a rush of votes delays nobody's ban but for a moment.

Lock order of the room: membership → entitlements → chain → round → box or session → stream. Access changes take theirs
in the same order (group → membership → entitlements → streams).
"""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub.groups.models import Entitlement, Membership


def hold(session: Session, group_id: uuid.UUID, user_id: uuid.UUID) -> None:
    """Keep what a person may do in a group as it is until the commit."""
    for rows in (
        select(Membership.id).where(Membership.group_id == group_id, Membership.user_id == user_id),
        select(Entitlement.id)
        .where(Entitlement.group_id == group_id, Entitlement.user_id == user_id)
        .order_by(Entitlement.id),
    ):
        session.execute(rows.with_for_update(read=True)).all()
