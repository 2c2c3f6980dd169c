"""The light context that event handlers run in.

The stock extension opens a full request context for every event: URL matching, session load and all. An event needs
little of that: `request.sid`, the address, the language. Rights are checked per event by the handlers, as ever.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import Flask
from flask.ctx import RequestContext

_KEPT = (
    "REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR",
    "HTTP_HOST", "HTTP_ACCEPT_LANGUAGE", "wsgi.url_scheme", "flask.app",
)  # fmt: skip
_MOST_SHARED = 10_000
_shared: dict[tuple[Any, ...], dict[str, Any]] = {}


def lean(environ: dict[str, Any]) -> dict[str, Any]:
    """What events may still ask for once the connection has been admitted; one dict for all who say the same. Cookies
    and headers are gone: the credential is proved again from what the connection was admitted with."""
    key = tuple(environ.get(name) for name in _KEPT)
    if key not in _shared:
        if len(_shared) >= _MOST_SHARED:
            _shared.clear()
        _shared[key] = {name: value for name, value in zip(_KEPT, key, strict=True) if value is not None}
    return _shared[key]


class EventContext(RequestContext):
    """A request context without a route and without a session."""

    def __init__(self, app: Flask, environ: dict[str, Any]) -> None:
        self.app = app
        environ["wsgi.input"] = BytesIO()
        self.request = app.request_class(environ, populate_request=False)
        self.request.json_module = app.json
        self.url_adapter = None
        self.flashes = None
        self._session = app.session_interface.make_null_session(app)
        self._after_request_functions = []
        self._cv_tokens = []
