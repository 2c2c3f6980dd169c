"""What every answer carries and every page can use: request id, `asset()`, `me`, `csrf_token`,
`server_time` (browsers count down by it, for development moves the clock)."""

from __future__ import annotations

import functools
import os
import socket
from pathlib import Path
from typing import Any

import orjson
import structlog
from flask import Flask, Response, g, request
from flask_babel import Babel
from markupsafe import Markup

from creator_hub.core import clock
from creator_hub.core.ids import new_id
from creator_hub.core.money import Money, to_major
from creator_hub.web.binding import set_visit_cookie

STATIC = Path(__file__).parent / "static"
LANGUAGES = ("en",)


def install(app: Flask) -> None:
    Babel(app, locale_selector=lambda: request.accept_languages.best_match(LANGUAGES, "en"))
    app.before_request(_begin)
    app.after_request(_finish)
    app.context_processor(_page_context)
    app.jinja_env.globals["asset"] = asset
    app.jinja_env.filters["money"] = money_text
    app.jinja_env.policies["json.dumps_function"] = lambda value, **_: orjson.dumps(value, default=str).decode()


def process_id() -> str:
    """Which process answered; read late, because gunicorn forks."""
    return f"{socket.gethostname()}-{os.getpid()}"


def asset(name: str) -> str:
    """The URL of a built asset, with the content hash in its name."""
    return "/static/" + _manifest().get(name, name)


@functools.cache
def _manifest() -> dict[str, str]:
    path = STATIC / "manifest.json"
    return orjson.loads(path.read_bytes()) if path.exists() else {}


def money_text(money: Money) -> Markup:
    """`12.00 USD`, kept on one line."""
    return Markup("{}&nbsp;{}").format(to_major(money), money.currency)


def _begin() -> None:
    g.request_id = str(new_id())
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    response.headers["X-Hub-Process"] = process_id()
    if not request.path.startswith("/static/"):
        # Signed-in answers must never be kept by a shared cache or shown by the back button to somebody else.
        response.headers.setdefault("Cache-Control", "no-store")
    return set_visit_cookie(response)


def _page_context() -> dict[str, Any]:
    return {"csrf_token": g.get("csrf_token", ""), "me": g.get("me"), "server_time": clock.now().isoformat()}
