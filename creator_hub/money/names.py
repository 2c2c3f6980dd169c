"""What people, groups and tiers were called, and when: files of a closed month show the names of that time, whoever
renames themselves later. The database keeps the history by itself (triggers of the migration)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from creator_hub.core.base import Base


class KnownName(Base):
    """The handle of a person or group, or the name of a tier, from `since` on."""

    __tablename__ = "known_names"

    subject_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    name: Mapped[str]


class Names:
    """Names by subject and moment, read once each."""

    def __init__(self) -> None:
        self._known: dict[uuid.UUID, list[tuple[datetime, str]]] = {}

    def read(self, session: Session, subjects: Iterable[uuid.UUID | None]) -> None:
        """Have the names of these subjects at hand."""
        missing = {subject for subject in subjects if subject is not None and subject not in self._known}
        if not missing:
            return
        self._known |= {subject: [] for subject in missing}
        rows = session.scalars(select(KnownName).where(KnownName.subject_id.in_(missing)).order_by(KnownName.since))
        for row in rows:
            self._known[row.subject_id].append((row.since, row.name))

    def at(self, subject: uuid.UUID | None, moment: datetime) -> str:
        """What the subject was called at `moment`: the first name it had, when it is younger; empty for nobody."""
        if subject is None or not (known := self._known[subject]):
            return ""
        return next((name for since, name in reversed(known) if since <= moment), known[0][1])
