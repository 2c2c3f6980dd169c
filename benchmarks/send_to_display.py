"""From "send" to "everybody has it": two web processes, real sockets, against the limit this machine sets.

The named limit, measured in the same run: one bare INSERT + COMMIT on the same PostgreSQL over the same driver. Prints
medians and 99th percentiles in milliseconds, and the ratio to that limit.

    python -m benchmarks.send_to_display --fans 20 --messages 200
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import psycopg

from creator_hub.core import migrate
from creator_hub.embedded import EmbeddedPostgres, EmbeddedValkey
from tests.support.hub import Fan, Web, eventually


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fans", type=int, default=20)
    parser.add_argument("--messages", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        postgres, valkey = EmbeddedPostgres(Path(folder) / "postgres"), EmbeddedValkey(Path(folder) / "valkey")
        database, redis = postgres.start(), valkey.start()
        migrate.upgrade(database)
        env = {"DATABASE_URL": database, "REDIS_URL": redis, "HUB_DATA_DIR": folder}
        webs = (Web(env), Web(env))
        try:
            limit = bare_commits(database, asked.messages)
            acks, displays = chat(webs, asked.fans, asked.messages)
        finally:
            for web in webs:
                web.kill()
            valkey.stop()
            postgres.stop()
    report("bare INSERT + COMMIT", limit, limit)
    report("send → acknowledged", acks, limit)
    report(f"send → last of {asked.fans} fans has it", displays, limit)


def bare_commits(database: str, count: int) -> list[float]:
    """Seconds of single-row transactions: what durability alone costs here."""
    taken = []
    with psycopg.connect(database.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE bench (n int)")
        for n in range(count):
            began = time.perf_counter()
            connection.execute("INSERT INTO bench VALUES (%s)", (n,))
            connection.commit()
            taken.append(time.perf_counter() - began)
    return taken


def chat(webs: tuple[Web, Web], fans: int, messages: int) -> tuple[list[float], list[float]]:
    """Seconds to the acknowledgement and to the last display, one message at a time."""
    mei = Fan("mei").sign_up(webs[0])
    mei.post(webs[0], "/groups", handle="mei", name="Mei", about="", currency="USD")
    channel = mei.http.get(webs[0].url + "/api/v1/groups/mei/channels").json()["items"][0]["id"]
    people = [Fan(f"fan{n}").sign_up(webs[n % 2]) for n in range(fans)]
    for n, fan in enumerate(people):
        fan.post(webs[n % 2], "/groups/mei/join")
        fan.connect(webs[n % 2]).join(channel)
    before = {fan.handle: len(fan.texts(channel)) for fan in people}
    acks, displays = [], []
    for n in range(messages):
        sender = people[n % len(people)]
        began = time.perf_counter()
        assert sender.say(channel, f"message {n}")["ok"]
        acks.append(time.perf_counter() - began)
        eventually(lambda n=n: all(len(f.texts(channel)) - before[f.handle] > n for f in people), "all have it")
        displays.append(time.perf_counter() - began)
    for fan in people:
        fan.leave()
    return acks, displays


def report(what: str, seconds: list[float], limit: list[float]) -> None:
    median, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
    ratio = median / statistics.median(limit)
    print(f"{what:40s} median {median * 1000:7.2f} ms   p99 {p99 * 1000:7.2f} ms   {ratio:6.1f} × the limit")


if __name__ == "__main__":
    main()
