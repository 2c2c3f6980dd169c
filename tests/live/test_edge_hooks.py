"""An upgrade of what the fast edge reaches into must not pass unread."""

from __future__ import annotations

import pytest
from flask import Flask

from creator_hub.live import edge
from creator_hub.live.edge import FastSocketIO, hooks, socket_io


def test_the_private_parts_are_as_they_were_when_the_edge_was_written() -> None:
    assert hooks.other_versions() == [], "read what changed, then move the pin in creator_hub/live/edge/hooks.py"
    assert hooks.moved() == [], "read what changed, adapt, then take over the fingerprint"


def test_a_changed_part_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(hooks.PRIVATE, hooks.Packet, {"encode": "0", "no_such_thing": "0"})
    told = hooks.moved()
    assert len(told) == 2
    assert "socketio.packet.Packet.no_such_thing: missing, was 0" in told


def test_with_other_versions_sockets_are_served_the_stock_way(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(socket_io(Flask("as pinned"), "fast"), FastSocketIO)
    monkeypatch.setitem(hooks.PINNED, "python-engineio", "0.0.0")
    assert not isinstance(edge.socket_io(Flask("upgraded"), "fast"), FastSocketIO)
    assert not isinstance(edge.socket_io(Flask("asked for"), "stock"), FastSocketIO)
