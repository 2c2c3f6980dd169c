"""The socket edge alone against Socket.IO on Node and a bare send() loop in C: one core each, the same client."""

from __future__ import annotations

from typing import Any

from benchmarks.load import load, median, peer, phases

KINDS = ("fast", "node", "loop")
GROUPS, OF = 100, 20
LADDER = (500, 1000, 2000, 4000, 6000, 8000, 12000)
BOUND_MS = 50


def broadcast(sizes: tuple[int, ...], rounds: int, seconds: float) -> None:
    """Deliveries a second of a 200-byte message, with one and with eight on their way; memory of an idle socket."""
    for size in sizes:
        told = {kind: _one(kind, size, rounds, seconds) for kind in KINDS}
        for flight in (1, 8):
            rate = {kind: median(told[kind], "deliveries_per_s", flight) for kind in KINDS}
            per_cpu = {
                kind: median(told[kind], "deliveries_per_s", flight) / max(median(told[kind], "srv_cpu", flight), 0.01)
                for kind in KINDS
            }
            print(
                f"{size:6,} sockets, {flight} in flight   edge {rate['fast']:11,.0f}/s   "
                f"node {rate['node']:9,.0f}/s (× {rate['fast'] / rate['node']:5.2f})   "
                f"loop {rate['loop']:9,.0f}/s ({rate['fast'] / rate['loop']:5.0%})   "
                f"per CPU second × {per_cpu['fast'] / per_cpu['node']:5.2f}, {per_cpu['fast'] / per_cpu['loop']:5.0%}",
                flush=True,
            )
        idle = {kind: told[kind]["kb_per_conn"] for kind in ("fast", "node")}
        print(
            f"{size:6,} sockets, idle          edge {idle['fast']:8.1f} kB     node {idle['node']:6.1f} kB", flush=True
        )


def _one(kind: str, size: int, rounds: int, seconds: float) -> dict[str, Any]:
    with peer(kind) as (port, pid):
        arguments = [*phases("closed", 1, rounds, seconds), *phases("closed", 8, rounds, seconds)]
        if kind == "loop":
            arguments += ["--proto", "raw"]
        return load(connections=size, port=port, pid=pid, arguments=arguments)


def small_rooms(rounds: int, seconds: float) -> None:
    """Messages a second that a hundred rooms of twenty take with the last receipt's 99th percentile within bounds."""
    best = {kind: _ladder(kind, rounds, seconds) for kind in ("fast", "node")}
    print(
        f"{GROUPS} rooms of {OF}, p99 of the last receipt ≤ {BOUND_MS} ms   edge {best['fast']:6,}/s   "
        f"node {best['node']:6,}/s",
        flush=True,
    )


def _ladder(kind: str, rounds: int, seconds: float) -> int:
    held = 0
    with peer(kind) as (port, pid):
        for rate in LADDER:
            told = load(
                connections=GROUPS * OF,
                port=port,
                pid=pid,
                arguments=["--groups", str(GROUPS), *phases("rate", rate, rounds, seconds)],
            )
            if median(told, "last_p99_ms", rate) > BOUND_MS or median(told, "unfinished", rate):
                break
            held = rate
    return held
