"""Alive, ready, measured."""

from __future__ import annotations

import functools
import hmac
import math

import orjson
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from redis import RedisError
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from creator_hub import settings
from creator_hub.core import db, migrate
from creator_hub.core.errors import NotFound
from creator_hub.core.outbox import OutboxMessage
from creator_hub.streams import hints

LOOPBACK = ("127.0.0.1", "::1")
STUCK_JOBS = Gauge("hub_jobs_stuck", "Outbox rows that were tried in vain and wait for a person")


def install(app: Flask) -> None:
    """Probes answer without a unit of work: they must say "not ready" while the database is away."""
    app.add_url_rule("/healthz", "healthz", lambda: Response("ok\n", content_type="text/plain"))
    app.add_url_rule("/readyz", "readyz", readyz)
    app.add_url_rule("/metrics", "metrics", metrics)


def readyz() -> Response:
    """200 when database, Redis and migrations are as they must be, else 503; the body names each."""
    parts = {"database": _database(), "redis": _redis(), "migrations": _migrations()}
    ready = all(state == "ok" for state in parts.values())
    return Response(orjson.dumps(parts), 200 if ready else 503, content_type="application/json")


def metrics() -> Response:
    """Figures for Prometheus. With HUB_METRICS_TOKEN set: for whoever brings it. Without: in development, for this
    machine, and for nobody who comes through a proxy."""
    if not _may_measure():
        raise NotFound
    _stuck_jobs()
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _may_measure() -> bool:
    config = settings.current()
    if config.metrics_token:
        sent = request.headers.get("Authorization", "")
        return hmac.compare_digest(sent.encode(), f"Bearer {config.metrics_token}".encode())
    forwarded = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded"))
    return not config.is_production and not forwarded and request.remote_addr in LOOPBACK


def _stuck_jobs() -> None:
    try:
        with db.engine().connect() as connection:
            counted = connection.execute(
                select(func.count()).select_from(OutboxMessage).where(OutboxMessage.quarantined_at.is_not(None))
            )
            STUCK_JOBS.set(counted.scalar_one())
    except SQLAlchemyError:
        STUCK_JOBS.set(math.nan)


def _database() -> str:
    try:
        with db.engine().connect() as connection:
            connection.exec_driver_sql("SELECT 1")
    except SQLAlchemyError:
        return "away"
    return "ok"


def _redis() -> str:
    if not settings.current().redis_url:
        return "not configured"
    try:
        hints.ping()
    except RedisError:
        return "away"
    return "ok"


def _migrations() -> str:
    try:
        with db.engine().connect() as connection:
            at = MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError:
        return "unknown"
    return "ok" if at == _head() else f"at {at}, expected {_head()}"


@functools.cache
def _head() -> str | None:
    return ScriptDirectory(str(migrate.MIGRATIONS)).get_current_head()
