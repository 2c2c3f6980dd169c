"""Hints: "this stream has grown to that seq", told to every web process over Redis after the commit.

A hint is never trusted and never needed: losing one costs a second, because every process also asks PostgreSQL. So a
Redis that is away is logged and forgotten.
"""

from __future__ import annotations

import json
import uuid

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry
from sqlalchemy.orm import Session

from creator_hub.core import db, logs

CHANNEL = "hub:hints"
SOCKET_TIMEOUT_S = 1.0
_PENDING = "hints"
_client: redis.Redis | None = None
log = logs.get(__name__)


def configure(url: str) -> None:
    """Point this process at Redis; an empty URL means there is none and hints are not sent."""
    global _client
    if _client is not None:
        _client.close()
    _client = connect(url, socket_timeout=SOCKET_TIMEOUT_S) if url else None


def connect(url: str, *, socket_timeout: float | None) -> redis.Redis:
    """A client that notices a dead peer soon: short keepalive, short connect time-out, back-off capped low."""
    return redis.Redis.from_url(
        url,
        socket_timeout=socket_timeout,
        socket_connect_timeout=1.0,
        socket_keepalive=True,
        retry=Retry(ExponentialBackoff(cap=2.0, base=0.1), 1),
        health_check_interval=5,
    )


def ping() -> None:
    """Ask Redis for a sign of life; raises RedisError when there is none."""
    if _client is not None:
        _client.ping()


def after_commit(session: Session, stream_id: uuid.UUID, seq: int) -> None:
    """Remember to tell the others once this transaction is on disk; one publish per transaction."""
    pending: dict[str, int] | None = session.info.get(_PENDING)
    if pending is None:
        pending = session.info[_PENDING] = {}
        db.after_commit(session, lambda: _publish(pending))
    pending[str(stream_id)] = seq


def _publish(pending: dict[str, int]) -> None:
    if _client is None:
        return
    try:
        _client.publish(CHANNEL, json.dumps(pending))
    except redis.RedisError as error:
        log.warning("hint_lost", error=type(error).__name__, streams=len(pending))
