"""The town, with the payment provider's sandbox beside it.

It is built once in each test process; every test that asks for it gets a copy of its database.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from creator_hub.app import wire
from creator_hub.core import db
from creator_hub.core.db import unit_of_work
from creator_hub.core.ids import new_id
from creator_hub.settings import Settings
from creator_hub.stripe_sandbox.server import Options, started
from tests.access.town import Builder, Town, charged
from tests.support.engines import TEMPLATE, Engines


@dataclass(frozen=True)
class Built:
    """A town in a database that nobody is connected to, and the folder of its pictures."""

    town: Town
    database: str
    folder: Path


@pytest.fixture(scope="session")
def sandbox() -> Iterator[str]:
    """Where a sandbox listens that forgets everything."""
    stripe, server = started(Options())
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()
    stripe.close()


@pytest.fixture(scope="session")
def built(engines: Engines, sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    name, folder = f"town_{new_id().hex}", tmp_path_factory.mktemp("town")
    _copy(engines, TEMPLATE, name)
    environment = {"DATABASE_URL": engines.database_url(name), "REDIS_URL": engines.redis_url}
    wire(Settings.from_env({**environment, "HUB_DATA_DIR": str(folder), "STRIPE_API_BASE": sandbox}))
    with unit_of_work() as session:
        town = Builder(session).build()
    charged(town)
    db.dispose()
    yield Built(town, name, folder)
    _drop(engines, name)


@pytest.fixture
def database(request: pytest.FixtureRequest, engines: Engines) -> Iterator[str]:
    """A database of the test's own: the town's, for whoever asks for the town, else an empty one."""
    source = request.getfixturevalue("built").database if "town" in request.fixturenames else TEMPLATE
    name = f"t_{new_id().hex}"
    _copy(engines, source, name)
    url = engines.database_url(name)
    db.configure(url, pool_size=5)
    yield url
    db.dispose()
    _drop(engines, name)


@pytest.fixture
def settings(request: pytest.FixtureRequest, database: str, redis_url: str, tmp_path: Path, sandbox: str) -> Settings:
    folder = request.getfixturevalue("built").folder if "town" in request.fixturenames else tmp_path
    environment = {"DATABASE_URL": database, "REDIS_URL": redis_url, "HUB_DATA_DIR": str(folder)}
    return Settings.from_env({**environment, "STRIPE_API_BASE": sandbox})


@pytest.fixture
def town(app: Flask, built: Built) -> Town:
    return built.town


def _copy(engines: Engines, source: str, name: str) -> None:
    with engines.admin() as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY file_copy")


def _drop(engines: Engines, name: str) -> None:
    with engines.admin() as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
