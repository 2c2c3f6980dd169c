"""Remedies, and renewals that stop and resume: where promises meet access and money."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import job
from creator_hub.core.errors import Conflict
from creator_hub.core.money import Money
from creator_hub.groups import entitlements
from creator_hub.groups.models import Group
from creator_hub.groups.standing import standing_of
from creator_hub.money import refunds, subscriptions
from creator_hub.money.billing_models import Payment, Refund, Subscription
from creator_hub.promises import judging, silence
from creator_hub.promises.models import Period, Remedy


@job(judging.DAYS_TOPIC)
def give_days(session: Session, payload: dict[str, Any]) -> None:
    """Access for so many days beyond what is paid for; nobody who left is brought back by it."""
    remedy = session.get_one(Remedy, uuid.UUID(payload["remedy_id"]), with_for_update=True)
    if remedy.state != "owed":
        return
    bought = session.get_one(Subscription, remedy.subscription_id)
    group = session.get_one(Group, bought.group_id)
    if not standing_of(session, group, remedy.user_id).is_inside:
        judging.settle_remedy(session, remedy.id, "not a member any more")
        return
    now = clock.now()
    entitlements.grant(
        session,
        group_id=group.id,
        user_id=remedy.user_id,
        tier_id=bought.tier_id,
        source="gift",
        source_id=f"promise:{remedy.id}",
        starts_at=now,
        ends_at=max(now, bought.current_period_end) + timedelta(days=remedy.value),
    )
    judging.settle_remedy(session, remedy.id)


@job(judging.REFUND_TOPIC, transaction=False)
def give_back(payload: dict[str, Any]) -> None:
    """A part of the payment, by the way it came. The refund's row comes first: asking again asks for the same one."""
    remedy_id = uuid.UUID(payload["remedy_id"])
    with unit_of_work() as session:
        refund_id, why = _asked(session, session.get_one(Remedy, remedy_id, with_for_update=True))
        if why is not None:
            judging.settle_remedy(session, remedy_id, why)
    if refund_id is None:
        return
    try:
        refunds.send(refund_id)
    except Conflict as refused:
        with unit_of_work() as session:
            judging.settle_remedy(session, remedy_id, refused.detail)
        return
    with unit_of_work() as session:
        failed = session.get_one(Refund, refund_id).state == "failed"
        judging.settle_remedy(session, remedy_id, "the bank did not take it" if failed else None)


def _asked(session: Session, remedy: Remedy) -> tuple[uuid.UUID | None, str | None]:
    """The refund of this remedy, or why there is none; neither when it is settled. Never more than was paid."""
    if remedy.state != "owed":
        return None, None
    if remedy.refund_id is not None:
        return remedy.refund_id, None
    period = session.get_one(Period, remedy.period_id)
    payment = session.scalars(
        select(Payment)
        .where(Payment.subscription_id == remedy.subscription_id, Payment.period_start < period.until_at)
        .order_by(Payment.period_start.desc())
        .limit(1)
        .with_for_update()
    ).one_or_none()
    if payment is None or payment.refundable_minor == 0:
        return None, "nothing was paid for this time"
    minor = min(payment.gross_minor * remedy.value // 100, payment.refundable_minor)
    try:
        asked = refunds.request(session, payment, Money(minor, payment.currency), "A promise was not kept", None)
    except Conflict as refused:
        return None, refused.detail
    session.flush()
    remedy.refund_id = asked.id
    return asked.id, None


@job(silence.STOP_TOPIC, transaction=False)
def stop_renewal(payload: dict[str, Any]) -> None:
    subscriptions.set_renewing(uuid.UUID(payload["subscription_id"]), False)


@job(silence.RESUME_TOPIC, transaction=False)
def resume_renewal(payload: dict[str, Any]) -> None:
    """Whoever left in the meantime stays gone."""
    subscription_id = uuid.UUID(payload["subscription_id"])
    with unit_of_work() as session:
        row = session.get_one(Subscription, subscription_id)
        inside = standing_of(session, session.get_one(Group, row.group_id), row.user_id).is_inside
    if inside:
        subscriptions.set_renewing(subscription_id, True)
