"""Two web processes on one database, Mei's group, and fans who connect to either."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.echo import Echo
from tests.support.hub import Fan, Web

__all__ = ["Echo", "Hub"]


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
def hub(request: pytest.FixtureRequest, database: str, redis_url: str, tmp_path: Path) -> Iterator[Hub]:
    env = {"DATABASE_URL": database, "REDIS_URL": redis_url, "HUB_DATA_DIR": str(tmp_path)}
    if hasattr(request, "param"):
        env["HUB_SOCKET_EDGE"] = request.param
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


MODES = ("fast", "stock")
_echoes: dict[tuple[str, bool], Echo] = {}


def _running(mode: str, *, impatient: bool) -> Echo:
    """One server of each kind for all tests of this process."""
    if (mode, impatient) not in _echoes:
        _echoes[mode, impatient] = Echo(mode, impatient=impatient)
    return _echoes[mode, impatient]


@pytest.fixture(scope="session", autouse=True)
def _stop_echoes() -> Iterator[None]:
    yield
    for echo in _echoes.values():
        echo.kill()


@pytest.fixture(params=MODES)
def echo(request: pytest.FixtureRequest) -> Echo:
    """The small application behind the socket edge, on either path."""
    return _running(request.param, impatient=False)


@pytest.fixture(params=MODES)
def impatient(request: pytest.FixtureRequest) -> Echo:
    """The same with pings every half second."""
    return _running(request.param, impatient=True)


@pytest.fixture
def echo_own() -> Iterator[Callable[[str], Echo]]:
    """A server that the test may stop."""
    started: list[Echo] = []

    def start(mode: str) -> Echo:
        started.append(Echo(mode, impatient=False))
        return started[-1]

    yield start
    for echo in started:
        echo.kill()
