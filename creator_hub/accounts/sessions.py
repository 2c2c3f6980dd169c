"""Server-side sessions: the cookie holds a secret, the table knows the device, and ending one takes effect at once."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from creator_hub import streams
from creator_hub.accounts.models import ApiToken, User, UserSession
from creator_hub.accounts.secrets import digest, new_secret
from creator_hub.core import clock
from creator_hub.core.access import Actor
from creator_hub.core.errors import NotFound, ProveAgain, SignInRequired
from creator_hub.core.ids import new_id

LIFETIME = timedelta(days=30)
LONGEST_LIFE = timedelta(days=180)
PROOF_LASTS = timedelta(minutes=15)
# "Last seen" is kept to the minute: a busy session must not write on every request.
SEEN_EVERY = timedelta(minutes=1)


def begin(session: Session, user: User, *, user_agent: str, address: str) -> tuple[UserSession, str]:
    """Sign a person in on one device; returns the row and the secret for the cookie."""
    secret, at = new_secret(), clock.now()
    row = UserSession(
        id=new_id(),
        user_id=user.id,
        secret_hash=digest(secret),
        user_agent=user_agent[:300],
        address=address,
        created_at=at,
        seen_at=at,
        proved_at=at,
        expires_at=at + LIFETIME,
    )
    session.add(row)
    session.flush()
    return row, secret


def actor_for_cookie(session: Session, secret: str) -> Actor | None:
    """Who holds this cookie, or None for a dead one. Slides the expiry, up to `LONGEST_LIFE`."""
    at = clock.now()
    found = session.execute(
        select(UserSession, User)
        .join(User, User.id == UserSession.user_id)
        .where(
            UserSession.secret_hash == digest(secret),
            UserSession.ended_at.is_(None),
            UserSession.expires_at > at,
        )
    ).one_or_none()
    if found is None or found.User.deleted_at is not None:
        return None
    row: UserSession = found.UserSession
    if at - row.seen_at > SEEN_EVERY:
        row.seen_at, row.expires_at = at, min(at + LIFETIME, row.created_at + LONGEST_LIFE)
    return _actor(found.User, session_id=row.id, proved_at=row.proved_at)


def actor_for_token(session: Session, token: str) -> Actor | None:
    """Who holds this API token, or None for a revoked or unknown one."""
    at = clock.now()
    found = session.execute(
        select(ApiToken, User)
        .join(User, User.id == ApiToken.user_id)
        .where(ApiToken.secret_hash == digest(token), ApiToken.is_living(at))
    ).one_or_none()
    if found is None or found.User.deleted_at is not None:
        return None
    row: ApiToken = found.ApiToken
    if row.used_at is None or at - row.used_at > SEEN_EVERY:
        row.used_at = at
    return _actor(found.User, token_id=row.id)


def actor_again(session: Session, session_id: uuid.UUID | None, token_id: uuid.UUID | None) -> Actor:
    """The actor of a credential that was proved before and may have died since; raises SignInRequired then."""
    [actor] = actors_again(session, [(session_id, token_id)])
    if actor is None:
        raise SignInRequired
    return actor


def actors_again(
    session: Session, credentials: Sequence[tuple[uuid.UUID | None, uuid.UUID | None]]
) -> list[Actor | None]:
    """The same for several (session, token) at once, each for itself: None where a credential has died."""
    at = clock.now()
    found: dict[uuid.UUID, tuple[User, datetime | None]] = {}
    if session_ids := [session_id for session_id, _ in credentials if session_id is not None]:
        alive = (UserSession.id.in_(session_ids), UserSession.ended_at.is_(None), UserSession.expires_at > at)
        rows = session.execute(
            select(UserSession.id, UserSession.proved_at, User).join(User, UserSession.user_id == User.id).where(*alive)
        )
        found |= {row.id: (row.User, row.proved_at) for row in rows}
    if token_ids := [token_id for session_id, token_id in credentials if session_id is None]:
        held = (ApiToken.id.in_(token_ids), ApiToken.is_living(at))
        rows = session.execute(select(ApiToken.id, User).join(User, ApiToken.user_id == User.id).where(*held))
        found |= {row.id: (row.User, None) for row in rows}
    return [_again(found, session_id, token_id) for session_id, token_id in credentials]


def _again(
    found: dict[uuid.UUID, tuple[User, datetime | None]], session_id: uuid.UUID | None, token_id: uuid.UUID | None
) -> Actor | None:
    held = session_id or token_id
    user, proved_at = found.get(held, (None, None)) if held is not None else (None, None)
    if user is None or user.deleted_at is not None:
        return None
    return _actor(user, session_id=session_id, token_id=token_id, proved_at=proved_at)


def ends_at(session: Session, session_id: uuid.UUID | None, token_id: uuid.UUID | None) -> datetime | None:
    """When this credential ends by time, as it stands now; None for a token made without an end."""
    if session_id is not None:
        return session.scalars(select(UserSession.expires_at).where(UserSession.id == session_id)).one()
    return session.scalars(select(ApiToken.expires_at).where(ApiToken.id == token_id)).one()


def require_proof(actor: Actor) -> None:
    """Pass when this session's person showed their password lately; raises ProveAgain."""
    if actor.proved_at is None or clock.now() - actor.proved_at > PROOF_LASTS:
        raise ProveAgain


