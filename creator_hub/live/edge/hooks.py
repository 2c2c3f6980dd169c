"""Everything private that the fast edge relies on, in one place.

Flask-SocketIO, python-socketio, python-engineio, gunicorn and gevent offer no public way to write the same bytes to
many sockets. What is overridden or called beyond their documentation is listed here, with the versions it was read in
and a fingerprint of the source of each part; `moved()` tells what an upgrade has changed. Then read the change, adapt,
and take over the new fingerprint. With other versions installed the hub serves sockets the stock way.
"""

from __future__ import annotations

import _socket
import hashlib
import inspect
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, NoReturn

import engineio
import flask_socketio
import gevent
import gevent.socket
import socketio
from engineio.base_server import BaseServer as BaseEngine
from flask.ctx import RequestContext
from gunicorn.workers.base_async import AsyncWorker  # type: ignore[import-untyped]
from socketio.base_manager import BaseManager
from socketio.base_server import BaseServer as BaseSocketServer
from socketio.packet import Packet

PINNED = {
    "Flask": "3.1.3",
    "Flask-SocketIO": "5.7.0",
    "gevent": "26.9.0",
    "gunicorn": "27.0.1",
    "python-engineio": "4.15.1",
    "python-socketio": "5.18.1",
}

# Overridden, or called although it is not documented: where it lies, and the fingerprint of its source.
PRIVATE: dict[type, dict[str, str]] = {
    BaseEngine: {
        "__init__": "a06b17502fbd",
        "generate_id": "b6a591454237",
        "_bad_request": "af66afac6f6c",
        "_get_socket": "ae2f99e66d63",
    },
    engineio.Server: {
        "handle_request": "79302edd007f",
        "send": "982d37995465",
        "send_packet": "81aec513663f",
        "_handle_connect": "049f7c2b2c23",
        "_trigger_event": "bc536417c304",
    },
    BaseSocketServer: {
        "__init__": "6b998e091b34",
        "get_environ": "382c69762c6c",
        "_get_event_handler": "e18d9a6570aa",
    },
    socketio.Server: {
        "disconnect": "a348aff17b8e",
        "_send_packet": "3289b949be8c",
        "_handle_connect": "1b0ba130a57d",
        "_handle_disconnect": "fb93d61de8cb",
        "_handle_event": "3f64c030f25e",
        "_handle_event_internal": "37e1c84a6974",
        "_handle_ack": "7f114abcf99f",
        "_trigger_event": "836cb0c8d232",
        "_handle_eio_connect": "4be135c046ed",
        "_handle_eio_message": "65f309c138d6",
        "_handle_eio_disconnect": "5c0002fcdb35",
        "_engineio_server_class": "8d7e7034b245",
    },
    BaseManager: {
        "__init__": "bfee992d912f",
        "pre_connect": "bfdba4c0c8f1",
        "connect": "a0214ac7cb24",
        "is_pre_connected": "40a897c4ab2c",
        "is_connected": "d37721466718",
        "sid_from_eio_sid": "15467098a36b",
        "eio_sid_from_sid": "b0c0aeb5430d",
        "pre_disconnect": "18a8d01ed87a",
        "basic_disconnect": "2933b50bc4b2",
        "is_sid_room": "e9a9393a969c",
        "basic_enter_room": "3f509586d2d7",
        "basic_leave_room": "e27f3eea06d1",
        "basic_close_room": "1d81a80fe1ca",
        "get_rooms": "56a1017f85af",
        "get_participants": "7d78ad681c95",
        "_generate_ack_id": "ca3840d6559e",
    },
    socketio.Manager: {
        "can_disconnect": "def194f6f024",
        "emit": "566510ea2de3",
        "disconnect": "013b92ff9356",
        "enter_room": "817776a5a75d",
        "leave_room": "d9a3a6d1d1a5",
        "close_room": "ebac8a266bd3",
        "trigger_callback": "2fb84d8a3eee",
    },
    Packet: {
        "encode": "513c45be7518",
        "decode": "61ad7904b539",
        "add_attachment": "01e024038f3d",
    },
    flask_socketio.SocketIO: {
        "init_app": "12a3a6c8e896",
        "on": "f9c9de573dc6",
        "_handle_event": "70d95a741fbd",
    },
    RequestContext: {
        "__init__": "64e04eb6fbcb",
        "push": "ace499f160e0",
        "pop": "2722557a094c",
    },
    AsyncWorker: {
        "handle": "6eb3b127e6ba",
        "handle_request": "913e17a9542a",
    },
    gevent.socket.socket: {
        "detach": "ae54a131955f",
    },
}

RawSocket = _socket.socket  # the C socket under every Python and gevent socket: its `send` is the whole fan-out


def other_versions() -> list[str]:
    """Libraries installed in another version than this package was written for. Asked at start: cheap."""
    return [f"{name} {version(name)}, not {was}" for name, was in PINNED.items() if version(name) != was]


def moved() -> list[str]:
    """Private parts whose source is not what it was. Asked by a test: an upgrade must not pass unread."""
    found = []
    for owner, names in PRIVATE.items():
        for name, was in names.items():
            if (now := fingerprint(owner, name)) != was:
                found.append(f"{owner.__module__}.{owner.__qualname__}.{name}: {now}, was {was}")
    return found


def fingerprint(owner: type, name: str) -> str:
    try:
        source = inspect.getsource(getattr(owner, name))
    except (AttributeError, OSError, TypeError):
        return "missing"
    return hashlib.sha256(source.encode()).hexdigest()[:12]


def take_socket(environ: dict[str, Any]) -> int | None:
    """Take the connection of a request away from gunicorn: its file descriptor, or None when it is no plain socket
    (TLS, another server). gunicorn's own closing then does nothing."""
    held = environ.get("gunicorn.socket")
    return held.detach() if type(held) is gevent.socket.socket and held.fileno() >= 0 else None


def leave_request() -> NoReturn:
    """End a request whose socket was taken: gunicorn's async worker takes StopIteration as "already handled"."""
    raise StopIteration


def io_watcher(fd: int, events: int) -> Any:
    """A libev watcher: 1 readable, 2 writable. Its callback runs in the hub and must not block."""
    return gevent.get_hub().loop.io(fd, events)


def soon(callback: Callable[[], object]) -> None:
    """Run in the hub at the end of this turn of its loop."""
    gevent.get_hub().loop.run_callback(callback)
