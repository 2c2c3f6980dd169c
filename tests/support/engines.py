"""One PostgreSQL and one Valkey for a whole test run, a fresh database for every test.

The process that runs pytest starts the engines and migrates a template once; xdist's workers are told the addresses.
A database is copied from the template: about as fast as a rollback, and nothing a test does has to be undone.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg

from creator_hub.core import migrate
from creator_hub.embedded import EmbeddedPostgres, EmbeddedValkey

TEMPLATE = "hub_template"


@dataclass(frozen=True)
class Engines:
    """Addresses; `postgres_url` and `redis_url` end in a slash, a database's name or number follows."""

    postgres_url: str
    redis_url: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


class RunningEngines:
    """The engines of this run, owned by the process that started them."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="creator-hub-tests-")
        home = Path(self._directory.name)
        self._postgres = EmbeddedPostgres(home, durable=False)
        self._valkey = EmbeddedValkey(home)
        self._postgres.start()
        self._valkey.start()
        self.engines = Engines(self._postgres.url_of(""), self._valkey.url.removesuffix("0"))
        with admin(self.engines) as connection:
            connection.execute(f"CREATE DATABASE {TEMPLATE}")
        migrate.upgrade(self._postgres.url_of(TEMPLATE))

    def stop(self) -> None:
        self._valkey.stop()
        self._postgres.stop()
        self._directory.cleanup()


@contextmanager
def admin(engines: Engines) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection that may create and drop databases."""
    url = engines.postgres_url.replace("postgresql+psycopg://", "postgresql://") + "postgres"
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


_numbers = itertools.count(1)


@contextmanager
def fresh_database(engines: Engines, connection: psycopg.Connection[tuple[object, ...]], worker: str) -> Iterator[str]:
    """A copy of the migrated template, dropped at the end; yields its URL."""
    name = f"test_{worker}_{next(_numbers)}"
    _copy_template(connection, name)
    try:
        yield engines.postgres_url + name
    finally:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _copy_template(connection: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    """Two workers may copy at once, but not while autovacuum looks at the template: wait for it to leave."""
    deadline = time.monotonic() + 10
    while True:
        try:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
        except psycopg.errors.ObjectInUse:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
