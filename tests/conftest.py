"""Fixtures of every room. Real engines only: see tests/support/engines.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import redis

from creator_hub.core import db
from tests.support.engines import Engines, RunningEngines, admin, fresh_database

RUNNING = pytest.StashKey[RunningEngines]()
MAIN_PROCESS = "main"


def _start_once(config: pytest.Config) -> Engines:
    if RUNNING not in config.stash:
        config.stash[RUNNING] = RunningEngines()
    return config.stash[RUNNING].engines


class HandEnginesToWorkers:
    """xdist only: the controller starts the engines and gives each worker their addresses."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["engines"] = _start_once(node.config).as_dict()


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(HandEnginesToWorkers())


def pytest_unconfigure(config: pytest.Config) -> None:
    running = config.stash.get(RUNNING, None)
    if running is not None:
        running.stop()


@pytest.fixture(scope="session")
def engines(request: pytest.FixtureRequest) -> Engines:
    handed = getattr(request.config, "workerinput", None)
    return Engines(**handed["engines"]) if handed else _start_once(request.config)


@pytest.fixture(scope="session")
def worker_name(request: pytest.FixtureRequest) -> str:
    return getattr(request.config, "workerinput", {"workerid": MAIN_PROCESS})["workerid"]


@pytest.fixture(scope="session")
def database_admin(engines: Engines) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with admin(engines) as connection:
        yield connection


@pytest.fixture
def database(
    engines: Engines, database_admin: psycopg.Connection[tuple[object, ...]], worker_name: str
) -> Iterator[str]:
    """A fresh, migrated database that `core.db` points at; yields its URL."""
    with fresh_database(engines, database_admin, worker_name) as url:
        db.configure(url, pool_size=5)
        try:
            yield url
        finally:
            db.dispose()


@pytest.fixture
def redis_url(engines: Engines, worker_name: str) -> Iterator[str]:
    """A Valkey database of this worker's own, empty."""
    number = 0 if worker_name == MAIN_PROCESS else 1 + int(worker_name.removeprefix("gw"))
    url = f"{engines.redis_url}{number}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    yield url
