"""Real engines, a fresh migrated database per test, and people to play with."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import hypothesis
import pytest
import redis
from argon2 import PasswordHasher
from flask import Flask
from hypothesis import HealthCheck

from creator_hub.accounts import passwords
from creator_hub.app import create_app, wire
from creator_hub.core import db
from creator_hub.core.ids import new_id
from creator_hub.settings import Settings
from tests.support.client import Browser
from tests.support.engines import TEMPLATE, Engines, EnginesPlugin

pytest_plugins = ["tests.support.chromium"]

# Examples are judged by what they find, never by how long a loaded machine takes for them.
hypothesis.settings.register_profile(
    "steady",
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("steady")

_KEY = pytest.StashKey[EnginesPlugin]()


def pytest_configure(config: pytest.Config) -> None:
    is_worker = hasattr(config, "workerinput")
    if not is_worker and not config.option.collectonly and not config.option.help:
        config.stash[_KEY] = EnginesPlugin()
        config.pluginmanager.register(config.stash[_KEY], "hub-engines")


@pytest.fixture(scope="session")
def engines(request: pytest.FixtureRequest) -> Engines:
    lent = getattr(request.config, "workerinput", None)
    return Engines(**lent["engines"]) if lent else request.config.stash[_KEY].engines


@pytest.fixture(autouse=True, scope="session")
def cheap_passwords() -> Iterator[None]:
    """Passwords cost nothing in this process (tests/accounts asks for the real cost); spawned servers pay in full."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture
def database(engines: Engines) -> Iterator[str]:
    """The URL of a database of its own, migrated to head; this process is configured for it."""
    name = f"t_{new_id().hex}"
    with engines.admin() as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    url = engines.database_url(name)
    db.configure(url, pool_size=5)
    yield url
    db.dispose()
    with engines.admin() as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def redis_url(engines: Engines, worker_id: str) -> str:
    """A Valkey database of this worker's own, empty."""
    number = 0 if worker_id == "master" else int(worker_id.removeprefix("gw")) + 1
    url = engines.redis_url_of(number)
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def settings(database: str, redis_url: str, tmp_path: object) -> Settings:
    return Settings.from_env({"DATABASE_URL": database, "REDIS_URL": redis_url, "HUB_DATA_DIR": str(tmp_path)})


@pytest.fixture(scope="session")
def wiring() -> dict[str, Flask]:
    """The one application of this test process: binding some hundreds of routes takes half a second."""
    return {}


@pytest.fixture
def app(settings: Settings, wiring: dict[str, Flask]) -> Flask:
    """The application, pointed at this test's database and Valkey."""
    if "app" not in wiring:
        wiring["app"] = create_app(settings)
    wire(settings)
    return wiring["app"]


@pytest.fixture
def browser(app: Flask) -> Callable[[], Browser]:
    """Opens a fresh browser: a cookie jar that knows how to send the CSRF token."""
    return lambda: Browser(app)
