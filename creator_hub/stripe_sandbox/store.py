"""Everything the sandbox knows, in one SQLite file.

One connection, one lock: a request holds the lock from its first read to its commit, so there is one writer and every
reader sees whole requests. The write-ahead log keeps what was acknowledged through a kill -9.
Keys of an object that begin with an underscore are the sandbox's own (a card number, a pending proration) and are
never sent out.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Obj = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
    created INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE (account, kind, id));
CREATE INDEX IF NOT EXISTS objects_by_id ON objects (id);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (account, kind, seq);
{references}
CREATE TABLE IF NOT EXISTS timers (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, test_clock TEXT NOT NULL, due INTEGER NOT NULL,
    action TEXT NOT NULL, account TEXT NOT NULL, target TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS timers_by_due ON timers (test_clock, due, seq);
CREATE TABLE IF NOT EXISTS replies (
    account TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    created INTEGER NOT NULL, PRIMARY KEY (account, key));
CREATE INDEX IF NOT EXISTS replies_by_age ON replies (created);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, endpoint TEXT NOT NULL, event TEXT NOT NULL, body TEXT NOT NULL,
    done INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL DEFAULT 0,
    lane INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS deliveries_by_lane ON deliveries (lane, seq) WHERE done = 0;
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

# What objects are looked up by; an index each keeps a shop with thousands of customers quick.
_REFERENCES = (
    *("_payout", "charge", "customer", "invoice", "payment_intent", "source"),
    "parent.subscription_details.subscription",
)


def _field(path: str) -> str:
    """SQL for a field of an object's body. Paths are the sandbox's own, never a caller's text."""
    return f"json_extract(body, '$.{path}')"


_INDEXES = "\n".join(
    f"CREATE INDEX IF NOT EXISTS objects_by_{path.replace('.', '_')} ON objects (account, kind, {_field(path)});"
    for path in _REFERENCES
)


