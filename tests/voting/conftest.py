"""Mei's general channel with Ana, Bo and Chen in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from tests.support.client import Browser

# Examples are judged by what they find, never by how long a loaded machine takes for them.
settings.register_profile("steady", deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

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


@pytest.fixture
def room(browser: Open) -> Room:
    people = {handle: browser() for handle in ("mei", "ana", "bo", "chen")}
    for handle, person in people.items():
        person.sign_up(handle)
    people["mei"].post("/groups", {"handle": "mei", "name": "Mei", "about": "", "currency": "USD"})
    for handle in ("ana", "bo", "chen"):
        people[handle].post("/groups/mei/join")
    return Room(**people, channel=people["mei"].get("/groups/mei/channels").json["items"][0]["id"])


def wait(**span: float) -> None:
    """Let time pass for everybody."""
    with unit_of_work() as session:
        clock.advance(session, timedelta(**span))
