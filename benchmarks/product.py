"""The whole way of a message: permission checked, stored, acknowledged, fanned out by two web processes."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.load import RESULTS, load, median, phases
from benchmarks.world import World, hub

PEOPLE = 2_000
MISSED = 50


def product(rounds: int, seconds: float) -> None:
    with hub(PEOPLE) as world:
        one, many = _file("one", [world.one]), _file("many", world.many)
        bare = bare_commits(world.database, 200)
        print(f"one bare INSERT + COMMIT on this disk                 {bare * 1000:8.2f} ms", flush=True)
        told = _run(world, one, PEOPLE, phases("rate", 25, rounds, seconds))
        _last("2,000 sockets, one channel, 25 messages/s", told, 25)
        told = _run(world, many, PEOPLE, phases("rate", 500, rounds, seconds))
        _last("40 channels of 50, 500 messages/s", told, 500)
        storms = [_storm(world, one) for _ in range(rounds)]
        slowest = statistics.median(storm["conn_s"] for storm in storms)
        errors = sum(storm["errs"] + storm["conn_failed"] for storm in storms)
        said = next((storm["complaints"][:99] for storm in storms if storm["complaints"]), "")
        print(
            f"2,000 come back, {MISSED} missed each: caught up in {slowest:.2f} s; {errors} errors {said}", flush=True
        )
        _accepted("one channel", _run(world, one, 200, [*phases("closed", 64, rounds, seconds), "--by-ack"]), 64)
        _accepted("40 channels", _run(world, many, 400, [*phases("closed", 160, rounds, seconds), "--by-ack"]), 160)


def _accepted(what: str, told: dict[str, Any], flight: int) -> None:
    if not told["phases"]:
        print(f"sends stored and acknowledged, {what}: not measured: {told['complaints'][:200]}", flush=True)
        return
    print(
        f"sends stored and acknowledged, {what}: {median(told, 'acks_per_s', flight):8,.0f}/s; "
        f"ack p99 {median(told, 'ack_p99_ms', flight):7.1f} ms{_complaint(told)}",
        flush=True,
    )


def _last(what: str, told: dict[str, Any], rate: float) -> None:
    if not told["phases"]:
        print(f"{what}: not measured: {told['complaints'][:200]}", flush=True)
        return
    lost = sum(phase["unfinished"] for phase in told["phases"])
    print(
        f"{what}: last receipt median {median(told, 'last_p50_ms', rate):7.1f} ms, "
        f"p99 {median(told, 'last_p99_ms', rate):7.1f} ms; ack p99 {median(told, 'ack_p99_ms', rate):7.1f} ms; "
        f"{lost} lost{_complaint(told)}",
        flush=True,
    )


def _complaint(told: dict[str, Any]) -> str:
    refused = sum(phase["acks_refused"] for phase in told["phases"])
    return f"; {refused} refused: {told['complaints'][:200]}" if refused or told["errs"] else ""


def _run(world: World, channels: Path, connections: int, arguments: list[str]) -> dict[str, Any]:
    return load(
        connections=connections, port=world.ports, pid=world.pids, arguments=["--hub", str(channels), *arguments]
    )


def _storm(world: World, channels: Path) -> dict[str, Any]:
    before = world.say(MISSED)
    return _run(world, channels, PEOPLE, ["--storm", "--after", str(before), "--expect", str(MISSED)])


def _file(name: str, ids: list[Any]) -> Path:
    path = RESULTS / f"{name}.channels"
    path.write_text("".join(f"{one}\n" for one in ids))
    return path


def bare_commits(database: str, count: int) -> float:
    """Median seconds of a single-row transaction: what durability alone costs here."""
    taken = []
    with psycopg.connect(database.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE bench (n int)")
        for n in range(count):
            began = time.perf_counter()
            connection.execute("INSERT INTO bench VALUES (%s)", (n,))
            connection.commit()
            taken.append(time.perf_counter() - began)
    return statistics.median(taken)
