"""The small application of tests/live/echo.py in a gunicorn of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import requests

from creator_hub.embedded.engine import free_port
from tests.support.hub import ROOT, START_PATIENCE_S, eventually


class Echo:
    """One gunicorn with one worker, on the fast or the stock path."""

    def __init__(self, mode: str, *, impatient: bool) -> None:
        self.mode, self.port = mode, free_port()
        env = {**os.environ, "PORT": str(self.port), "HUB_WEB_PROCESSES": "1", "HUB_SOCKET_EDGE": mode}
        if impatient:
            env |= {"PING_INTERVAL": "0.5", "PING_TIMEOUT": "5"}
        command = [sys.executable, "-m", "gunicorn", "-c", "creator_hub/gunicorn.py", "tests.live.echo:app"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True)
        eventually(self._ready, "the echo server is ready", patience=START_PATIENCE_S)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def state(self) -> dict[str, Any]:
        told: dict[str, Any] = requests.get(self.url + "/readyz", timeout=10).json()
        return told

    def post(self, path: str, body: Any) -> str:
        return requests.post(self.url + path, json=body, timeout=10).text

    def stop(self) -> None:
        """Ask it to end, as a deployment does."""
        self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _ready(self) -> bool:
        try:
            return self.state()["mode"] == ("FastSocketIO" if self.mode == "fast" else "SocketIO")
        except requests.RequestException:
            return False
