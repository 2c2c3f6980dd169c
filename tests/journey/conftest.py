"""The whole hub, and a browser for each of its people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.journey.people import Person
from tests.support.hub import Web
from tests.support.whole_hub import WholeHub, whole_hub


@pytest.fixture
def hub(database: str, redis_url: str, tmp_path: Path) -> Iterator[WholeHub]:
    with whole_hub(database, redis_url, tmp_path) as running:
        yield running


@pytest.fixture
def person(chromium: Browser) -> Iterator[Callable[..., Person]]:
    """Somebody with a browser of their own, at the address of one web process."""
    people: list[Person] = []

    def enter(name: str, web: Web, **options: object) -> Person:
        somebody = Person(name, chromium.new_context(base_url=web.url, **options), web)  # type: ignore[arg-type]
        people.append(somebody)
        return somebody

    yield enter
    for somebody in people:
        somebody.context.close()
