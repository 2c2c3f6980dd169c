"""Does inviting people bring them back? A draw decides who is invited, and what becomes of both halves is compared."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import exists, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from creator_hub.accounts.models import User
from creator_hub.core import clock, outbox
from creator_hub.core.access import Actor
from creator_hub.core.errors import Conflict, Invalid
from creator_hub.core.ids import new_id
from creator_hub.groups.models import Ban, Entitlement, Group, Invite, Membership
from creator_hub.insights.holdout_models import Holdout, HoldoutPerson
from creator_hub.insights.lift import Effect, NotEnough, complier_effect, itt, people_needed
from creator_hub.insights.models import ActivityDay
from creator_hub.insights.periods import day_of
from creator_hub.insights.reading import Moment

# Carries the drawn people to the rooms that invite and write to them.
INVITE_TOPIC = "insights.holdout_invite"
# There at the end is what counts: whoever came once and went was not brought back.
LAST_DAYS = timedelta(days=7)
GUIDED_BASELINE, GUIDED_UPLIFT = 0.05, 0.10


@dataclass(frozen=True, slots=True)
class Lift:
    """A holdout and what it shows. The outcome: active on one of the last seven days of its time. `itt` is over all who
    were drawn, `complier` over those who come when invited; `needed` people show ten points more than one in twenty."""

    holdout: Holdout
    invited: int
    held_back: int
    came: int
    needed: int
    is_over: bool
    itt: Effect | NotEnough
    complier: Effect | NotEnough


def begin(
    session: Session,
    actor: Actor,
    group: Group,
    *,
    campaign: str,
    audience: str,
    handles: Sequence[str],
    held_back_percent: int,
    days: int,
) -> Holdout:
    """Draw, and have the drawn invited. Raises Conflict `holdout_exists` for a campaign that was drawn before, Invalid
    when the list is empty. Who is a member, the owner or banned is not on the list."""
    people = _list(session, group, audience, handles)
    if len(people) < 2:
        raise Invalid(errors={"audience": ["There is nobody on this list to draw from."]})
    at = clock.now()
    holdout = Holdout(
        id=new_id(),
        group_id=group.id,
        campaign=campaign,
        audience=audience,
        held_back_percent=held_back_percent,
        starts_at=at,
        ends_at=at + timedelta(days=days),
        created_by=actor.person(),
    )
    try:
        with session.begin_nested():
            session.add(holdout)
    except IntegrityError:
        raise Conflict(
            "This campaign has its draw, and a draw is not changed midway. Begin another campaign.",
            code="holdout_exists",
        ) from None
    _draw(session, holdout, people)
    return holdout


def _draw(session: Session, holdout: Holdout, people: Sequence[uuid.UUID]) -> None:
    """At least one on each side; which people is up to the system's randomness, nobody's seed."""
    count = min(max(1, len(people) * holdout.held_back_percent // 100), len(people) - 1)
    held_back = set(secrets.SystemRandom().sample(list(people), count))
    rows = [{"holdout_id": holdout.id, "user_id": user_id, "invited": user_id not in held_back} for user_id in people]
    session.execute(insert(HoldoutPerson), rows)
    for row in rows:
        if row["invited"]:
            told = {"holdout_id": str(holdout.id), "user_id": str(row["user_id"])}
            outbox.record(session, INVITE_TOPIC, told, key=f"{holdout.id}:{row['user_id']}")


def _list(session: Session, group: Group, audience: str, handles: Sequence[str]) -> Sequence[uuid.UUID]:
    here = exists().where(Membership.group_id == group.id, Membership.user_id == User.id, Membership.left_at.is_(None))
    was_here = exists().where(Membership.group_id == group.id, Membership.user_id == User.id)
    banned = exists().where(Ban.group_id == group.id, Ban.user_id == User.id, Ban.lifted_at.is_(None))
    query = select(User.id).where(
        ~here, ~banned, User.id != group.owner_id, User.suspended_at.is_(None), User.deleted_at.is_(None)
    )
    query = query.where(was_here) if audience == "past_members" else query.where(User.handle.in_(list(handles)))
    return session.scalars(query.order_by(User.id)).all()


def lifts(session: Session, group: Group, moment: Moment) -> list[Lift]:
    """Every holdout of the group, the newest first."""
    rows = session.scalars(select(Holdout).where(Holdout.group_id == group.id).order_by(Holdout.id.desc())).all()
    return [_lift(session, group, holdout, moment) for holdout in rows]


def _lift(session: Session, group: Group, holdout: Holdout, moment: Moment) -> Lift:
    end = min(holdout.ends_at, moment.as_of)
    last = day_of(end, moment.zone)
    row = ActivityDay
    there = exists().where(
        row.group_id == group.id, row.user_id == HoldoutPerson.user_id, row.day > last - LAST_DAYS, row.day <= last
    )
    followed = exists().where(
        Entitlement.group_id == group.id,
        Entitlement.user_id == HoldoutPerson.user_id,
        Entitlement.invite_id == Invite.id,
        Invite.for_user_id == HoldoutPerson.user_id,
        Invite.campaign == holdout.campaign,
    )
    drawn = session.execute(
        select(HoldoutPerson.invited, there.label("there"), followed.label("came")).where(
            HoldoutPerson.holdout_id == holdout.id
        )
    ).all()
    treated = [float(person.there) for person in drawn if person.invited]
    control = [float(person.there) for person in drawn if not person.invited]
    came = [person.came for person in drawn if person.invited]
    is_over = moment.as_of >= holdout.ends_at
    early = NotEnough("Its time is not over yet: looking earlier finds what is not there.", len(treated), len(control))
    return Lift(
        holdout=holdout,
        invited=len(treated),
        held_back=len(control),
        came=sum(came),
        needed=people_needed(GUIDED_BASELINE, GUIDED_UPLIFT, held_back=holdout.held_back_percent / 100),
        is_over=is_over,
        itt=itt(treated, control) if is_over else early,
        complier=complier_effect(treated, control, came) if is_over else early,
    )


def invitation_of(session: Session, holdout_id: uuid.UUID, user_id: uuid.UUID) -> tuple[Holdout, Group, User] | None:
    """What the worker needs to invite a person who was drawn; None when they have an invitation already."""
    holdout = session.get_one(Holdout, holdout_id)
    has_one = select(Invite.id).where(
        Invite.group_id == holdout.group_id, Invite.for_user_id == user_id, Invite.campaign == holdout.campaign
    )
    if session.scalar(has_one) is not None:
        return None
    return holdout, session.get_one(Group, holdout.group_id), session.get_one(User, user_id)
