"""Flask-SocketIO on the fast edge."""

from __future__ import annotations

import sys
from typing import Any

from flask import Flask
from flask_socketio import SocketIO

from creator_hub.live.edge.context import EventContext
from creator_hub.live.edge.manager import FastManager
from creator_hub.live.edge.server import FastServer


class FastSocketIO(SocketIO):  # type: ignore[misc]
    """flask_socketio.SocketIO for the application: same decorators, rooms and emit."""

    def init_app(self, app: Flask, **options: Any) -> None:
        super().init_app(app, **options)
        if self.manage_session:
            raise ValueError("the fast edge keeps no session: manage_session must be False")
        self.server = FastServer(**{**self.server_options, "client_manager": FastManager()})
        self.sockio_mw.engineio_app = self.server

    def _handle_event(self, handler: Any, message: str, namespace: str, sid: str, *args: Any) -> Any:
        if message == "connect":
            return super()._handle_event(handler, message, namespace, sid, *args)
        environ = self.server.get_environ(sid, namespace=namespace)
        if environ is None:
            return None
        context = EventContext(environ["flask.app"], environ)
        request: Any = context.request
        request.sid, request.namespace, request.event = sid, namespace, {"message": message, "args": args}
        with context:
            try:
                return handler(*args)
            except Exception:
                on_error = self.exception_handlers.get(namespace, self.default_exception_handler)
                if on_error is None:
                    raise
                return on_error(sys.exc_info()[1])
