"""A small application behind the socket edge, for its protocol's sake: echo, rooms, acknowledgements, binary."""

from __future__ import annotations

import os
from typing import Any

from flask import Flask, request
from flask_socketio import ConnectionRefusedError, emit, join_room, leave_room

from creator_hub.live.edge import socket_io

app = Flask(__name__)
sockets = socket_io(
    app,
    "stock" if os.environ["HUB_SOCKET_EDGE"] == "stock" else "fast",
    max_http_buffer_size=100_000,
    ping_interval=float(os.environ.get("PING_INTERVAL", "25")),
    ping_timeout=float(os.environ.get("PING_TIMEOUT", "20")),
)
here: set[str] = set()
gone: list[str] = []


@sockets.on("connect")
def connect(auth: dict[str, Any] | None = None) -> None:
    if auth and auth.get("refuse"):
        raise ConnectionRefusedError("not you")
    here.add(request.sid)  # type: ignore[attr-defined]


@sockets.on("disconnect")
def disconnect(reason: str) -> None:
    here.discard(request.sid)  # type: ignore[attr-defined]
    gone.append(reason)


@sockets.on("echo")
def echo(*said: Any) -> tuple[Any, ...]:
    return said


@sockets.on("join")
def join(room: str) -> str:
    join_room(room)
    return "in"


@sockets.on("leave")
def leave(room: str) -> str:
    leave_room(room)
    return "out"


@sockets.on("say")
def say(room: str, *said: Any) -> str:
    emit("said", said, to=room)
    return "said"


@sockets.on("flood")
def flood(room: str, count: int, size: int) -> None:
    for n in range(count):
        emit("said", (n, "x" * size), to=room)


@sockets.on("fail")
def fail() -> None:
    raise RuntimeError("on purpose")


@sockets.on("ask")
def ask() -> Any:
    """Ask the client something and wait for its answer, within its own event."""
    return sockets.call("question", "why?", to=request.sid)  # type: ignore[attr-defined]


@sockets.on("language")
def language() -> tuple[Any, ...]:
    return request.accept_languages.best, request.remote_addr, request.cookies.get("secret")


@app.get("/readyz")
def ready() -> dict[str, Any]:
    waiting = sum(getattr(socket, "waiting", 0) for socket in sockets.server.eio.sockets.values())
    return {"mode": type(sockets).__name__, "here": len(here), "gone": gone, "waiting": waiting}


@app.post("/say/<room>")
def say_over_http(room: str) -> str:
    sockets.emit("said", request.get_json(), to=room)
    return "said"
