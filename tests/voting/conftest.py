"""Mei's general channel with Ana, Bo and Chen in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from creator_hub.app import create_app
from creator_hub.core import clock, db
from creator_hub.core.db import unit_of_work
from creator_hub.core.ids import new_id
from creator_hub.settings import Settings
from tests.support.client import Browser
from tests.support.engines import TEMPLATE, Engines

Open = Callable[[], Browser]


@dataclass
class Room:
    mei: Browser
    ana: Browser
    bo: Browser
    chen: Browser
    channel: str

    def poll(self, **more: Any) -> dict[str, Any]:
        """Mei asks what to bake; answers the poll, options by text under `ids`."""
        asked = {"title": "What shall I bake?", "method": "plurality", "options": ["Cake", "Bread", "Pie"], **more}
        answer = self.mei.post(f"/channels/{self.channel}/polls", asked)
        assert answer.status_code == 201, answer.json
        return answer.json | {"ids": {option["text"]: option["id"] for option in answer.json["options"]}}

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        items = self.ana.get(f"/channels/{self.channel}/events?limit=500").json["items"]
        return [event for event in items if event["kind"].startswith(kind)]


@dataclass(frozen=True)
class Furnished:
    """A database to copy, in which Mei has her group and the three are in it; everybody's cookies and token."""

    name: str
    cookies: dict[str, tuple[dict[str, str], str]]
    channel: str


@pytest.fixture(scope="session")
def furnished(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    """Signing four people up takes longer than most tests: it is done once."""
    name = f"voting_{new_id().hex}"
    with engines.admin() as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    folder = str(tmp_path_factory.mktemp("furnished"))
    app = create_app(Settings.from_env({"DATABASE_URL": engines.database_url(name), "HUB_DATA_DIR": folder}))
    people = {handle: Browser(app) for handle in ("mei", "ana", "bo", "chen")}
    for handle, person in people.items():
        person.sign_up(handle)
    people["mei"].post("/groups", {"handle": "mei", "name": "Mei", "about": "", "currency": "USD"})
    for handle in ("ana", "bo", "chen"):
        people[handle].post("/groups/mei/join")
    channel = people["mei"].get("/groups/mei/channels").json["items"][0]["id"]
    kept = {handle: person.pack() for handle, person in people.items()}
    db.dispose()
    yield Furnished(name, kept, channel)
    with engines.admin() as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(engines: Engines, furnished: Furnished) -> Iterator[str]:
    """A copy of the furnished database, for this test alone."""
    name = f"t_{new_id().hex}"
    with engines.admin() as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {furnished.name} STRATEGY file_copy")
    url = engines.database_url(name)
    db.configure(url, pool_size=5)
    yield url
    db.dispose()
    with engines.admin() as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def room(furnished: Furnished, browser: Open) -> Room:
    people = {handle: browser() for handle in furnished.cookies}
    for handle, person in people.items():
        person.unpack(*furnished.cookies[handle])
    return Room(**people, channel=furnished.channel)


def wait(**span: float) -> None:
    """Let time pass for everybody."""
    with unit_of_work() as session:
        clock.advance(session, timedelta(**span))
