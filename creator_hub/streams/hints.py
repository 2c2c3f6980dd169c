"""Hints: "this stream has grown to that seq", told to every web process over Redis after the commit.

A hint is never trusted and never needed: losing one costs a second, because every process also asks PostgreSQL. So a
Redis that is away is logged and forgotten.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

import redis
from redis.backoff import ExponentialBackoff
from redis.client import PubSub
from redis.retry import Retry
from sqlalchemy.orm import Session

from creator_hub.core import db, logs

CHANNEL = "hub:hints"
EPHEMERAL = "hub:ephemeral"
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


def subscribe(url: str) -> PubSub:
    """A subscription to everything this module sends; its reads may wait for ever, its peer is watched by keepalive."""
    subscription: PubSub = connect(url, socket_timeout=None).pubsub(  # type: ignore[no-untyped-call]
        ignore_subscribe_messages=True
    )
    subscription.subscribe(CHANNEL, EPHEMERAL)
    return subscription


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


def ephemeral_after_commit(session: Session, channel_id: uuid.UUID, name: str, payload: dict[str, Any]) -> None:
    """Send a hint without a seq (a running tally) to a channel's sockets once the transaction is on disk."""
    db.after_commit(session, lambda: ephemeral(channel_id, name, payload))


def ephemeral(channel_id: uuid.UUID, name: str, payload: dict[str, Any]) -> None:
    """Send something that may be lost (typing, presence) to everybody in a channel, on every process."""
    _send(EPHEMERAL, {"channel_id": str(channel_id), "name": name, "payload": payload})


def _publish(pending: dict[str, int]) -> None:
    _send(CHANNEL, pending)


def _send(channel: str, message: dict[str, Any]) -> None:
    if _client is None:
        return
    try:
        _client.publish(channel, json.dumps(message))
    except redis.RedisError as error:
        log.warning("hint_lost", error=type(error).__name__)
