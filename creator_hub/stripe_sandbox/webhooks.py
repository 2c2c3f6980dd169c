"""Signed deliveries, kept until they are accepted.

A few lanes, one thread each: events about one customer go one after the other, different customers do not wait for each
other. An endpoint that cannot be reached at all holds its queue, so order survives the hub's restart; an endpoint that
answers with an error gets that one event again later, quickly at first and then more slowly, while the events behind it
go on. The signature's timestamp is real time: it belongs to the transport, not to the objects.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import logging
import threading
import time
from urllib.parse import urlsplit

from creator_hub.stripe_sandbox.scope import LANES
from creator_hub.stripe_sandbox.store import Obj, Store

log = logging.getLogger(__name__)
BACK_OFF = (0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300)
GIVE_UP_AFTER = 400
REORDER_WAIT = 5.0
TIMEOUT = 20.0
BATCH = 16
NAP, LONG_NAP = 0.05, 5.0
NORMAL: Obj = {"mode": "normal", "count": 0}


def signature(secret: str, body: bytes, moment: int) -> str:
    """The Stripe-Signature header: HMAC-SHA256 over `timestamp.body`."""
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


Row = tuple[int, str, str, int]


class Deliveries:
    """The lanes that empty the queue; `mode` (store meta `webhooks`) makes the next `count` deliveries go wrong."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stop = threading.Event()
        self._held: dict[str, tuple[float, int]] = {}
        self._in_flight: set[int] = set()
        self._lanes = [
            threading.Thread(target=self._run, args=(lane,), name=f"webhooks-{lane}", daemon=True)
            for lane in range(LANES)
        ]

    def start(self) -> None:
        for lane in self._lanes:
            lane.start()

    def stop(self) -> None:
        self._stop.set()
        self._store.arrivals.announce()
        for lane in self._lanes:
            lane.join(timeout=2)

    def _run(self, lane: int) -> None:
        line = Line()
        while not self._stop.is_set():
            seen = self._store.arrivals.seen()
            try:
                nap = self._step(lane, line)
            except Exception:
                log.exception("webhook delivery failed; it stays queued")
                nap = NAP
            if nap:
                self._store.arrivals.wait(seen, nap)
        line.close()

    def _step(self, lane: int, line: Line) -> float:
        """Send what is due; how long to wait when there is nothing."""
        with self._store.lock:
            mode = self._store.meta("webhooks", NORMAL)
            batch = self._reordered(lane, mode) if mode["mode"] == "reorder" else self._next_batch(lane, mode)
            endpoints = {row[1]: self._store.load("", "webhook_endpoint", row[1]) for row in batch}
            self._in_flight.update(row[0] for row in batch)
            if not batch:
                return self._nap(lane, mode)
        statuses: list[tuple[Row, int | None]] = []
        try:
            for row in batch:
                endpoint = endpoints[row[1]]
                statuses.append((row, self._deliver(line, row, endpoint, mode)))
                if statuses[-1][1] is None:
                    break
        finally:
            with self._store.transaction():
                for row, status in statuses:
                    self._settle(row, status)
                self._in_flight.difference_update(row[0] for row in batch)
        return 0

    def _nap(self, lane: int, mode: Obj) -> float:
        if mode["mode"] == "reorder":
            return NAP
        due = self._store.next_delivery(lane)
        if due is None:
            return LONG_NAP
        held = min((until for until, _ in self._held.values()), default=0.0)
        return min(max(due - time.time(), held - time.time(), NAP), LONG_NAP)

    def _next_batch(self, lane: int, mode: Obj) -> list[Row]:
        """The lane's due deliveries, one at a time while something is to go wrong; not what the first lane is just
        sending backwards."""
        now = time.time()
        held = [endpoint for endpoint, (until, _) in self._held.items() if until > now]
        rows = self._store.waiting(now, BATCH if mode["mode"] == "normal" else 1, lane, held)
        return [row for row in rows if row[0] not in self._in_flight]

    def _reordered(self, lane: int, mode: Obj) -> list[Row]:
        """The first lane alone gathers as many as asked for, or what came before nothing came for a while, and
        sends it backwards."""
        if lane or mode["count"] < 2 or self._in_flight:
            return []
        now = time.time()
        batch = self._store.waiting(now, mode["count"])
        if len(batch) != mode.get("seen"):
            mode |= {"seen": len(batch), "since": now}
        with self._store.transaction():
            if len(batch) < mode["count"] and now - mode["since"] < REORDER_WAIT:
                self._store.set_meta("webhooks", mode)
                return []
            self._store.set_meta("webhooks", NORMAL)
        return batch[::-1]

    def _deliver(self, line: Line, row: Row, endpoint: Obj | None, mode: Obj) -> int | None:
        """The status it came to: 0 for one put off, None when nobody answered."""
        fault, seconds = self._take_fault() if mode["mode"] != "normal" else ("normal", 0.0)
        if endpoint is None or fault == "drop":
            return 200
        if fault == "delay":
            with self._store.transaction():
                self._store.postpone(row[0], time.time() + seconds, attempted=False)
            return 0
        status = line.send(endpoint, row[2])
        if fault == "duplicate":
            line.send(endpoint, row[2])
        return status

    def _settle(self, row: Row, status: int | None) -> None:
        seq, endpoint, _, attempts = row
        if status == 0:
            return
        if status is None:
            failures = self._held.get(endpoint, (0.0, 0))[1] + 1
            self._held[endpoint] = (time.time() + min(0.2 * 2 ** min(failures, 5), 5.0), failures)
            return
        self._held.pop(endpoint, None)
        if 200 <= status < 300 or attempts >= GIVE_UP_AFTER:
            self._store.delivered(seq)
        else:
            self._store.postpone(seq, time.time() + BACK_OFF[min(attempts, len(BACK_OFF) - 1)])

    def _take_fault(self) -> tuple[str, float]:
        with self._store.transaction():
            mode = self._store.meta("webhooks", NORMAL)
            if mode["count"] < 1 or mode["mode"] in ("normal", "reorder"):
                return "normal", 0.0
            left = {**mode, "count": mode["count"] - 1}
            self._store.set_meta("webhooks", left if left["count"] else NORMAL)
            return str(mode["mode"]), float(mode.get("seconds", 5))


