"""Retention over a synthetic world: a full rebuild, a day's increment, the dashboard, and DuckDB on the same question.

The world comes from a seed: memberships over 36 months in ten groups, the largest with three tenths of them, renewed
every 30 days until somebody stops, and activity facts in the last 60 days. Prints seconds. DuckDB (`pip install
duckdb`) is asked for the same cohort table over the same facts, and the answers are compared before the times are.

    python -m benchmarks.retention --memberships 20000 --facts 20
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import select

from creator_hub.app import create_app
from creator_hub.core import db, migrate
from creator_hub.core.db import unit_of_work
from creator_hub.embedded import EmbeddedPostgres, EmbeddedValkey
from creator_hub.groups.models import Group
from creator_hub.insights import cohorts, service
from creator_hub.insights.models import PersonChange
from creator_hub.insights.periods import periods_up_to
from creator_hub.insights.reading import moment_of
from creator_hub.insights.rollups import PAID
from creator_hub.settings import Settings
from tests.support.client import Browser
from tests.support.world import a_group, a_person, a_tier

try:
    import duckdb
except ImportError:
    duckdb = None

GROUPS, LARGEST = 10, "g0"
# Rows go in without triggers and foreign keys: they are consistent, and making the world is not what is measured.
WORLD = """
SET session_replication_role = replica;
SELECT setseed(0.42);
CREATE TEMP TABLE m AS
SELECT n, gen_random_uuid() AS user_id, gen_random_uuid() AS sub_id, gen_random_uuid() AS price_id,
    'g' || CASE WHEN random() < 0.3 THEN 0 ELSE 1 + floor(random() * 9)::int END AS handle,
    now() - random() * interval '1080 days' AS start, 1 + floor(ln(1 - random()) / ln(0.9))::int AS months
FROM generate_series(1, {memberships}) n;
CREATE TEMP TABLE w AS
SELECT m.*, g.id AS group_id, g.owner_id, t.id AS tier_id, start + months * interval '30 days' > now() AS runs,
    LEAST(months, 1 + floor(extract(epoch FROM now() - start) / 2592000)::int) AS paid
FROM m JOIN groups g ON g.handle = m.handle JOIN tiers t ON t.group_id = g.id AND t.rank = 1;
INSERT INTO users (id, email, handle, display_name, password_hash, roles, settings, created_at)
SELECT user_id, 'u' || n || '@bench.test', 'u' || n, 'U' || n, '', '{{}}', '{{}}', start FROM w;
INSERT INTO memberships (id, group_id, user_id, role, since) SELECT gen_random_uuid(), group_id, user_id, 'member', start FROM w;
INSERT INTO entitlements (id, group_id, user_id, tier_id, source, source_id, starts_at, ends_at, ended_reason)
SELECT gen_random_uuid(), group_id, user_id, tier_id, 'subscription', sub_id::text, start,
    start + paid * interval '30 days' + CASE WHEN runs THEN interval '14 days' ELSE interval '0' END,
    CASE WHEN runs THEN NULL ELSE 'expired' END FROM w;
INSERT INTO subscriptions (id, user_id, group_id, tier_id, stripe_id, state, price_minor, currency, interval, started_at,
    current_period_start, current_period_end, cancel_at_period_end, fetched_at)
SELECT sub_id, user_id, group_id, tier_id, sub_id::text, CASE WHEN runs THEN 'active' ELSE 'ended' END, 500, 'USD', 'month',
    start, start + (paid - 1) * interval '30 days', start + paid * interval '30 days', false, now() FROM w;
INSERT INTO payments (id, subscription_id, user_id, group_id, tier_id, creator_id, invoice_id, currency, gross_minor,
    tax_minor, fee_minor, creator_minor, refunded_minor, tax_place, tax_bps, credit_minor, unearned_fee_minor,
    unearned_creator_minor, months, months_earned, period_start, period_end, paid_at)
SELECT gen_random_uuid(), sub_id, user_id, group_id, tier_id, owner_id, sub_id || '-' || k, 'USD', 500, 0, 0, 500, 0, '', 0, 0,
    0, 0, 0, 0, start + k * interval '30 days', start + (k + 1) * interval '30 days', start + k * interval '30 days'
