"""A running hub: real gunicorn processes on one database, and fans with real sockets."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
import socketio

from creator_hub.embedded.engine import free_port
from tests.support.client import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 20.0
START_PATIENCE_S = 180.0  # importing everything takes its time on a busy machine


def eventually(condition: Callable[[], Any], what: str, patience: float = PATIENCE_S) -> Any:
    """The first truthy value of `condition`; fails with `what` when it never comes."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.02)


class Web:
    """One gunicorn with one worker; started, and killed again when it does not come up."""

    def __init__(self, env: dict[str, str], port: int | None = None) -> None:
        self.port = port or free_port()
        self.env = {**os.environ, **env, "PORT": str(self.port), "HUB_WEB_PROCESSES": "1"}
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "gunicorn", "-c", "creator_hub/gunicorn.py", "wsgi:app"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.env, start_new_session=True)
        try:
            eventually(self._ready, "the web process is ready", START_PATIENCE_S)
        except BaseException:
            self.kill()
            raise

    def workers(self) -> list[str]:
        """The process ids of those who hold the sockets."""
        return Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()

    def kill(self) -> None:
        """kill -9, the whole group: nothing gets to say goodbye."""
        os.killpg(self.process.pid, 9)
        self.process.wait()

    def _ready(self) -> bool:
        try:
            return requests.get(self.url + "/readyz", timeout=2).status_code == 200
        except requests.RequestException:
            return False


class Process:
    """Any other process of the hub: the workers, the Stripe sandbox."""

    def __init__(self, *arguments: str, env: dict[str, str]) -> None:
        self.arguments, self.env = arguments, {**os.environ, **env}
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", *self.arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.env, start_new_session=True)

    def kill(self) -> None:
        os.killpg(self.process.pid, 9)
        self.process.wait()


class Fan:
    """A person with a browser session and a socket that keeps what it hears, as the page's client would."""

    def __init__(self, handle: str) -> None:
        self.handle = handle
        self.http = requests.Session()
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self._lock = threading.Lock()
        self.socket = self._new_socket()

    def _new_socket(self) -> socketio.Client:
        socket = socketio.Client(reconnection=False)
        socket.on("*", self._hear)
        return socket

    def _hear(self, name: str, payload: dict[str, Any]) -> None:
        with self._lock:
            self.heard.append((name, payload))
            if name == "event":
                self.events.setdefault(payload["channel_id"], []).append(payload)

    def sign_up(self, web: Web) -> Fan:
        self._csrf(web)
        self.post(
            web,
            "/users",
            email=f"{self.handle}@example.test",
            password=PASSWORD,
            handle=self.handle,
            display_name=self.handle.capitalize(),
        )
        self._csrf(web)
        return self

    def sign_in(self, web: Web) -> Fan:
        self._csrf(web)
        self.post(web, "/session", email=f"{self.handle}@example.test", password=PASSWORD)
        self._csrf(web)
        return self

    def _csrf(self, web: Web) -> None:
        answer = self.http.get(web.url + "/api/v1/session", timeout=10)
        self.http.headers["X-CSRF-Token"] = answer.json()["csrf_token"]

    def get(self, web: Web, path: str) -> Any:
        answer = self.http.get(f"{web.url}/api/v1{path}", timeout=30)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    def post(self, web: Web, path: str, /, **body: Any) -> dict[str, Any]:
        return self.send(web, "POST", path, **body)

    def send(self, web: Web, method: str, path: str, /, **body: Any) -> dict[str, Any]:
        answer = self.http.request(method, f"{web.url}/api/v1{path}", json=body, timeout=30)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else {}

    def connect(self, web: Web) -> Fan:
        cookies = "; ".join(f"{c.name}={c.value}" for c in self.http.cookies)
        self._discard_socket()
        self.socket = self._new_socket()
        self.socket.connect(web.url, transports=["websocket"], headers={"Cookie": cookies})
        return self

    def call(self, name: str, **data: Any) -> dict[str, Any]:
        return self.socket.call(name, data, timeout=10)

    def join(self, channel: str, after_seq: int | None = None) -> dict[str, Any]:
        answer = self.call("channel.join", channel_id=channel, after_seq=after_seq)
        assert answer["ok"], answer
        eventually(lambda: self.has_heard("channel.caught_up", channel), f"{self.handle} caught up")
        return answer

    def say(self, channel: str, text: str, client_msg_id: str | None = None) -> dict[str, Any]:
        return self.call(
            "message.send", channel_id=channel, client_msg_id=client_msg_id or str(uuid.uuid4()), text=text
        )

    def has_heard(self, name: str, channel: str | None = None) -> list[dict[str, Any]]:
        with self._lock:
            return [p for n, p in self.heard if n == name and (channel is None or p["channel_id"] == channel)]

    def seqs(self, channel: str) -> list[int]:
        with self._lock:
            return [event["seq"] for event in self.events.get(channel, [])]

    def texts(self, channel: str) -> list[str]:
        with self._lock:
            heard = self.events.get(channel, [])
            return [event["data"]["text"] for event in heard if event["kind"] == "message.created"]

    def _discard_socket(self) -> None:
        """Close what the client leaves open when its server was killed without a goodbye."""
        wire = self.socket.eio.ws
        if wire is not None and not self.socket.connected:
            wire.shutdown()

    def leave(self) -> None:
        if self.socket.connected:
            self.socket.disconnect()
        self._discard_socket()
        self.http.close()
