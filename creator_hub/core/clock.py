"""The one clock. Every process reads the same time, even when development moves it.

Development may shift time by an offset kept in PostgreSQL (`clock advance`), so that days pass for web processes,
workers and the command line at once. `unit_of_work` refreshes the offset; production never reads it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, CheckConstraint, SmallInteger, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from creator_hub.core.base import Base

_offset = timedelta(0)


class ClockOffset(Base):
    """One row: how far development time runs ahead of the machine's, in seconds."""

    __tablename__ = "clock_offset"
    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    offset_seconds: Mapped[int] = mapped_column(BigInteger, default=0)


def now() -> datetime:
    """The current moment, aware, UTC, including the development offset this process last saw."""
    return datetime.now(UTC) + _offset


def offset() -> timedelta:
    return _offset


def refresh(session: Session) -> None:
    """Take over the offset that PostgreSQL holds; called at the start of each development unit of work."""
    global _offset
    seconds = session.execute(text("SELECT offset_seconds FROM clock_offset WHERE id = 1")).scalar()
    _offset = timedelta(seconds=seconds or 0)


def reset() -> None:
    """Forget the offset: a process that was pointed at another database starts from real time."""
    global _offset
    _offset = timedelta(0)


def advance(session: Session, by: timedelta) -> datetime:
    """Move time forward for every process (development only) and return the new now. Never backwards."""
    if by < timedelta(0):
        raise ValueError("time only moves forward")
    session.execute(
        text(
            "INSERT INTO clock_offset (id, offset_seconds) VALUES (1, :s) "
            "ON CONFLICT (id) DO UPDATE SET offset_seconds = clock_offset.offset_seconds + :s"
        ),
        {"s": int(by.total_seconds())},
    )
    refresh(session)
    return now()
