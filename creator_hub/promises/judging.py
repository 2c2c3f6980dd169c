"""The judge: opens periods, warns in time, settles them, and owes the remedy. Coming late or twice changes nothing."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from creator_hub.accounts.models import User
from creator_hub.core import clock, mail, outbox
from creator_hub.core.ids import new_id
from creator_hub.groups.models import Group
from creator_hub.money.billing_models import Subscription
from creator_hub.promises import cadence
from creator_hub.promises.evidence import Found, find
from creator_hub.promises.models import OPEN_STATES, Period, Promise, Remedy

DAYS_TOPIC, REFUND_TOPIC = "promises.give_days", "promises.refund"
AT_ONCE = 500
MOST_PERIODS_OPENED = 400


def keep_time(session: Session) -> int:
    """Open the periods that have begun, and look at those that are to be warned of or settled; how many were."""
    _open_periods(session)
    now = clock.now()
    due = session.execute(
        select(Period, Promise, Group)
        .join(Promise, Promise.id == Period.promise_id)
        .join(Group, Group.id == Promise.group_id)
        .where(
            Period.state.in_(OPEN_STATES),
            Period.warn_at <= now,
        )
        .order_by(Period.warn_at, Period.id)
        .limit(AT_ONCE)
        .with_for_update(of=Period, skip_locked=True)
    ).all()
    for period, promise, group in due:
        look_at(session, period, promise, group, now)
    return len(due)


def look_at(session: Session, period: Period, promise: Promise, group: Group, now: datetime) -> None:
    """Settle a locked period when it can be settled, else say that it is at risk when it is."""
    found = find(session, promise, group, period.from_at, period.until_at, period.due_at, now)
    period.evidence = found.items
    if found.is_settled:
        period.state, period.settled_at = "kept", now
    elif found.is_late or now >= period.due_at:
        # An answer may still come within its own hours, asked near the end of the period.
        if promise.kind == "answer_time" and not found.is_late:
            return
        period.state, period.settled_at = "missed", now
        _owe(session, period, promise, now)
    elif now >= period.warn_at and period.state == "scheduled":
        period.state = "at_risk"
        _warn(session, period, promise, group, found)


def _open_periods(session: Session) -> None:
    """A row for each period that has begun, of every version somebody may still hold."""
    now = clock.now()
    newest = select(func.max(Period.n)).where(Period.promise_id == Promise.id).scalar_subquery()
    rows = session.execute(
        select(Promise, func.coalesce(newest, 0)).where(or_(Promise.replaced_at.is_(None), _is_held()))
    ).all()
    for promise, last in rows:
        for n in range(last + 1, last + 1 + MOST_PERIODS_OPENED):
            bounds = cadence.stretch(promise.every, promise.starts_on, n, promise.timezone, promise.grace_hours)
            if bounds.from_at > now:
                break
            _open(session, promise, n, bounds)


def _open(session: Session, promise: Promise, n: int, bounds: cadence.Stretch) -> None:
    session.execute(
        insert(Period)
        .values(
            id=new_id(),
            promise_id=promise.id,
            n=n,
            from_at=bounds.from_at,
            warn_at=bounds.warn_at,
            until_at=bounds.until_at,
            due_at=bounds.due_at,
            state="scheduled",
            evidence=[],
        )
        .on_conflict_do_nothing()
    )


def _is_held() -> ColumnElement[bool]:
    """SQL: a running subscription was bought while this version was the one promised."""
    return select(Subscription.id).where(Subscription.state != "ended", _bought_under()).correlate(Promise).exists()


def _bought_under() -> ColumnElement[bool]:
    """SQL: the subscription's terms are this version's. Who was there before anything was promised has the first."""
    return and_(
        Subscription.group_id == Promise.group_id,
        or_(Subscription.started_at >= Promise.created_at, Promise.version == 1),
        or_(Promise.replaced_at.is_(None), Subscription.started_at < Promise.replaced_at),
    )


def _owe(session: Session, period: Period, promise: Promise, now: datetime) -> None:
    """Everybody who subscribed under this promise when the period ended is owed its remedy, once."""
    holders = session.execute(
        select(Subscription.id, Subscription.user_id)
        .join(Promise, _bought_under())
        .where(
            Promise.id == promise.id,
            Subscription.started_at < period.until_at,
            or_(Subscription.ended_at.is_(None), Subscription.ended_at > period.until_at),
            Subscription.state != "trialing",
        )
    ).all()
    for subscription_id, user_id in holders:
        remedy_id = session.scalar(
            insert(Remedy)
            .values(
                id=new_id(),
                period_id=period.id,
                user_id=user_id,
                subscription_id=subscription_id,
                kind=promise.remedy,
                value=promise.remedy_value,
                state="owed",
                created_at=now,
            )
            .on_conflict_do_nothing(index_elements=["period_id", "user_id"])
            .returning(Remedy.id)
        )
        if remedy_id is not None:
            topic = DAYS_TOPIC if promise.remedy == "days" else REFUND_TOPIC
            outbox.record(session, topic, {"remedy_id": str(remedy_id)}, key=str(remedy_id))


def settle_remedy(session: Session, remedy_id: uuid.UUID, why: str | None = None) -> None:
    """Note that a remedy was given, or why it could not be. With the last of them the period is remedied."""
    remedy = session.get_one(Remedy, remedy_id, with_for_update=True)
    remedy.state, remedy.why = ("failed", why) if why else ("given", None)
    period = session.get_one(Period, remedy.period_id, with_for_update=True)
    session.flush()
    rest = session.execute(
        select(func.count().filter(Remedy.state != "given")).where(Remedy.period_id == period.id)
    ).scalar()
    if not rest and period.state == "missed":
        period.state = "remedied"


def _warn(session: Session, period: Period, promise: Promise, group: Group, found: Found) -> None:
    owner = session.get_one(User, group.owner_id)
    mail.send_later(
        session,
        to=owner.email,
        subject=f"A promise of {group.name} is due soon",
        text=(
            f"You promised your members: {words(promise)}.\n"
            f"Of {found.wanted} there are {found.done}. It counts until {period.due_at:%Y-%m-%d %H:%M} UTC.\n"
        ),
    )


def words(promise: Promise) -> str:
    """The promise as a sentence."""
    each = {"day": "every day", "week": "every week", "month": "every month"}[promise.every]
    return {
        "messages": f"to write on {promise.count} days {each}",
        "qa": f"to answer in {promise.count} live Q&A {each}",
        "episode": f"to bring {promise.count} new episodes {each}",
        "answer_time": f"to answer every question within {promise.count} hours",
    }[promise.kind]
