"""The smallest chat there is, for measuring the socket edge alone: `join` a group, `message` to the group.

EDGE=fast PORT=5000 gunicorn -c creator_hub/gunicorn.py benchmarks.bare:app
"""

from __future__ import annotations

import os
from typing import Any

from flask import Flask, request
from flask_socketio import emit, join_room

from creator_hub.live.edge import socket_io

app = Flask(__name__)
sockets = socket_io(app, "stock" if os.environ.get("EDGE") == "stock" else "fast", cors_allowed_origins="*")


@sockets.on("join")
def join(data: dict[str, Any]) -> str:
    join_room(data["group"])
    return "ok"


@sockets.on("message")
def message(data: dict[str, Any]) -> None:
    emit("message", data, to=data["group"])


@app.get("/who")
def who() -> str:
    return request.remote_addr or ""
