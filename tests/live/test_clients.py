"""The two clients people use speak to either path: socket.io-client for browsers and Node, and python-socketio."""

from __future__ import annotations

import subprocess
import threading
from typing import Any

import pytest
import socketio

from tests.live.conftest import Echo
from tests.support.hub import ROOT, eventually

JS = """
import { io } from "socket.io-client";
const socket = io(process.argv[2], { transports: ["websocket"], reconnection: false });
const heard = [];
socket.on("said", (...said) => heard.push(said));
socket.on("disconnect", (reason) => { console.log(JSON.stringify({ heard, reason })); });
socket.on("connect_error", (error) => { console.log(String(error)); process.exit(1); });
socket.on("connect", async () => {
  heard.push(await socket.emitWithAck("join", "js"));
  heard.push(await socket.emitWithAck("echo", { text: "grüße" }, [1, null, 2.5]));
  const bytes = await socket.emitWithAck("echo", Buffer.from([0, 255, 7]));
  heard.push([...bytes]);
  heard.push(await socket.emitWithAck("say", "js", "soup", Buffer.from([1])));
  socket.disconnect();
});
"""


def test_the_javascript_client_talks_with_it(echo: Echo) -> None:
    ran = subprocess.run(
        ["node", "--input-type=module", "-", echo.url],
        input=JS,
        text=True,
        capture_output=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert '"in"' in ran.stdout
    assert '{"text":"grüße"}' in ran.stdout
    assert "[0,255,7]" in ran.stdout
    assert '["soup",{"type":"Buffer","data":[1]}]' in ran.stdout
    assert '"reason":"io client disconnect"' in ran.stdout


def test_the_python_client_talks_with_it(echo: Echo) -> None:
    ana = socketio.Client(reconnection=False)
    said: list[Any] = []
    ana.on("said", lambda *what: said.append(what))
    ana.connect(echo.url, transports=["websocket"])
    try:
        assert ana.call("join", "python") == "in"
        assert ana.call("echo", {"bytes": b"\x00\xff"}) == {"bytes": b"\x00\xff"}
        assert ana.call("say", ("python", "soup", 1)) == "said"
        eventually(lambda: said == [("soup", 1)], "she hears herself")
    finally:
        ana.disconnect()
    eventually(lambda: echo.state()["here"] == 0, "she is gone")


def test_the_python_client_stays_through_pings(impatient: Echo) -> None:
    ana, gone = socketio.Client(reconnection=False), threading.Event()
    ana.on("disconnect", lambda *_: gone.set())
    ana.connect(impatient.url, transports=["websocket"])
    try:
        assert not gone.wait(2.5)
        assert ana.call("echo", 1) == 1
    finally:
        ana.disconnect()


def test_a_refused_python_client_is_told_why(echo: Echo) -> None:
    bo, told = socketio.Client(reconnection=False), []
    bo.on("connect_error", told.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        bo.connect(echo.url, transports=["websocket"], auth={"refuse": True})
    assert told == [{"message": "not you"}]
