"""`Idempotency-Key`: the same POST twice has one effect and one answer.

The claim is a row with a unique key, inserted first in the transaction that has the effect: a second request with the
same key waits for that row, then finds the stored answer. The answer is stored before the commit, so there is no moment
in which the effect exists without it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, LargeBinary, SmallInteger, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from creator_hub.core import clock
from creator_hub.core.base import Base
from creator_hub.core.errors import Conflict, Invalid

KEEP = timedelta(hours=24)
LONGEST_KEY = 255


class IdempotencyClaim(Base):
    """One key of one actor. `status` is null while the effect is under way."""

    __tablename__ = "idempotency_claims"
    __table_args__ = (Index("ix_idempotency_claims_at", "at"),)

    actor: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    body: Mapped[dict[str, Any] | None]
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Replay:
    """The stored answer of an earlier request with this key."""

    status: int
    body: Any


def claim(session: Session, actor: str, key: str, request: bytes) -> Replay | None:
    """Take the key for this request, or return the answer it already has.

    `request` is method, path and body as bytes: the same key with another request is refused (`same_key_other_body`).
    """
    if not 0 < len(key) <= LONGEST_KEY:
        raise Invalid(errors={"Idempotency-Key": [f"Use 1 to {LONGEST_KEY} characters."]})
    fingerprint = hashlib.sha256(request).digest()
    taken = session.execute(
        insert(IdempotencyClaim)
        .values(actor=actor, key=key, fingerprint=fingerprint, at=clock.now())
        .on_conflict_do_nothing()
        .returning(IdempotencyClaim.key)
    ).one_or_none()
    if taken is not None:
        return None
    earlier = session.get_one(IdempotencyClaim, (actor, key))
    if earlier.fingerprint != fingerprint:
        raise Conflict("This Idempotency-Key was used for a different request.", code="same_key_other_body")
    if earlier.status is None:
        raise Conflict("The first request with this Idempotency-Key is still under way.", code="in_progress")
    return Replay(earlier.status, earlier.body)


def store(session: Session, actor: str, key: str, status: int, body: Any) -> None:
    """Keep the answer, in the same transaction as its effect."""
    row = session.get_one(IdempotencyClaim, (actor, key))
    row.status, row.body = status, body


def release(session: Session, actor: str, key: str) -> None:
    """Give the key back: the request failed and had no effect."""
    session.execute(
        delete(IdempotencyClaim).where(
            IdempotencyClaim.actor == actor, IdempotencyClaim.key == key, IdempotencyClaim.status.is_(None)
        )
    )


def forget_old(session: Session) -> None:
    session.execute(delete(IdempotencyClaim).where(IdempotencyClaim.at < clock.now() - KEEP))