class Line:
    """One lane's open connections, kept alive between deliveries. A redirect counts as failed, as Stripe counts it."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], http.client.HTTPConnection] = {}

    def close(self) -> None:
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    def send(self, endpoint: Obj, body: str) -> int | None:
        """The answer's status, or None when nobody answered."""
        raw = body.encode()
        url = urlsplit(endpoint["url"])
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (sandbox)",
            "Stripe-Signature": signature(endpoint["_secret"], raw, int(time.time())),
        }
        path = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
        kept = (url.scheme, url.netloc) in self._open
        try:
            return self._post(url.scheme, url.netloc, path, raw, headers)
        except (http.client.HTTPException, OSError):
            self._drop(url.scheme, url.netloc)
        if not kept:
            return None
        try:  # the other end may have closed a connection that had been idle
            return self._post(url.scheme, url.netloc, path, raw, headers)
        except (http.client.HTTPException, OSError):
            self._drop(url.scheme, url.netloc)
            return None

    def _post(self, scheme: str, place: str, path: str, raw: bytes, headers: dict[str, str]) -> int:
        connection = self._open.get((scheme, place))
        if connection is None:
            kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
            connection = self._open[scheme, place] = kind(place, timeout=TIMEOUT)
        connection.request("POST", path, raw, headers)
        with connection.getresponse() as answer:
            answer.read()
            if answer.will_close:
                self._drop(scheme, place)
            return answer.status

    def _drop(self, scheme: str, place: str) -> None:
        connection = self._open.pop((scheme, place), None)
        if connection is not None:
            connection.close()
