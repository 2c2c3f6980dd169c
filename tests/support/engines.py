"""One PostgreSQL and one Valkey for the whole run, started by the leading process and lent to the xdist workers."""

from __future__ import annotations

import re
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
import pytest

from creator_hub.core import migrate
from creator_hub.embedded import EmbeddedPostgres, EmbeddedValkey

TEMPLATE = "hub_template"


@dataclass(frozen=True)
class Engines:
    """Where the engines of this run listen."""

    postgres_url: str
    redis_url: str

    def database_url(self, name: str) -> str:
        return re.sub(r"/[^/]*$", f"/{name}", self.postgres_url)

    def redis_url_of(self, number: int) -> str:
        return re.sub(r"/\d+$", f"/{number}", self.redis_url)

    def admin(self) -> psycopg.Connection[tuple[object, ...]]:
        url = self.database_url("postgres").replace("postgresql+psycopg", "postgresql")
        return psycopg.connect(url, autocommit=True)


class EnginesPlugin:
    """Starts the engines before the workers are, stops them after."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="hub-tests-")
        root = Path(self.folder.name)
        self.postgres = EmbeddedPostgres(root / "postgres", durable=False)
        self.valkey = EmbeddedValkey(root / "valkey")
        self.engines = Engines(self.postgres.start(), self.valkey.start())
        with self.engines.admin() as connection:
            connection.execute(f"CREATE DATABASE {TEMPLATE}")
        migrate.upgrade(self.engines.database_url(TEMPLATE))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: object) -> None:
        node.workerinput["engines"] = asdict(self.engines)  # type: ignore[attr-defined]

    def pytest_unconfigure(self) -> None:
        self.valkey.stop()
        self.postgres.stop()
        self.folder.cleanup()
