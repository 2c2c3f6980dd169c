"""Alive, ready, measured."""

from __future__ import annotations

import functools

import orjson
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from creator_hub import settings
from creator_hub.core import db, migrate
from creator_hub.streams import hints


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
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


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
