"""The way to a promise: through its group."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission, allows
from creator_hub.core.errors import NotFound, SignInRequired
from creator_hub.groups import doors
from creator_hub.groups.models import Group
from creator_hub.groups.standing import Standing
from creator_hub.promises.models import Period, Promise


@dataclass(frozen=True, slots=True)
class PromiseDoor:
    promise: Promise
    group: Group
    standing: Standing


def promise_by_id(session: Session, actor: Actor, promise_id: uuid.UUID, permission: Permission) -> PromiseDoor:
    if actor.user_id is None and not allows(permission, actor.principals()):
        actor.proved.add(permission)
        raise SignInRequired
    promise = session.get(Promise, promise_id)
    if promise is None:
        actor.proved.add(permission)
        raise NotFound
    door = doors.group_by_id(session, actor, promise.group_id, permission)
    return PromiseDoor(promise, door.group, door.standing)


def period_of(session: Session, promise: Promise, n: int) -> Period:
    period = session.scalars(select(Period).where(Period.promise_id == promise.id, Period.n == n)).one_or_none()
    if period is None:
        raise NotFound
    return period
