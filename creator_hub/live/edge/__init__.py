"""Flask-SocketIO over raw sockets: what is said to a room is encoded once and written straight to every member.

Nothing of the application changes: handlers, rooms, emit. `HUB_SOCKET_EDGE=stock` serves sockets the stock way, and so
does a hub whose libraries are not in the versions this package was written for.
"""

from __future__ import annotations

from typing import Any, Literal

from flask import Flask
from flask_socketio import SocketIO

from creator_hub.core import logs
from creator_hub.live.edge import hooks
from creator_hub.live.edge.extension import FastSocketIO

__all__ = ["FastSocketIO", "Mode", "socket_io"]

Mode = Literal["fast", "stock"]
log = logs.get(__name__)


def socket_io(app: Flask, mode: Mode, **options: Any) -> SocketIO:
    """The Socket.IO extension of this app: WebSocket only, no session of its own."""
    if mode == "fast" and (other := hooks.other_versions()):
        log.error("socket_edge_falls_back", versions=other)
        mode = "stock"
    kind = FastSocketIO if mode == "fast" else SocketIO
    return kind(app, async_mode="gevent", transports=["websocket"], manage_session=False, **options)
