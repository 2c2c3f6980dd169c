"""The ways to load a person."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub.accounts.models import User
from creator_hub.core.access import Actor, Principal
from creator_hub.core.errors import NotFound


def me(session: Session, actor: Actor) -> User:
    """The signed-in person's own row; raises SignInRequired."""
    return user_by_id(session, actor.person())


def user_by_id(session: Session, user_id: uuid.UUID) -> User:
    user = session.get(User, user_id)
    if user is None or user.deleted_at is not None:
        raise NotFound
    return user


def user_by_handle(session: Session, handle: str) -> User:
    user = session.scalars(select(User).where(User.handle == handle, User.deleted_at.is_(None))).one_or_none()
    if user is None:
        raise NotFound
    return user


def rights_of(session: Session, user_id: uuid.UUID) -> frozenset[Principal]:
    """What a person is on the platform now: work that waited is done with the rights of today, not of the asking."""
    user = session.get_one(User, user_id, populate_existing=True)
    if user.deleted_at is not None:
        return frozenset({Principal.ANONYMOUS})
    suspended = user.suspended_at is not None
    return Actor(user_id=user.id, roles=frozenset(user.roles), suspended=suspended).principals()
