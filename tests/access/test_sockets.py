"""The table of who may do what, over real sockets: who may connect, and every event × everybody × every target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import socketio
from flask import Flask

from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import SOCKET_EVENTS
from tests.access.cases import EVENTS
from tests.access.matrix import event_cells, expected
from tests.access.rehearsal import fingerprint
from tests.access.town import CAST, HOME, Town
from tests.support.hub import Web, eventually

LIVE = {"channel.join", "channel.leave", "typing"}  # the live edge's own
MAY_CONNECT = [name for name in CAST if name not in ("An", "Sx", "Dx")]
STATUS = {"sign_in_required": 401, "not_found": 404, "not_allowed": 403, "tier": 403, "muted": 403}
# Deleting comes last: the others need what it deletes.
ASKED = [name for name in EVENTS if name not in ("typing", "message.delete")] + ["message.delete"]


@pytest.fixture
def web(town: Town, database: str, redis_url: str, tmp_path: object) -> Iterator[Web]:
    web = Web({"DATABASE_URL": database, "REDIS_URL": redis_url, "HUB_DATA_DIR": str(tmp_path)})
    yield web
    web.kill()


def connected(web: Web, headers: dict[str, str]) -> socketio.Client:
    client = socketio.Client(reconnection=False)
    client.connect(web.url, transports=["websocket"], headers=headers)
    return client


def test_every_event_has_its_line_in_the_cases(app: Flask) -> None:
    assert EVENTS.keys() == SOCKET_EVENTS.keys() | LIVE, "add a line to tests/access/cases.py"


def test_who_may_connect(web: Web, town: Town) -> None:
    for name in ("An", "Sx", "Dx"):
        with pytest.raises(socketio.exceptions.ConnectionError):
            connected(web, {"Cookie": town.people[name].headers("cookie")["Cookie"]})


@pytest.mark.timeout(600)
def test_the_table_holds_for_every_event(web: Web, town: Town) -> None:
    sockets = {name: connected(web, {"Cookie": town.people[name].headers("cookie")["Cookie"]}) for name in MAY_CONNECT}
    wrong = []
    try:
        for event in ASKED:
            cells = [cell for cell in event_cells(event) if cell.person in MAY_CONNECT]
            # Whoever leaves a channel they do not sit in has left it.
            verdicts = [200 if event == "channel.leave" else expected(cell, town) for cell in cells]
            before = state()
            for cell, verdict in sorted(zip(cells, verdicts, strict=True), key=lambda pair: pair[1] == 200):
                if verdict == 200 and before:
                    if state() != before:
                        wrong.append(f"{event}: refusals changed something")
                    before = ""
                given = EVENTS[event].body(town.ids(town.people[cell.person], cell.target))  # type: ignore[misc]
                answer: dict[str, Any] = sockets[cell.person].call(event, given, timeout=30)
                code = "" if answer["ok"] else answer["error"]["code"]
                got = STATUS.get(code, 200)
                fine = got == verdict or (cell.target == "gone" and got == 404)
                if not fine:
                    wrong.append(f"{cell}: expected {verdict}, got {code or 'ok'}")
    finally:
        for socket in sockets.values():
            socket.disconnect()
    assert not wrong, "\n".join(wrong)


def test_typing_is_heard_from_those_who_sit_in_the_channel_alone(web: Web, town: Town) -> None:
    channel = town.places[HOME]["channel_id"]
    heard: list[str] = []
    sockets = {name: connected(web, {"Cookie": town.people[name].headers("cookie")["Cookie"]}) for name in MAY_CONNECT}
    sockets["Fm"].on("typing", lambda payload: heard.append(payload["user"]["handle"]))
    try:
        for name in MAY_CONNECT:
            sockets[name].call("channel.join", {"channel_id": channel}, timeout=30)
        for name in MAY_CONNECT:
            if name not in ("Fm", "Mo"):
                sockets[name].call("channel.leave", {"channel_id": channel}, timeout=30)
                sockets[name].emit("typing", {"channel_id": channel})
                # Answered after what was sent before it on the same socket.
                sockets[name].call("channel.leave", {"channel_id": channel}, timeout=30)
        sockets["Mo"].emit("typing", {"channel_id": channel})
        eventually(lambda: heard, "the moderator is heard typing")
        assert set(heard) == {town.people["Mo"].handle}
    finally:
        for socket in sockets.values():
            socket.disconnect()


def state() -> str:
    """A fingerprint of every table."""
    with unit_of_work() as session:
        return fingerprint(session.connection())
