"""The database: one engine per process and the only place that commits.

READ COMMITTED; whoever depends on a check takes the lock first. Statement and lock time-outs turn a stuck database into
a clear error instead of a hung page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from creator_hub.core import clock
from creator_hub.core.base import Base

__all__ = ["Base", "after_commit", "configure", "dispose", "engine", "forbid_transaction", "unit_of_work"]

STATEMENT_TIMEOUT_MS = 15_000
LOCK_TIMEOUT_MS = 5_000
IDLE_IN_TRANSACTION_MS = 30_000
CONNECT_TIMEOUT_S = 3

_engine: Engine | None = None
_clock_moves = False
_inside: ContextVar[bool] = ContextVar("inside_unit_of_work", default=False)
_AFTER_COMMIT = "after_commit"


def configure(url: str, *, pool_size: int = 10, clock_moves: bool = True) -> Engine:
    """Point this process at a database. `clock_moves` is off in production: time is then the machine's alone."""
    global _engine, _clock_moves
    dispose()
    options = (
        f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS} "
        f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MS} -c timezone=UTC"
    )
    _engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=CONNECT_TIMEOUT_S,
        pool_pre_ping=True,
        hide_parameters=True,  # what a failed statement was given (hashes, addresses, links) stays out of logs and rows
        connect_args={
            "options": options,
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": "creator_hub",
        },
    )
    _clock_moves = clock_moves
    return _engine


def dispose() -> None:
    """Close every connection and forget the engine and the clock's offset."""
    global _engine
    if _engine is not None:
        _engine.dispose()
        _engine = None
    clock.reset()


def engine() -> Engine:
    if _engine is None:
        raise RuntimeError("core.db.configure() has not been called")
    return _engine


@contextmanager
def unit_of_work(*, snapshot: bool = False) -> Iterator[Session]:
    """One transaction: commits when the block ends, rolls back when it raises, then runs what waited for the commit.

    `snapshot=True` reads everything at one instant (REPEATABLE READ, read only). Units of work do not nest: a verb
    takes the session it is given.
    """
    if _inside.get():
        raise RuntimeError("a unit of work is already open: pass its session on")
    token = _inside.set(True)
    session = Session(engine(), expire_on_commit=False)
    try:
        if snapshot:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True})
        if _clock_moves:
            clock.refresh(session)
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.close()
        _inside.reset(token)
    for callback in session.info.get(_AFTER_COMMIT, ()):
        callback()


def after_commit(session: Session, callback: Callable[[], None]) -> None:
    """Run `callback` once the transaction is on disk; never when it rolls back. It must not raise."""
    session.info.setdefault(_AFTER_COMMIT, []).append(callback)


def forbid_transaction() -> None:
    """Called by whoever talks to the network: holding a row lock across a slow peer would stop everybody else."""
    if _inside.get():
        raise RuntimeError("no network inside a unit of work")