FROM w, generate_series(0, paid - 1) k;
INSERT INTO activity_marks (group_id, at, user_id, kind, times)
SELECT group_id, date_bin('15 minutes', now() - random() * interval '60 days', timestamptz '2000-01-01Z'), user_id,
    CASE WHEN random() < 0.7 THEN 'visit' ELSE 'message' END, 1
FROM w, generate_series(1, {facts}) ON CONFLICT DO NOTHING;
"""  # noqa: E501
# A day in the life of every group: one in thirty renews, with every trigger awake.
DAY = """
WITH due AS (
    SELECT s.id, s.current_period_end AS until FROM subscriptions s WHERE s.state = 'active' ORDER BY s.current_period_end
    LIMIT (SELECT count(*) / 30 FROM subscriptions WHERE state = 'active')
), paid AS (
    INSERT INTO payments (id, subscription_id, user_id, group_id, tier_id, creator_id, invoice_id, currency, gross_minor,
        tax_minor, fee_minor, creator_minor, refunded_minor, tax_place, tax_bps, credit_minor, unearned_fee_minor,
        unearned_creator_minor, months, months_earned, period_start, period_end, paid_at)
    SELECT gen_random_uuid(), s.id, s.user_id, s.group_id, s.tier_id, g.owner_id, s.id || '-day', 'USD', 500, 0, 0, 500, 0, '',
        0, 0, 0, 0, 0, 0, due.until, due.until + interval '30 days', due.until
    FROM due JOIN subscriptions s ON s.id = due.id JOIN groups g ON g.id = s.group_id RETURNING subscription_id, period_end
)
UPDATE entitlements e SET ends_at = paid.period_end + interval '14 days'
FROM paid WHERE e.source = 'subscription' AND e.source_id = paid.subscription_id::text
"""  # noqa: E501
COHORTS = """
WITH ends AS (
    SELECT month, least(month + INTERVAL 1 MONTH - INTERVAL 1 MICROSECOND, TIMESTAMP '{now}') AS moment
    FROM (SELECT unnest(generate_series(TIMESTAMP '{first}', TIMESTAMP '{last}', INTERVAL 1 MONTH)) AS month)
)
SELECT date_trunc('month', f.first_paid_day)::date AS cohort, ends.month::date AS month, count(*) AS people
FROM steps s JOIN facts f USING (user_id) JOIN ends ON s."at" <= ends.moment AND (s."until" IS NULL OR ends.moment < s."until")
WHERE s.state = 'paying' AND f.first_paid_day >= DATE '{first}' GROUP BY 1, 2
"""  # noqa: E501


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memberships", type=int, default=20_000)
    parser.add_argument("--facts", type=int, default=20, help="activity facts per membership")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres", durable=False)
        valkey = EmbeddedValkey(Path(folder) / "valkey")
        url, redis = postgres.start(), valkey.start()
        try:
            migrate.upgrade(url)
            config = Settings.from_env({"DATABASE_URL": url, "REDIS_URL": redis, "HUB_DATA_DIR": folder})
            run(create_app(config), url.replace("+psycopg", ""), Path(folder), asked.memberships, asked.facts)
        finally:
            db.dispose()
            valkey.stop()
            postgres.stop()


def run(app: Any, url: str, folder: Path, memberships: int, facts: int) -> None:
    with unit_of_work() as session:
        for n in range(GROUPS):
            a_tier(session, a_group(session, a_person(session, f"g{n}"), f"g{n}"))
    with psycopg.connect(url, autocommit=True) as connection:
        say("the world", timed(lambda: connection.execute(WORLD.format(memberships=memberships, facts=facts))))
        connection.execute("SET session_replication_role = DEFAULT")
        connection.execute("ANALYZE")
        rows = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("memberships", "payments", "activity_marks")
        }
        print("  ".join(f"{table} {count:,}" for table, count in rows.items()))
        full = timed(rebuild_all)
        say("full rebuild", full)
        connection.execute(DAY)
        changed = connection.execute("SELECT count(DISTINCT user_id) FROM person_changes").fetchone()[0]
        increment = timed(refresh_all)
        say(f"a day's increment, {changed:,} people", increment)
        dashboard(app)
        compare(connection, folder, full)


def rebuild_all() -> None:
    for group_id in groups():
        with unit_of_work() as session:
            service.rebuild(session, group_id)


def refresh_all() -> None:
    with unit_of_work() as session:
        changed = session.scalars(select(PersonChange.group_id).distinct()).all()
    for group_id in changed:
        with unit_of_work() as session:
            service.refresh(session, group_id)
            service.count(session, group_id)


def groups() -> list[Any]:
    with unit_of_work() as session:
        return list(session.scalars(select(Group.id).order_by(Group.id)))


def dashboard(app: Any) -> None:
    creator = Browser(app)
    assert creator.sign_in(LARGEST).status_code == 201
    times = [timed(lambda: creator.page(f"/g/{LARGEST}/dashboard")) for _ in range(10)]
    say("dashboard of the largest group, median of ten", statistics.median(times))


def compare(connection: psycopg.Connection[Any], folder: Path, full: float) -> None:
    """The cohort table from rollups and from DuckDB over the same facts: first the same numbers, then the times."""
    with unit_of_work() as session:
        group = session.scalars(select(Group).where(Group.handle == LARGEST)).one()
        moment = moment_of(session, group)
        months = periods_up_to(moment.today, 36)
        ours_s = timed(lambda: cohorts.table(session, group, moment, months, basis=PAID, grain="month"))
        ours = {
            (row.cohort, months[months.index(row.cohort) + n]): people
            for row in cohorts.table(session, group, moment, months, basis=PAID, grain="month")
            for n, people in enumerate(row.retained)
            if people
        }
        group_id = group.id
    say("cohort table from rollups", ours_s)
    if duckdb is None:
        print("DuckDB is not installed: no comparison")
        return
    export(connection, folder / "steps.csv", "SELECT user_id, at, until, state FROM membership_steps", group_id)
    export(connection, folder / "facts.csv", "SELECT user_id, first_paid_day FROM member_facts", group_id)
    duck = duckdb.connect()
    duck.execute(f"SET TimeZone = 'UTC'; CREATE TABLE facts AS FROM read_csv('{folder}/facts.csv')")
    duck.execute(
        'CREATE TABLE steps AS SELECT user_id, "at"::TIMESTAMP AS "at", "until"::TIMESTAMP AS "until", state '
        f"FROM read_csv('{folder}/steps.csv', types = {{'at': 'TIMESTAMPTZ', 'until': 'TIMESTAMPTZ'}})"
    )
    now = moment.as_of.replace(tzinfo=None)
    question = COHORTS.format(first=months[0], last=months[-1], now=now)
    theirs_s = timed(lambda: duck.execute(question).fetchall())
    theirs: dict[tuple[date, date], int] = {(c, m): n for c, m, n in duck.execute(question).fetchall()}
    assert ours == theirs, "the rollups and DuckDB disagree"
    say("the same from the facts by DuckDB", theirs_s)
    print(f"full rebuild ÷ DuckDB {full / theirs_s:,.0f}   cohort table ÷ DuckDB {ours_s / theirs_s:.2f}")


def export(connection: psycopg.Connection[Any], path: Path, query: str, group_id: Any) -> None:
    asked = f"COPY ({query} WHERE group_id = '{group_id}') TO STDOUT (FORMAT csv, HEADER)"
    with path.open("wb") as file, connection.cursor() as cursor, cursor.copy(asked) as rows:
        for row in rows:
            file.write(row)


class Seconds(float):
    """Wall-clock seconds, and how many of them this process worked: other work on the machine stretches the rest."""

    working: float


def timed(work: Callable[[], Any]) -> Seconds:
    began, began_work = time.perf_counter(), time.process_time()
    work()
    taken = Seconds(time.perf_counter() - began)
    taken.working = time.process_time() - began_work
    return taken


def say(what: str, taken: float) -> None:
    working = f"   of it working {taken.working:.2f} s" if isinstance(taken, Seconds) else ""
    print(f"{what:<52} {taken:8.2f} s{working}", flush=True)


if __name__ == "__main__":
    main()
