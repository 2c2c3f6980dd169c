"""Signed deliveries, in order, kept until they are accepted.

One background thread. An endpoint that cannot be reached at all holds its queue, so order survives the hub's restart;
an endpoint that answers with an error gets that one event again later, quickly at first and then more slowly, while
the events behind it go on. The signature's timestamp is real time: it belongs to the transport, not to the objects.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import threading
import time
import urllib.error
import urllib.request

from creator_hub.stripe_sandbox.store import Obj, Store

log = logging.getLogger(__name__)
BACK_OFF = (0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300)
GIVE_UP_AFTER = 400
REORDER_WAIT = 2.0
TIMEOUT = 20.0


def signature(secret: str, body: bytes, moment: int) -> str:
    """The Stripe-Signature header: HMAC-SHA256 over `timestamp.body`."""
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


class Deliveries:
    """The thread that empties the queue; `mode` (store meta `webhooks`) makes the next `count` of them go wrong."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stop = threading.Event()
        self._held: dict[str, tuple[float, int]] = {}
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                worked = self._step()
            except Exception:
                log.exception("webhook delivery failed; it stays queued")
                worked = False
            if not worked:
                self._stop.wait(0.05)

    def _step(self) -> bool:
        batch = self._next_batch()
        for seq, endpoint, body, attempts in batch:
            if not self._deliver(seq, endpoint, body, attempts):
                break
        return bool(batch)

    def _next_batch(self) -> list[tuple[int, str, str, int]]:
        """One delivery, or while events are to be reordered as many as asked for, backwards."""
        now = time.time()
        with self._store.transaction():
            held = [endpoint for endpoint, (until, _) in self._held.items() if until > now]
            waiting = [row for row in self._store.waiting(now, 200) if row[1] not in held]
            mode = self._store.meta("webhooks", {"mode": "normal", "count": 0})
            if not waiting or mode["mode"] != "reorder" or mode["count"] < 2:
                return waiting[:1]
            batch = waiting[: mode["count"]]
            since = mode.setdefault("since", now)
            if len(batch) < mode["count"] and now - since < REORDER_WAIT:
                self._store.set_meta("webhooks", mode)
                return []
            self._store.set_meta("webhooks", {"mode": "normal", "count": 0})
            return batch[::-1]

    def _deliver(self, seq: int, endpoint_id: str, body: str, attempts: int) -> bool:
        """Send one; True when the queue may go on at once."""
        with self._store.transaction():
            endpoint = self._store.load("", "webhook_endpoint", endpoint_id)
            fault, seconds = self._take_fault()
            if endpoint is None or fault == "drop":
                self._store.delivered(seq)
                return True
            if fault == "delay":
                self._store.postpone(seq, time.time() + seconds, attempted=False)
                return True
        status = self._send(endpoint, body)
        if fault == "duplicate":
            self._send(endpoint, body)
        with self._store.transaction():
            return self._settle(seq, endpoint_id, attempts, status)

    def _settle(self, seq: int, endpoint_id: str, attempts: int, status: int | None) -> bool:
        if status is not None and 200 <= status < 300:
            self._held.pop(endpoint_id, None)
            self._store.delivered(seq)
            return True
        if status is None:
            failures = self._held.get(endpoint_id, (0.0, 0))[1] + 1
            self._held[endpoint_id] = (time.time() + min(0.2 * 2 ** min(failures, 5), 5.0), failures)
            return False
        if attempts >= GIVE_UP_AFTER:
            self._store.delivered(seq)
            return True
        self._store.postpone(seq, time.time() + BACK_OFF[min(attempts, len(BACK_OFF) - 1)])
        return True

    def _take_fault(self) -> tuple[str, float]:
        mode = self._store.meta("webhooks", {"mode": "normal", "count": 0})
        if mode["count"] < 1 or mode["mode"] in ("normal", "reorder"):
            return "normal", 0.0
        left = {**mode, "count": mode["count"] - 1}
        self._store.set_meta("webhooks", left if left["count"] else {"mode": "normal", "count": 0})
        return str(mode["mode"]), float(mode.get("seconds", 5))

    def _send(self, endpoint: Obj, body: str) -> int | None:
        """The answer's status, or None when nobody answered."""
        raw = body.encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (sandbox)",
            "Stripe-Signature": signature(endpoint["_secret"], raw, int(time.time())),
        }
        request = urllib.request.Request(endpoint["url"], data=raw, headers=headers, method="POST")  # noqa: S310
        try:
            with _OPENER.open(request, timeout=TIMEOUT) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected webhook counts as failed, as Stripe counts it."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