class Store:
    """Objects, timers, idempotent replies, webhook deliveries and settings."""

    def __init__(self, folder: Path | None) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        path = ":memory:" if folder is None else str(folder / "sandbox.sqlite3")
        self.lock = threading.RLock()
        self.arrivals = Arrivals()
        self._enqueued = False
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._upgrade()
        self._db.executescript(_SCHEMA.replace("{references}", _INDEXES))

    def _upgrade(self) -> None:
        """Bring a file of an older sandbox up to this one."""
        columns = [row[1] for row in self._db.execute("PRAGMA table_info(deliveries)")]
        if columns and "lane" not in columns:
            self._db.execute("ALTER TABLE deliveries ADD COLUMN lane INTEGER NOT NULL DEFAULT 0")
            self._db.execute("DROP INDEX IF EXISTS deliveries_waiting")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the lock and commit at the end; an exception rolls back unless it carries `keep = True`."""
        with self.lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException as error:
                self._db.execute("COMMIT" if getattr(error, "keep", False) else "ROLLBACK")
                self.arrivals.announce()
                raise
            self._db.execute("COMMIT")
            if self._enqueued:
                self._enqueued = False
                self.arrivals.announce()

    @contextmanager
    def step(self) -> Iterator[None]:
        """A part of a transaction that can fail alone: an exception undoes the part, unless it carries `keep = True`,
        and goes on up."""
        self._db.execute("SAVEPOINT step")
        try:
            yield
        except BaseException as error:
            if not getattr(error, "keep", False):
                self._db.execute("ROLLBACK TO step")
            raise
        finally:
            self._db.execute("RELEASE step")

    def close(self) -> None:
        with self.lock:
            self._db.close()

    # objects

    def insert(self, account: str, obj: Obj, created: int, body: str | None = None) -> None:
        """Add an object; `body` is its JSON where the caller has it already."""
        self._db.execute(
            "INSERT INTO objects (account, kind, id, created, body) VALUES (?, ?, ?, ?, ?)",
            (account, obj["object"], obj["id"], created, body or json.dumps(obj)),
        )

    def update(self, account: str, obj: Obj) -> None:
        self._db.execute(
            "UPDATE objects SET body = ? WHERE account = ? AND kind = ? AND id = ?",
            (json.dumps(obj), account, obj["object"], obj["id"]),
        )

    def delete(self, account: str, kind: str, identifier: str) -> None:
        self._db.execute("DELETE FROM objects WHERE account = ? AND kind = ? AND id = ?", (account, kind, identifier))

    def load(self, account: str, kind: str, identifier: str) -> Obj | None:
        row = self._db.execute(
            "SELECT body FROM objects WHERE account = ? AND kind = ? AND id = ?", (account, kind, identifier)
        ).fetchone()
        return _object(row)

    def load_by_id(self, account: str, identifier: str) -> Obj | None:
        """Any kind of object, of this account or (a connected account itself) of the platform."""
        row = self._db.execute(
            "SELECT body FROM objects WHERE id = ? AND account IN (?, '') ORDER BY account DESC LIMIT 1",
            (identifier, account),
        ).fetchone()
        return _object(row)

    def locate(self, kind: str, identifier: str) -> tuple[str, Obj] | None:
        """(account, object) of an object whoever owns it."""
        row = self._db.execute(
            "SELECT account, body FROM objects WHERE id = ? AND kind = ? LIMIT 1", (identifier, kind)
        ).fetchone()
        return None if row is None else (str(row[0]), json.loads(row[1]))

    def sequence_of(self, account: str, kind: str, identifier: str) -> int | None:
        row = self._db.execute(
            "SELECT seq FROM objects WHERE account = ? AND kind = ? AND id = ?", (account, kind, identifier)
        ).fetchone()
        return None if row is None else int(row[0])

    def select(
        self,
        account: str,
        kind: str,
        equal: dict[str, Any] | None = None,
        *,
        created: dict[str, int] | None = None,
        before: int | None = None,
        after: int | None = None,
        limit: int | None = None,
        oldest_first: bool = False,
    ) -> list[Obj]:
        """Objects of a kind, newest first; `equal` compares JSON paths such as `customer` or `recurring.interval`."""
        where, values = ["account = ?", "kind = ?"], [account, kind]
        for path, value in (equal or {}).items():
            where.append(f"{_field(path)} IS ?")
            values.append(value)
        for operator, moment in (created or {}).items():
            where.append(f"created {_COMPARE[operator]} ?")
            values.append(moment)  # type: ignore[arg-type]
        if before is not None:
            where.append("seq < ?")
            values.append(before)  # type: ignore[arg-type]
        if after is not None:
            where.append("seq > ?")
            values.append(after)  # type: ignore[arg-type]
        order = "ASC" if oldest_first else "DESC"
        sql = f"SELECT body FROM objects WHERE {' AND '.join(where)} ORDER BY seq {order}"  # noqa: S608 - fixed parts
        if limit is not None:
            sql += f" LIMIT {int(limit)}"
        return [json.loads(row[0]) for row in self._db.execute(sql, values)]

    def kinds(self, account: str) -> list[tuple[str, int]]:
        """Every kind of object an account has, with how many."""
        rows = self._db.execute(
            "SELECT kind, count(*) FROM objects WHERE account = ? GROUP BY kind ORDER BY kind", (account,)
        )
        return [(str(row[0]), int(row[1])) for row in rows]

    def newest(self, limit: int, kind: str, account: str | None = None) -> list[tuple[str, Obj]]:
        """(account, object) of a kind, newest first; of one account or of all."""
        where, values = ("AND account = ? ", (account,)) if account is not None else ("", ())
        rows = self._db.execute(
            f"SELECT account, body FROM objects WHERE kind = ? {where}ORDER BY seq DESC LIMIT ?",  # noqa: S608
            (kind, *values, limit),
        )
        return [(str(row[0]), json.loads(row[1])) for row in rows]

    def about(self, identifier: str, limit: int) -> list[Obj]:
        """The newest events whose object has this id."""
        rows = self._db.execute(
            "SELECT body FROM objects WHERE kind = 'event' AND json_extract(body, '$.data.object.id') = ? "
            "ORDER BY seq DESC LIMIT ?",
            (identifier, limit),
        )
        return [json.loads(row[0]) for row in rows]

    def owner(self, identifier: str) -> tuple[str, Obj] | None:
        """(account, object) of any object by its id alone."""
        row = self._db.execute("SELECT account, body FROM objects WHERE id = ? LIMIT 1", (identifier,)).fetchone()
        return None if row is None else (str(row[0]), json.loads(row[1]))

    def balance(self, account: str, now: int) -> tuple[dict[str, int], dict[str, int]]:
        """(available, pending): the sums of the balance transactions by currency."""
        sums: tuple[dict[str, int], dict[str, int]] = ({}, {})
        for pending, currency, net in self._db.execute(
            "SELECT json_extract(body, '$.available_on') > ?, json_extract(body, '$.currency'), "
            "sum(json_extract(body, '$.net')) FROM objects WHERE account = ? AND kind = 'balance_transaction' "
            "GROUP BY 1, 2",
            (now, account),
        ):
            sums[pending][currency] = net
        return sums

    # timers

    def set_timer(self, name: str, due: int, action: str, account: str, target: str, test_clock: str = "") -> None:
        self._db.execute(
            "INSERT INTO timers (name, test_clock, due, action, account, target) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET due = excluded.due, test_clock = excluded.test_clock",
            (name, test_clock, due, action, account, target),
        )

    def drop_timer(self, name: str) -> None:
        self._db.execute("DELETE FROM timers WHERE name = ?", (name,))

    def take_due(self, test_clock: str, moment: int) -> tuple[int, str, str, str] | None:
        """The earliest timer due by `moment`, removed: (due, action, account, target)."""
        row = self._db.execute(
            "SELECT seq, due, action, account, target FROM timers WHERE test_clock = ? AND due <= ? "
            "ORDER BY due, seq LIMIT 1",
            (test_clock, moment),
        ).fetchone()
        if row is None:
            return None
        self._db.execute("DELETE FROM timers WHERE seq = ?", (row[0],))
        return int(row[1]), str(row[2]), str(row[3]), str(row[4])

    # idempotency

    def reply(self, account: str, key: str) -> tuple[str, int, str] | None:
        row = self._db.execute(
            "SELECT request, status, body FROM replies WHERE account = ? AND key = ?", (account, key)
        ).fetchone()
        return None if row is None else (str(row[0]), int(row[1]), str(row[2]))

    def keep_reply(self, account: str, key: str, request: str, status: int, body: str, now: int) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?, ?, ?)", (account, key, request, status, body, now)
        )

    def forget_replies(self, before: int) -> None:
        self._db.execute("DELETE FROM replies WHERE created < ?", (before,))

    # webhook deliveries

    def enqueue(self, endpoint: str, event: str, body: str, lane: int) -> None:
        """Queue one delivery; those of a lane are sent one after the other."""
        self._enqueued = True
        self._db.execute(
            "INSERT INTO deliveries (endpoint, event, body, lane) VALUES (?, ?, ?, ?)", (endpoint, event, body, lane)
        )

    def waiting(
        self, now: float, limit: int, lane: int | None = None, held: Sequence[str] = ()
    ) -> list[tuple[int, str, str, int]]:
        """Deliveries whose time has come, oldest event first: (seq, endpoint, body, attempts); of one lane or all, none
        for the endpoints that are held."""
        where = "done = 0 AND next_at <= ?"
        values: list[Any] = [now]
        if lane is not None:
            where += " AND lane = ?"
            values.append(lane)
        if held:
            where += f" AND endpoint NOT IN ({', '.join('?' * len(held))})"
            values += held
        rows = self._db.execute(
            f"SELECT seq, endpoint, body, attempts FROM deliveries WHERE {where} ORDER BY seq LIMIT ?",  # noqa: S608
            (*values, limit),
        ).fetchall()
        return [(int(row[0]), str(row[1]), str(row[2]), int(row[3])) for row in rows]

    def next_delivery(self, lane: int) -> float | None:
        """When the lane's next delivery is due; None when nothing waits."""
        row = self._db.execute("SELECT min(next_at) FROM deliveries WHERE lane = ? AND done = 0", (lane,)).fetchone()
        return None if row[0] is None else float(row[0])

    def undelivered(self, event: str | None = None) -> int:
        where, values = ("", ()) if event is None else (" AND event = ?", (event,))
        row = self._db.execute(f"SELECT count(*) FROM deliveries WHERE done = 0{where}", values).fetchone()  # noqa: S608
        return int(row[0])

    def delivered(self, seq: int) -> None:
        self._db.execute("UPDATE deliveries SET done = 1, attempts = attempts + 1 WHERE seq = ?", (seq,))

    def postpone(self, seq: int, until: float, *, attempted: bool = True) -> None:
        self._db.execute(
            "UPDATE deliveries SET attempts = attempts + ?, next_at = ? WHERE seq = ?", (int(attempted), until, seq)
        )

    # settings that survive a restart

    def meta(self, key: str, default: Any = None) -> Any:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return default if row is None else json.loads(row[0])

    def set_meta(self, key: str, value: Any) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))


class Arrivals:
    """Wakes whoever waits for something to deliver."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0

    def seen(self) -> int:
        return self._count

    def announce(self) -> None:
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait(self, seen: int, seconds: float) -> None:
        """Until something new was announced after `seen`, or the time is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._count != seen, seconds)


_COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "eq": "="}


def _object(row: tuple[str] | None) -> Obj | None:
    return None if row is None else json.loads(row[0])
