"""Requests that leave no trace: each is played inside a savepoint of one transaction that never commits.

The hub's own units of work join that transaction (the recipe of SQLAlchemy's documentation for test suites), so a
request behaves as ever, commits included, and is then undone. Whether it wrote anything is watched on the wire; only
then are the tables read and compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from creator_hub.core import db
from creator_hub.core.base import Base

READS = ("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK")
_FINGERPRINTS = " UNION ALL ".join(
    f"SELECT '{table} ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {table} t"
    for table in sorted(Base.metadata.tables)
)


@dataclass
class Rehearsal:
    """`wrote` is true once the request under way has sent anything but a read."""

    connection: Connection
    before: str = ""
    statements: list[str] = field(default_factory=list)

    @property
    def wrote(self) -> bool:
        return bool(self.statements)

    def changed(self) -> bool:
        """Whether any table differs from what it was before the request."""
        return self.wrote and self.digest() != self.before

    def digest(self) -> str:
        return fingerprint(self.connection)

    @contextmanager
    def played(self) -> Iterator[None]:
        """Undo at the end whatever happens inside."""
        savepoint = self.connection.begin_nested()
        self.statements.clear()
        try:
            yield
        finally:
            savepoint.rollback()


def fingerprint(connection: Connection) -> str:
    """A digest of every row of every table."""
    return "|".join(sorted(connection.scalars(text(_FINGERPRINTS))))


@contextmanager
def rehearsing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rehearsal]:
    """Every unit of work of this process plays in one transaction that is thrown away."""
    with db.engine().connect() as connection:
        outer = connection.begin()
        rehearsal = Rehearsal(connection)

        def watch(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.lstrip().upper().startswith(READS):
                rehearsal.statements.append(statement)

        rehearsal.before = rehearsal.digest()
        event.listen(connection, "before_cursor_execute", watch)
        with monkeypatch.context() as patch:
            patch.setattr(db, "_engine", connection)
            yield rehearsal
        event.remove(connection, "before_cursor_execute", watch)
        outer.rollback()
