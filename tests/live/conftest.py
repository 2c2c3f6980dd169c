"""Two web processes on one database, Mei's group, and fans who connect to either."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.hub import Fan, Web


@dataclass
class Hub:
    """The running world: two web processes, Mei, her group's general channel."""

    first: Web
    second: Web
    people: list[Fan] = field(default_factory=list)
    mei: Fan = field(init=False)
    channel: str = ""

    def person(self, handle: str) -> Fan:
        fan = Fan(handle).sign_up(self.first)
        self.people.append(fan)
        return fan

    def member(self, handle: str) -> Fan:
        fan = self.person(handle)
        fan.post(self.first, "/groups/mei/join")
        return fan


@pytest.fixture
def hub(database: str, redis_url: str, tmp_path: Path) -> Iterator[Hub]:
    env = {"DATABASE_URL": database, "REDIS_URL": redis_url, "HUB_DATA_DIR": str(tmp_path)}
    hub = Hub(Web(env), Web(env))
    hub.mei = hub.person("mei")
    hub.mei.post(hub.first, "/groups", handle="mei", name="Mei's kitchen", about="", currency="USD")
    hub.channel = hub.mei.http.get(hub.first.url + "/api/v1/groups/mei/channels").json()["items"][0]["id"]
    yield hub
    for fan in hub.people:
        fan.leave()
    hub.first.kill()
    hub.second.kill()


@pytest.fixture
def joined(hub: Hub) -> Callable[[str, Web], Fan]:
    """A member whose socket sits in the general channel, on the given process."""

    def sit(handle: str, web: Web) -> Fan:
        fan = hub.member(handle).connect(web)
        fan.join(hub.channel)
        return fan

    return sit
