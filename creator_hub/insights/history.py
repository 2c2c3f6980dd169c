"""Reads what facts are made of: entitlement intervals, what was paid for them, and bans."""

from __future__ import annotations

import uuid
from collections import defaultdict
from datetime import datetime

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from creator_hub.groups.models import Ban, Entitlement, Tier
from creator_hub.insights.facts import BanSpan, History, PaidPeriod, Stay
from creator_hub.money.billing_models import Payment, Subscription


def of_group(session: Session, group_id: uuid.UUID, since: datetime | None) -> list[History]:
    """The whole history of everybody who held anything in the group at or after `since` (None: ever)."""
    wanted = select(Entitlement.user_id).where(Entitlement.group_id == group_id)
    if since is not None:
        wanted = wanted.where(or_(Entitlement.ends_at.is_(None), Entitlement.ends_at >= since))
    stays = _stays(session, group_id, wanted)
    paid, bans = _paid(session, group_id, wanted), _bans(session, group_id, wanted)
    return [
        History(user_id, tuple(found), tuple(paid.get(user_id, ())), tuple(bans.get(user_id, ())))
        for user_id, found in stays.items()
    ]


def _stays(session: Session, group_id: uuid.UUID, wanted: Select[uuid.UUID]) -> dict[uuid.UUID, list[Stay]]:
    rows = session.execute(
        select(
            Entitlement.user_id,
            Entitlement.tier_id,
            Tier.rank,
            Entitlement.source,
            Entitlement.starts_at,
            Entitlement.ends_at,
            Entitlement.ended_reason,
        )
        .join(Tier, Tier.id == Entitlement.tier_id)
        .where(Entitlement.group_id == group_id, Entitlement.user_id.in_(wanted))
        .order_by(Entitlement.user_id, Entitlement.starts_at)
    )
    found: dict[uuid.UUID, list[Stay]] = defaultdict(list)
    for row in rows:
        found[row.user_id].append(Stay(row.tier_id, row.rank, row.source, row.starts_at, row.ends_at, row.ended_reason))
    return found


def _paid(session: Session, group_id: uuid.UUID, wanted: Select[uuid.UUID]) -> dict[uuid.UUID, list[PaidPeriod]]:
    rows = session.execute(
        select(Payment.user_id, Payment.period_start, Payment.period_end, Payment.gross_minor, Subscription.interval)
        .join(Subscription, Subscription.id == Payment.subscription_id)
        .where(Payment.group_id == group_id, Payment.user_id.in_(wanted))
    )
    found: dict[uuid.UUID, list[PaidPeriod]] = defaultdict(list)
    for row in rows:
        found[row.user_id].append(PaidPeriod(row.period_start, row.period_end, row.gross_minor, row.interval))
    return found


def _bans(session: Session, group_id: uuid.UUID, wanted: Select[uuid.UUID]) -> dict[uuid.UUID, list[BanSpan]]:
    # A ban ends when it is lifted or by itself, whichever comes first; LEAST passes over what is null.
    ends_at = func.least(Ban.lifted_at, Ban.until).label("ends_at")
    rows = session.execute(
        select(Ban.user_id, Ban.created_at, ends_at).where(Ban.group_id == group_id, Ban.user_id.in_(wanted))
    )
    found: dict[uuid.UUID, list[BanSpan]] = defaultdict(list)
    for row in rows:
        found[row.user_id].append(BanSpan(row.created_at, row.ends_at))
    return found
