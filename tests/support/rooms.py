"""A chat room with people in it, played over HTTP."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

from tests.support.client import Browser


@dataclass
class Room:
    """Mei's general channel with Ana and Bo in it."""

    mei: Browser
    ana: Browser
    bo: Browser
    channel: str

    def say(self, who: Browser, text: str, **more: Any) -> TestResponse:
        body = {"client_msg_id": str(uuid.uuid4()), "text": text, **more}
        return who.post(f"/channels/{self.channel}/messages", body)

    def events(self, who: Browser) -> list[dict[str, Any]]:
        return who.get(f"/channels/{self.channel}/events?limit=500").json["items"]

    def texts(self, who: Browser) -> list[str]:
        return [m["text"] for m in who.get(f"/channels/{self.channel}/messages").json["items"]]


def a_room(mei: Browser, ana: Browser, bo: Browser) -> Room:
    """Mei opens a group; Ana and Bo join it."""
    for person, handle in ((mei, "mei"), (ana, "ana"), (bo, "bo")):
        person.sign_up(handle)
    mei.post("/groups", {"handle": "mei", "name": "Mei", "about": "", "currency": "USD"})
    ana.post("/groups/mei/join")
    bo.post("/groups/mei/join")
    return Room(mei, ana, bo, mei.get("/groups/mei/channels").json["items"][0]["id"])
