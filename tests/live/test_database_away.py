"""PostgreSQL goes away under a running hub: a clear answer soon, and all is well when it is back."""

from __future__ import annotations

from pathlib import Path

import requests

from creator_hub.core import migrate
from creator_hub.embedded import EmbeddedPostgres
from tests.support.hub import Fan, Web, eventually


def test_a_closed_database_is_answered_clearly_and_heals_by_itself(redis_url: str, tmp_path: Path) -> None:
    postgres = EmbeddedPostgres(tmp_path / "own" / "postgres")
    url = postgres.start()
    migrate.upgrade(url)
    web = Web({"DATABASE_URL": url, "REDIS_URL": redis_url, "HUB_DATA_DIR": str(tmp_path)})
    mei = Fan("mei").sign_up(web)
    try:
        mei.post(web, "/groups", handle="mei", name="Mei", about="", currency="USD")
        channel = mei.http.get(web.url + "/api/v1/groups/mei/channels").json()["items"][0]["id"]
        mei.connect(web).join(channel)
        assert mei.say(channel, "before")["ok"]
        postgres.process.kill()
        postgres.process.wait()

        answer = mei.http.get(web.url + "/api/v1/me", timeout=10)  # an answer, not a wait
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert requests.get(web.url + "/readyz", timeout=10).json()["database"] == "away"
        assert requests.get(web.url + "/healthz", timeout=10).status_code == 200
        assert mei.say(channel, "while it is away")["error"]["code"] == "unavailable"

        postgres.start()
        eventually(lambda: mei.http.get(web.url + "/api/v1/me", timeout=10).status_code == 200, "it heals", 15)
        assert mei.say(channel, "after")["ok"]
        eventually(lambda: mei.texts(channel) == ["before", "after"], "the open socket goes on, nothing lost")
    finally:
        mei.leave()
        web.kill()
        postgres.stop()
