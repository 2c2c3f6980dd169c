"""What both engines share: ports, passwords, an owned child process."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

STOP_PATIENCE_S = 20.0
START_PATIENCE_S = 60.0


class EngineFailed(RuntimeError):
    """An engine would not start or stop; the message carries the end of its log."""


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def kept_port(path: Path) -> int:
    """The port of the last start while it is free, so that addresses survive a restart; else a new one."""
    if path.exists():
        port = int(path.read_text())
        if is_free(port):
            return port
    port = free_port()
    path.write_text(str(port))
    return port


def kept_password(path: Path) -> str:
    """A random password made once, readable by the owner alone."""
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(24))
    return path.read_text()


class Engine:
    """A server process that this object started and ends. Subclasses say how to run it and when it is ready."""

    name = "engine"
    stop_signal = signal.SIGTERM

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = Path(data_dir).absolute()
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.log = self.data_dir.parent / f"{self.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def is_ready(self) -> bool:
        raise NotImplementedError

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the process and wait until it answers; a start that fails is tried again for a while.

        After a kill -9 PostgreSQL needs a moment until its shared memory is free, so one failure proves nothing.
        """
        deadline = time.monotonic() + START_PATIENCE_S
        while True:
            with self.log.open("ab") as log:
                process = subprocess.Popen(
                    self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
            self.process = process
            if self._answers(process, deadline):
                return process
            if time.monotonic() > deadline:
                raise EngineFailed(f"{self.name} did not start:\n{self._log_end()}")
            time.sleep(0.3)

    def _answers(self, process: subprocess.Popen[bytes], deadline: float) -> bool:
        return wait_until(lambda: process.poll() is not None or self.is_ready(), deadline) and process.poll() is None

    def stop(self) -> None:
        """End the process in order, or the hard way when it will not go."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _log_end(self) -> str:
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""


def wait_until(condition: Callable[[], bool], deadline: float) -> bool:
    """Poll `condition` until it holds or the monotonic `deadline` has passed."""
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
