"""The town, with the payment provider's sandbox beside it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from flask import Flask

from creator_hub.core.db import unit_of_work
from creator_hub.settings import Settings
from creator_hub.stripe_sandbox.server import Options, started
from tests.access.town import Builder, Town, charged


@pytest.fixture
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


@pytest.fixture
def settings(database: str, redis_url: str, tmp_path: object, sandbox: str) -> Settings:
    environment = {"DATABASE_URL": database, "REDIS_URL": redis_url, "HUB_DATA_DIR": str(tmp_path)}
    return Settings.from_env({**environment, "STRIPE_API_BASE": sandbox})


@pytest.fixture
def town(app: Flask) -> Town:
    with unit_of_work() as session:
        built = Builder(session).build()
    charged(built)
    return built
