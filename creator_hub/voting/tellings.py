"""Live figures as hints: at most four a second for each vote, however fast the ballots come.

Who changes something leaves a mark, in the transaction that changes it; marks never wait for each other. Telling takes
the marks away, adds them to the version and sends what the figures then are. It is tried at once after the commit, and
by the schedule for what came too soon after the last. The more a figure costs to work out, the longer the pause.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, mapped_column

from creator_hub.core import clock, db, logs
from creator_hub.core.base import Base
from creator_hub.core.db import unit_of_work
from creator_hub.streams import hints

PAUSE = timedelta(milliseconds=250)
# Telling takes at most this part of the time.
COST_SHARE = 0.2
BATCH = 100
log = logs.get(__name__)


class TallyMark(Base):
    """That something about a vote changed. It says neither who nor what, and lives until it is told."""

    __tablename__ = "tally_marks"
    __table_args__ = (Index("ix_tally_marks_subject_id", "subject_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    subject_id: Mapped[uuid.UUID]
    kind: Mapped[str]


class Telling(Base):
    """What was last told about a vote: `version` counts its changes; not before `next_at` is it told again."""

    __tablename__ = "tellings"

    subject_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    next_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class News:
    """A hint to be sent: to which channel, under which name, saying what."""

    channel_id: uuid.UUID
    name: str
    figures: dict[str, Any]


Teller = Callable[[Session, uuid.UUID], News | None]
_tellers: dict[str, Teller] = {}


def teller(kind: str) -> Callable[[Teller], Teller]:
    """Declare how the figures of one kind of thing are worked out; None when there is nothing to tell (any more)."""

    def declare(function: Teller) -> Teller:
        _tellers[kind] = function
        return function

    return declare


def changed(session: Session, kind: str, subject_id: uuid.UUID) -> None:
    """Note a change, and tell it after the commit."""
    session.execute(insert(TallyMark).values(subject_id=subject_id, kind=kind))
    db.after_commit(session, lambda: _tell_at_once(kind, subject_id))


def tell_late(session: Session) -> int:
    """Tell what was held back; returns how many things were told."""
    waiting = session.execute(select(TallyMark.subject_id, TallyMark.kind).distinct().limit(BATCH)).all()
    return sum(tell(session, row.kind, row.subject_id) for row in waiting)


def tell(session: Session, kind: str, subject_id: uuid.UUID) -> bool:
    """Tell the figures, unless there is nothing new, it is too soon, or another process is at it."""
    at = clock.now()
    session.execute(insert(Telling).values(subject_id=subject_id, version=0, next_at=at).on_conflict_do_nothing())
    telling = session.scalars(
        select(Telling).where(Telling.subject_id == subject_id, Telling.next_at <= at).with_for_update(skip_locked=True)
    ).one_or_none()
    if telling is None:
        return False
    changes = len(session.execute(delete(TallyMark).filter_by(subject_id=subject_id).returning(TallyMark.id)).all())
    if not changes:
        return False
    telling.version += changes
    began = time.perf_counter()
    news = _tellers[kind](session, subject_id)
    telling.next_at = at + max(PAUSE, timedelta(seconds=(time.perf_counter() - began) / COST_SHARE))
    if news is None:
        return False
    payload = {"id": str(subject_id), "version": telling.version, **news.figures}
    hints.ephemeral_after_commit(session, news.channel_id, news.name, payload)
    return True


def _tell_at_once(kind: str, subject_id: uuid.UUID) -> None:
    try:
        with unit_of_work() as session:
            tell(session, kind, subject_id)
    except SQLAlchemyError as error:
        # The change itself is on disk; the schedule tells it.
        log.warning("telling_waits", error=type(error).__name__)
