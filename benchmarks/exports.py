"""A million rows of the ledger as CSV and XLSX, against the limit: PostgreSQL's own COPY of the same rows to stdout.

Each file is made in a process of its own, so that its peak memory is its own. Prints seconds, ratios to COPY and
megabytes, and fails when a promised bar is missed (CSV 20 s, XLSX 120 s, 150 MB each).

    python -m benchmarks.exports --rows 1000000
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
import uuid
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from creator_hub import settings
from creator_hub.accounts.models import User
from creator_hub.core import clock, db, migrate
from creator_hub.core.access import Actor
from creator_hub.core.db import unit_of_work
from creator_hub.core.ids import new_id
from creator_hub.embedded import EmbeddedPostgres
from creator_hub.money import exports, ledger
from creator_hub.money.ledger import Leg
from creator_hub.settings import Settings

BARS = {"csv": 20, "xlsx": 120}
MOST_MB = 150
COPY = """
COPY (
    SELECT t.position, t.id, p.line, t.occurred_at, t.recorded_at, t.source, t.kind, a.kind, a.owner_id, a.place,
           p.currency, p.amount_minor, t.memo
    FROM ledger_transactions t
    JOIN postings p ON p.transaction_id = t.id
    JOIN ledger_accounts a ON a.id = p.account_id
    ORDER BY t.position, p.line
) TO STDOUT WITH (FORMAT csv, HEADER)
"""
FILL = text(
    """
    WITH pattern AS (SELECT * FROM ledger_transactions LIMIT 1),
    made AS (
        INSERT INTO ledger_transactions (id, source, kind, currency, occurred_at, recorded_at, memo)
        SELECT gen_random_uuid(), 'in_' || n, kind, currency, occurred_at, recorded_at, 'Month ' || n
        FROM pattern, generate_series(1, :entries) n RETURNING id
    )
    INSERT INTO postings (transaction_id, line, account_id, currency, amount_minor)
    SELECT made.id, line, account_id, postings.currency, amount_minor
    FROM made, postings WHERE transaction_id = (SELECT id FROM pattern)
    """
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        url = postgres.start()
        try:
            fay = fill(url, folder, rows)
            limit = copied(url)
            print(f"{rows:,} rows  COPY TO STDOUT {limit:6.1f} s")
            missed = [form for form in BARS if not report(form, limit, made(url, folder, fay, form))]
        finally:
            postgres.stop()
    if missed:
        raise SystemExit(f"missed: {', '.join(missed)}")


def use(url: str, folder: str) -> None:
    settings.use(Settings.from_env({"DATABASE_URL": url, "HUB_DATA_DIR": folder}))
    db.configure(url)


def fill(url: str, folder: str, rows: int) -> uuid.UUID:
    """A ledger of `rows` postings, four to an entry; returns who of finance will ask."""
    migrate.upgrade(url)
    use(url, folder)
    with unit_of_work() as session:
        mei, fay = person(session, "mei"), person(session, "fay")
        ledger.post(
            session,
            source="in_0",
            kind="payment",
            currency="USD",
            occurred_at=clock.now(),
            legs=[
                Leg(ledger.processor("USD"), 1200),
                Leg(ledger.tax_payable("USD", "DE"), -200),
                Leg(ledger.platform_fee("USD"), -100),
                Leg(ledger.creator_payable("USD", mei.id), -900),
            ],
        )
    with unit_of_work() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        session.execute(FILL, {"entries": rows // 4 - 1})
    with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))
    db.dispose()
    return fay.id


def person(session: Session, handle: str) -> User:
    user = User(
        id=new_id(),
        email=f"{handle}@example.test",
        handle=handle,
        display_name=handle,
        password_hash="",
        created_at=clock.now(),
    )
    session.add(user)
    session.flush()
    return user


def copied(url: str) -> float:
    """Seconds that PostgreSQL needs to hand the same rows over."""
    began = time.perf_counter()
    with (
        psycopg.connect(url.replace("+psycopg", "")) as connection,
        connection.cursor() as cursor,
        cursor.copy(COPY) as rows,
        open("/dev/null", "wb") as nowhere,
    ):
        for block in rows:
            nowhere.write(block)
    return time.perf_counter() - began


def made(url: str, folder: str, fay: uuid.UUID, form: str) -> tuple[float, float]:
    """Seconds and peak megabytes of making one file, in a fresh process."""
    ours, theirs = multiprocessing.Pipe()
    maker = multiprocessing.get_context("spawn").Process(target=_make, args=(url, folder, fay, form, theirs))
    maker.start()
    theirs.close()
    taken: tuple[float, float] = ours.recv()
    maker.join()
    return taken


def _make(url: str, folder: str, fay: uuid.UUID, form: str, tell: Connection) -> None:
    use(url, folder)
    with unit_of_work() as session:
        asked = exports.ask(
            session,
            Actor(user_id=fay, roles=frozenset({"finance"})),
            kind="ledger",
            format=form,
            period_from=datetime(2020, 1, 1, tzinfo=UTC),
            period_to=datetime(2100, 1, 1, tzinfo=UTC),
            currency="USD",
            creator_id=None,
        )
    began = time.perf_counter()
    exports.make(asked.id)
    taken = time.perf_counter() - began
    with unit_of_work() as session:
        assert exports.by_id(session, asked.id).state == "ready"
    tell.send((taken, peak_megabytes()))


def peak_megabytes() -> float:
    """Of this program alone: what getrusage says begins with the peak of whoever started it."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def report(form: str, limit: float, taken: tuple[float, float]) -> bool:
    seconds, megabytes = taken
    print(f"{form:>24} {seconds:10.1f} s   {seconds / limit:5.1f} × COPY   peak {megabytes:4.0f} MB")
    return seconds < BARS[form] and megabytes < MOST_MB


if __name__ == "__main__":
    main()
