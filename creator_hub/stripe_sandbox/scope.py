"""What a request, a timer or a hosted page works with: one account's objects, the clock and the event log."""

from __future__ import annotations

import json
import secrets
import string
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from creator_hub.stripe_sandbox.clock import Clock
from creator_hub.stripe_sandbox.errors import missing
from creator_hub.stripe_sandbox.store import Obj, Store

PLATFORM = ""
LANES = 4
API_VERSION = "2026-10-28.endive"
_ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 24) -> str:
    return f"{prefix}_{''.join(_ALPHABET[byte % len(_ALPHABET)] for byte in secrets.token_bytes(length))}"


def public(obj: Obj) -> Obj:
    """A copy without the sandbox's own underscored keys, at any depth."""
    return {key: _public(item) for key, item in obj.items() if not key.startswith("_")}


def _public(value: Any) -> Any:
    if isinstance(value, dict):
        return public(value)
    return [_public(item) for item in value] if isinstance(value, list) else value


def lane_of(event: Obj) -> int:
    """Events about one customer, or else one payment or one account, share a lane and so keep their order."""
    about = event["data"]["object"]
    key = about.get("customer") if about["object"] != "customer" else about["id"]
    key = key or about.get("payment_intent") or event.get("account") or about.get("id")
    return zlib.crc32(str(key).encode()) % LANES


@dataclass(frozen=True, slots=True)
class Scope:
    """`account` is the connected account's id or PLATFORM; `base_url` begins the hosted pages' addresses."""

    store: Store
    clock: Clock
    account: str = PLATFORM
    base_url: str = ""
    settlement_days: int = 0
    request_id: str | None = None
    idempotency_key: str | None = None

    @property
    def now(self) -> int:
        return self.clock.now()

    def of(self, account: str) -> Scope:
        """The same work inside another account."""
        return replace(self, account=account)

    def add(self, obj: Obj) -> Obj:
        self.store.insert(self.account, obj, obj.get("created", self.now))
        return obj

    def save(self, obj: Obj) -> Obj:
        self.store.update(self.account, obj)
        return obj

    def find(self, kind: str, identifier: str | None) -> Obj | None:
        return self.store.load(self.account, kind, identifier) if identifier else None

    def anywhere(self, kind: str, identifier: str) -> tuple[Scope, Obj] | None:
        """An object of the platform or of any connected account, with its own scope: hosted pages name only the id."""
        found = self.store.locate(kind, identifier)
        return found and (self.of(found[0]), found[1])

    def get(self, kind: str, identifier: str, param: str = "id") -> Obj:
        found = self.find(kind, identifier)
        if found is None:
            raise missing(kind.rpartition(".")[2].replace("_", " "), identifier, param)
        return found

    def all(self, kind: str, **equal: Any) -> list[Obj]:
        """Every object of a kind whose top-level fields equal these, oldest first."""
        return self.store.select(self.account, kind, equal, oldest_first=True)

    def emit(self, kind: str, obj: Obj, previous: Obj | None = None) -> None:
        """Record an event with the object as it is now, and queue it for every endpoint that wants it."""
        data: Obj = {"object": public(obj)}
        if previous is not None:
            before = public(previous)
            changed = {key: before.get(key) for key in data["object"] if before.get(key) != data["object"][key]}
            if not changed:
                return
            data["previous_attributes"] = changed
        event: Obj = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now,
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
            "type": kind,
        }
        if self.account:
            event["account"] = self.account
        wanted = self._wanted_by(kind)
        event["pending_webhooks"] = len(wanted)
        body = json.dumps(event)
        self.store.insert(self.account, event, event["created"], body)
        self._enqueue(event, body, wanted)

    def deliver(self, event: Obj) -> int:
        """Queue an event once more for every endpoint that wants it; returns for how many."""
        wanted = self._wanted_by(event["type"])
        self._enqueue(event, json.dumps(event), wanted)
        return len(wanted)

    def _enqueue(self, event: Obj, body: str, wanted: list[Obj]) -> None:
        for endpoint in wanted:
            self.store.enqueue(endpoint["id"], event["id"], body, lane_of(event))

    def _wanted_by(self, kind: str) -> list[Obj]:
        return [
            endpoint
            for endpoint in self.of(PLATFORM).all("webhook_endpoint", status="enabled")
            if endpoint["_connect"] == bool(self.account)
            and ("*" in endpoint["enabled_events"] or kind in endpoint["enabled_events"])
        ]

    @contextmanager
    def changing(self, obj: Obj, kind: str) -> Iterator[Obj]:
        """Change an object inside the block; it is saved and its `updated` event says what changed."""
        before = public(obj)
        yield obj
        self.save(obj)
        self.emit(kind, obj, before)

    def test_clock_of(self, customer: str | None) -> str:
        holder = self.find("customer", customer)
        return (holder or {}).get("test_clock") or ""

    def timer(self, action: str, target: str, due: int, test_clock: str = "") -> None:
        """Run `action` on `target` at `due`; setting it again moves it."""
        self.store.set_timer(f"{action}:{target}", due, action, self.account, target, test_clock)

    def drop_timer(self, action: str, target: str) -> None:
        self.store.drop_timer(f"{action}:{target}")
