"""The dead-man switch: a creator who gives no sign of life for so long gets no renewals until they are back."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import exists, insert, select
from sqlalchemy.orm import Session

from creator_hub.accounts.models import User
from creator_hub.core import clock, mail, outbox
from creator_hub.core.ids import new_id
from creator_hub.groups.access_changes import lock_group
from creator_hub.groups.models import Group
from creator_hub.money.billing_models import Subscription
from creator_hub.promises.evidence import last_sign
from creator_hub.promises.models import Silence, StoppedRenewal

STOP_TOPIC, RESUME_TOPIC = "promises.stop_renewal", "promises.resume_renewal"
SILENT_FOR = timedelta(days=30)
RENEWING = ("active", "past_due", "trialing")


def watch(session: Session) -> int:
    """Begin and end silences; how many changed. Groups without renewing subscriptions are not watched."""
    renews = exists().where(Subscription.group_id == Group.id, Subscription.state != "ended")
    changed = 0
    for group in session.scalars(select(Group).where(renews).order_by(Group.id)).all():
        silence = _running(session, group)
        sign = last_sign(session, group) or group.created_at
        if silence is None and clock.now() - sign >= SILENT_FOR:
            _begin(session, group)
            changed += 1
        elif silence is not None and sign > silence.began_at:
            _end(session, group, silence)
            changed += 1
    return changed


def _running(session: Session, group: Group) -> Silence | None:
    return session.scalars(
        select(Silence).where(Silence.group_id == group.id, Silence.ended_at.is_(None)).with_for_update()
    ).one_or_none()


def _begin(session: Session, group: Group) -> None:
    """Stop the renewal of whoever renews now; the group's lock keeps a second watcher out."""
    lock_group(session, group.id)
    if _running(session, group) is not None:
        return
    silence = Silence(
        id=new_id(),
        group_id=group.id,
        last_sign_at=last_sign(session, group) or group.created_at,
        began_at=clock.now(),
        ended_at=None,
    )
    session.add(silence)
    session.flush()
    stopped = session.execute(
        select(Subscription.id, Subscription.user_id).where(
            Subscription.group_id == group.id,
            Subscription.state.in_(RENEWING),
            Subscription.cancel_at_period_end.is_(False),
        )
    ).all()
    if stopped:
        rows = [{"silence_id": silence.id, "subscription_id": row.id} for row in stopped]
        session.execute(insert(StoppedRenewal), rows)
    _ask(session, STOP_TOPIC, silence, [row.id for row in stopped])
    quiet = f"{group.name} has been silent for {SILENT_FOR.days} days"
    _tell(session, [row.user_id for row in stopped], quiet, "You are not charged again until its creator is back.")
    _tell(session, [group.owner_id], quiet, "Renewals are stopped. They resume when you write to your members.")


def _end(session: Session, group: Group, silence: Silence) -> None:
    silence.ended_at = clock.now()
    stopped = session.execute(
        select(Subscription.id, Subscription.user_id)
        .join(StoppedRenewal, StoppedRenewal.subscription_id == Subscription.id)
        .where(StoppedRenewal.silence_id == silence.id, Subscription.state != "ended")
    ).all()
    _ask(session, RESUME_TOPIC, silence, [row.id for row in stopped])
    people = [group.owner_id, *(row.user_id for row in stopped)]
    _tell(session, people, f"{group.name} is back", "Memberships renew again as before. You can cancel at any time.")


def _ask(session: Session, topic: str, silence: Silence, subscription_ids: Sequence[uuid.UUID]) -> None:
    for subscription_id in subscription_ids:
        told = {"subscription_id": str(subscription_id)}
        outbox.record(session, topic, told, key=f"{silence.id}:{subscription_id}")


def _tell(session: Session, user_ids: Sequence[uuid.UUID], subject: str, text: str) -> None:
    for email in session.scalars(select(User.email).where(User.id.in_(list(user_ids)))):
        mail.send_later(session, to=email, subject=subject, text=f"{subject}. {text}\n")
