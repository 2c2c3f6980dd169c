"""Real browsers on a real hub of two web processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.support.hub import Web

# Nothing is waited for by the clock; how long a busy machine takes to meet a condition says nothing about the page.
PATIENCE_MS = 90_000
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that waits in vain must end by saying for what, not by the clock of the whole run."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture
def webs(database: str, redis_url: str, tmp_path: Path) -> Iterator[tuple[Web, Web]]:
    env = {"DATABASE_URL": database, "REDIS_URL": redis_url, "HUB_DATA_DIR": str(tmp_path)}
    first, second = Web(env), Web(env)
    yield first, second
    first.kill()
    second.kill()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """A person's own browser, at the address of one web process."""
    opened: list[BrowserContext] = []

    def new(web: Web, **options: object) -> BrowserContext:
        context = chromium.new_context(base_url=web.url, **options)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        opened.append(context)
        return context

    yield new
    for context in opened:
        context.close()
