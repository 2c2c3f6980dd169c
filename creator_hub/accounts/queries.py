"""Reads: public faces of people, and what they hold."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub.accounts.models import ApiToken, RoleChange, User
from creator_hub.core import clock
from creator_hub.core.paging import Page, PageRequest, paginate


@dataclass(frozen=True, slots=True)
class PublicUser:
    """What everybody may know of a person."""

    id: uuid.UUID
    handle: str
    display_name: str

    def as_json(self) -> dict[str, str]:
        return {"id": str(self.id), "handle": self.handle, "display_name": self.display_name}


def people(session: Session, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, PublicUser]:
    """Public faces by id, in one query."""
    rows = session.execute(select(User.id, User.handle, User.display_name).where(User.id.in_(set(ids)))).all()
    return {row.id: PublicUser(row.id, row.handle, row.display_name) for row in rows}


def tokens_of(session: Session, user_id: uuid.UUID) -> Sequence[ApiToken]:
    """The living API tokens, newest first."""
    living = ApiToken.is_living(clock.now())
    return session.scalars(
        select(ApiToken).where(ApiToken.user_id == user_id, living).order_by(ApiToken.id.desc())
    ).all()


def role_changes(session: Session, asked: PageRequest) -> Page[RoleChange]:
    """Who gave whom which platform roles, newest first."""
    return paginate(session, select(RoleChange), RoleChange.id, asked)
