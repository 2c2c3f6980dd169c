"""`Idempotency-Key`: the same POST twice has one effect and one answer.

The claim is a row with a unique key, inserted first in the transaction that has the effect: a second request with the
same key waits for that row, then finds the stored answer. The answer is stored before the commit, so there is no moment
in which the effect exists without it.

A request that talks to a peer commits its claim first and holds it for `LEASE`; when its process died, a retry takes
the claim over. What it had done by then it must find by its own keys (`Actor.request_key` names the request).

Requests hold passwords and answers hold tokens and cookies, so the table keeps neither: a keyed fingerprint of the one,
the other sealed with a key derived from SECRET_KEY. After a change of SECRET_KEY a key that was used before is refused
(`same_key_other_body`): never a second effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Index, LargeBinary, SmallInteger, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from creator_hub.core import clock, sealing
from creator_hub.core.base import Base
from creator_hub.core.errors import Conflict, Invalid

KEEP = timedelta(hours=24)
LEASE = timedelta(seconds=60)
LONGEST_KEY = 255
_REQUESTS, _ANSWERS, _NAMES = "idempotency requests", "idempotency answers", "idempotency names"


class IdempotencyClaim(Base):
    """One key of one actor. `status` and `answer` are null while the effect is under way; `at` is when it began."""

    __tablename__ = "idempotency_claims"
    __table_args__ = (Index("ix_idempotency_claims_at", "at"),)

    actor: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Replay:
    """The stored answer of an earlier request with this key, as the caller of `store` gave it."""

    status: int
    answer: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """A claim this request holds since `at`; whoever takes it over moves that."""

    secret_key: str
    actor: str
    key: str
    at: datetime

    @property
    def name(self) -> str:
        """Names this request for ever, the same for every retry, and tells nobody the key."""
        return sealing.fingerprint(self.secret_key, _NAMES, _place(self.actor, self.key)).hex()

    def store(self, session: Session, status: int, answer: bytes) -> None:
        """Keep the answer, sealed, in the same transaction as its effect. A claim that was lost stays as it is."""
        row = self._row(session)
        if row is not None:
            row.status = status
            row.answer = sealing.seal(self.secret_key, _ANSWERS, answer, bound_to=_place(self.actor, self.key))

    def release(self, session: Session) -> None:
        """Give the key back: the request failed and had no effect."""
        row = self._row(session)
        if row is not None and row.status is None:
            session.delete(row)

    def _row(self, session: Session) -> IdempotencyClaim | None:
        row = session.get(IdempotencyClaim, (self.actor, self.key), with_for_update=True)
        return row if row is not None and row.at == self.at else None


def claim(session: Session, secret_key: str, actor: str, key: str, request: bytes) -> Held | Replay:
    """Take the key for this request, or return the answer it already has.

    `request` is method, path and body as bytes: the same key with another request is refused (`same_key_other_body`),
    a request that is under way elsewhere too (`in_progress`), until its lease is over.
    """
    if not 0 < len(key) <= LONGEST_KEY:
        raise Invalid(errors={"Idempotency-Key": [f"Use 1 to {LONGEST_KEY} characters."]})
    fingerprint, at = sealing.fingerprint(secret_key, _REQUESTS, request), clock.now()
    held = Held(secret_key, actor, key, at)
    taken = session.execute(
        insert(IdempotencyClaim)
        .values(actor=actor, key=key, fingerprint=fingerprint, at=at)
        .on_conflict_do_nothing()
        .returning(IdempotencyClaim.key)
    ).one_or_none()
    if taken is not None:
        return held
    earlier = session.get_one(IdempotencyClaim, (actor, key), with_for_update=True)
    if earlier.fingerprint != fingerprint:
        raise Conflict("This Idempotency-Key was used for a different request.", code="same_key_other_body")
    if earlier.status is not None:
        sealed = earlier.answer or b""
        return Replay(earlier.status, sealing.unseal(secret_key, _ANSWERS, sealed, bound_to=_place(actor, key)))
    wait = (earlier.at + LEASE - at).total_seconds()
    if wait > 0:
        raise Conflict(
            "The first request with this Idempotency-Key is still under way.",
            code="in_progress",
            retry_after=int(wait) + 1,
        )
    earlier.at = at
    return held


def forget_old(session: Session) -> None:
    session.execute(delete(IdempotencyClaim).where(IdempotencyClaim.at < clock.now() - KEEP))


def _place(actor: str, key: str) -> bytes:
    return f"{actor}\n{key}".encode()