def prove(session: Session, actor: Actor) -> None:
    """Note that the password was shown just now."""
    session.get_one(UserSession, actor.session_id).proved_at = clock.now()


def _actor(
    user: User,
    *,
    session_id: uuid.UUID | None = None,
    token_id: uuid.UUID | None = None,
    proved_at: datetime | None = None,
) -> Actor:
    return Actor(
        user_id=user.id,
        roles=frozenset(user.roles),
        session_id=session_id,
        token_id=token_id,
        proved_at=proved_at,
        suspended=user.suspended_at is not None,
    )


def devices(session: Session, user_id: uuid.UUID) -> Sequence[UserSession]:
    """The living sessions of a person, most recent first."""
    return session.scalars(
        select(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.ended_at.is_(None),
            UserSession.expires_at > clock.now(),
        )
        .order_by(UserSession.seen_at.desc())
    ).all()


def end(session: Session, user_id: uuid.UUID, session_id: uuid.UUID) -> None:
    """End one session of this person; raises NotFound for another's."""
    ended = _end_where(session, user_id, UserSession.id == session_id)
    if not ended:
        raise NotFound


def end_all(session: Session, user_id: uuid.UUID, *, keep: uuid.UUID | None = None) -> None:
    """End every session of a person, but `keep`."""
    _end_where(session, user_id, UserSession.id != keep if keep else UserSession.id.is_not(None))


def revoke_token(session: Session, user_id: uuid.UUID, token_id: uuid.UUID) -> None:
    """Kill an API token and the sockets that came with it."""
    gone = session.scalar(
        update(ApiToken)
        .where(ApiToken.id == token_id, ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=clock.now())
        .returning(ApiToken.id)
    )
    if gone is None:
        raise NotFound
    _announce(session, user_id, session_ids=[], token_ids=[token_id])


def revoke_tokens(session: Session, user_id: uuid.UUID) -> None:
    """Kill every API token of a person."""
    gone = session.scalars(
        update(ApiToken)
        .where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=clock.now())
        .returning(ApiToken.id)
    ).all()
    if gone:
        _announce(session, user_id, session_ids=[], token_ids=list(gone))


def cut_off(session: Session, user_id: uuid.UUID, reason: str) -> None:
    """Close every socket of a person, whatever credential it came with (suspension, deletion)."""
    _announce(session, user_id, session_ids=None, token_ids=None, reason=reason)


def _end_where(session: Session, user_id: uuid.UUID, which: object) -> list[uuid.UUID]:
    ended = list(
        session.scalars(
            update(UserSession)
            .where(UserSession.user_id == user_id, UserSession.ended_at.is_(None), which)  # type: ignore[arg-type]
            .values(ended_at=clock.now())
            .returning(UserSession.id)
        )
    )
    if ended:
        _announce(session, user_id, session_ids=ended, token_ids=[])
    return ended


def _announce(
    session: Session,
    user_id: uuid.UUID,
    *,
    session_ids: list[uuid.UUID] | None,
    token_ids: list[uuid.UUID] | None,
    reason: str = "signed_out",
) -> None:
    """Tell the live edge, in the same transaction: an open socket must not outlive its credential."""
    streams.append(
        session,
        streams.ACCOUNT_LOG,
        "session.ended",
        {
            "user_id": str(user_id),
            "session_ids": None if session_ids is None else [str(i) for i in session_ids],
            "token_ids": None if token_ids is None else [str(i) for i in token_ids],
            "reason": reason,
        },
    )
