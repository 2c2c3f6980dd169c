"""The one map from errors to HTTP: problem+json (RFC 9457) for the API, a designed page for browsers."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Flask, Response, g, render_template, request
from flask_babel import gettext
from psycopg import errors as pg
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from creator_hub.core import logs
from creator_hub.core.edge import API_PREFIX
from creator_hub.core.errors import BadRequest, HubError, NotFound, TooLarge, Unavailable, WrongType

RETRY_AFTER_S = 2
_BY_STATUS: dict[int, type[HubError]] = {400: BadRequest, 404: NotFound, 413: TooLarge, 415: WrongType}
_AWAY = (pg.OperationalError, pg.InterfaceError)
log = logs.get(__name__)


def install(app: Flask) -> None:
    app.register_error_handler(Exception, answer)


def answer(error: Exception) -> BaseResponse:
    """Turn any exception into an answer; what is not ours is logged whole and answered with nothing to learn from."""
    if isinstance(error, HTTPException) and error.code is not None and error.code < 400:
        return error.get_response()
    headers: dict[str, str] = {}
    status, problem = _describe(error, headers)
    body = {
        "type": "about:blank",
        "title": gettext(problem.title),
        "status": status,
        "detail": gettext(problem.message) % problem.params if problem.params else gettext(problem.message),
        "code": problem.code,
        "request_id": g.get("request_id", ""),
    }
    if problem.errors:
        body["errors"] = problem.errors
    if request.path.startswith(API_PREFIX) or request.path.startswith("/api/"):
        response = Response(orjson.dumps(body), status, content_type="application/problem+json")
    else:
        response = Response(render_template("error.html", error=body), status)
    response.headers.update(headers)
    return response


def _describe(error: Exception, headers: dict[str, str]) -> tuple[int, HubError]:
    problem = as_hub_error(error)
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if isinstance(error, HTTPException):
        if error.code == 405 and getattr(error, "valid_methods", None):
            headers["Allow"] = ", ".join(error.valid_methods)  # type: ignore[attr-defined]
        return error.code or 500, problem
    return problem.status, problem


def as_hub_error(error: Exception) -> HubError:
    """The tree's view of any exception: a database that is away is "unavailable", the unknown is "internal"."""
    if isinstance(error, HubError):
        return error
    if isinstance(error, HTTPException):
        kind = _BY_STATUS.get(error.code or 500, HubError)
        if kind is HubError:
            return HubError(error.description or None, code=(error.name or "error").lower().replace(" ", "_"))
        return kind()
    if _cannot_be_stored(error):
        return BadRequest("The request contains a character that cannot be stored.")
    if is_database_away(error):
        log.warning("database_unavailable", error=type(error).__name__)
        return Unavailable(retry_after=RETRY_AFTER_S)
    log.error("unexpected", error=type(error).__name__, exc_info=error)
    return HubError()


def _cannot_be_stored(error: Exception) -> bool:
    """A NUL in a path or a field: PostgreSQL's text holds every character but that one."""
    return isinstance(error, DataError) and "NUL (0x00)" in str(error.orig)


def is_database_away(error: Exception) -> bool:
    """Connection lost or refused, pool exhausted, or a lock or statement that took too long: all worth a retry."""
    if isinstance(error, OperationalError | PoolTimeout):
        return True
    original: Any = getattr(error, "orig", None)
    return isinstance(error, DBAPIError) and (error.connection_invalidated or isinstance(original, _AWAY))
