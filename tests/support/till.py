"""Billing as a test plays it: the hub on a real port, the Stripe sandbox beside it, and the worker's work on demand."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from creator_hub.app import create_app
from creator_hub.core import clock, outbox
from creator_hub.core.db import unit_of_work
from creator_hub.embedded.engine import free_port
from creator_hub.settings import Settings
from creator_hub.stripe_sandbox.server import Options, started
from tests.support.client import Browser
from tests.support.hub import eventually
from workers import jobs

VISA = "4242424242424242"


@dataclass
class Till:
    """The hub and the sandbox together."""

    app: Flask
    sandbox_url: str
    people: dict[str, Browser] = field(default_factory=dict)

    def browser(self, handle: str) -> Browser:
        """Somebody new, signed up and signed in."""
        browser = self.people[handle] = Browser(self.app)
        browser.sign_up(handle)
        return browser

    def control(self, path: str, **body: Any) -> dict[str, Any]:
        """One command of the sandbox's control plane; the HTTP status comes as `_status`."""
        request = urllib.request.Request(
            f"{self.sandbox_url}/_control/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return {**json.load(answer), "_status": answer.status}
        except urllib.error.HTTPError as error:
            with error:
                return {**json.load(error), "_status": error.code}

    def pay(self, session_id: str, card: str = VISA) -> dict[str, Any]:
        return self.control(f"checkout/{session_id}/pay", card=card)

    def delivered(self) -> None:
        """Wait until the hub has accepted every webhook that was sent."""
        eventually(lambda: self._pending() == 0, "every webhook was accepted")

    def settle(self) -> list[str]:
        """Let webhooks arrive and do all the work that waits; returns the topics done."""
        self.delivered()
        topics = []
        while done := work():
            topics += done
            self.delivered()
        return topics

    def days_pass(self, days: float) -> None:
        """Move the sandbox's calendar and the hub's clock together, settle, and sign in whose session ran out."""
        seconds = int(days * 86_400)
        assert self.control("advance", seconds=seconds)["_status"] == 200
        with unit_of_work() as session:
            clock.advance(session, timedelta(seconds=seconds))
        self.settle()
        for handle, browser in self.people.items():
            if browser.get("/session").json["user"] is None:
                assert browser.sign_in(handle).status_code == 201

    def _pending(self) -> int:
        with urllib.request.urlopen(f"{self.sandbox_url}/_control/webhooks") as answer:
            return int(json.load(answer)["pending"])


def work() -> list[str]:
    """Do what is due in the outbox, as relay and worker would; a job that failed stays and fails the test."""
    with unit_of_work() as session:
        rows = [(row.id, row.topic) for row in outbox.lease(session, 100)]
    for row_id, _ in rows:
        jobs.run(str(row_id))
    with unit_of_work() as session:
        for row_id, topic in rows:
            row = session.get_one(outbox.OutboxMessage, row_id)
            assert row.done_at is not None, f"{topic} failed: {row.error}"
    return [topic for _, topic in rows]


@contextmanager
def open_till(environment: dict[str, str], folder: Path) -> Iterator[Till]:
    """Start both servers on free ports. Each needs the other's address, so the sandbox is told the hub's first."""
    hub_port = free_port()
    hooks = f"http://127.0.0.1:{hub_port}/api/v1/webhooks"
    sandbox, sandbox_server = started(Options(folder, f"{hooks}/stripe", f"{hooks}/stripe-connect"))
    sandbox_url = f"http://127.0.0.1:{sandbox_server.port}"
    app = create_app(Settings.from_env({**environment, "STRIPE_API_BASE": sandbox_url, "PORT": str(hub_port)}))
    hub_server = make_server("127.0.0.1", hub_port, app, threaded=True)
    threads = [
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        for server in (sandbox_server, hub_server)
    ]
    for thread in threads:
        thread.start()
    try:
        yield Till(app, sandbox_url)
    finally:
        for server in (sandbox_server, hub_server):
            server.shutdown()
        for thread in threads:
            thread.join()
        sandbox_server.server_close()
        hub_server.server_close()
        sandbox.close()
