"""The load client (native/wsload.c) and the peers it is turned on."""

from __future__ import annotations

import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from creator_hub.embedded.engine import free_port

HERE = Path(__file__).parent
ROOT = HERE.parent
RESULTS = HERE / "results"
START_PATIENCE_S = 60.0


def build() -> None:
    """Compile the load client and the bare send() loop, install the Node peer."""
    subprocess.run(["make", "-s", "-C", HERE / "native"], check=True)
    if not (HERE / "node" / "node_modules" / "socket.io").is_dir():
        subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=HERE / "node", check=True)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def load(*, connections: int, port: int | str, pid: int | str, arguments: list[str]) -> dict[str, Any]:
    """Run the client; what it measured. Raises when it could not connect everybody."""
    command = [str(RESULTS / "wsload"), "--port", str(port), "--pid", str(pid), "--conns", str(connections), *arguments]
    ran = subprocess.run([*command, "--limit", "300"], capture_output=True, text=True, check=False)
    if not ran.stdout.strip().endswith("}"):
        raise RuntimeError(f"the load client failed ({ran.returncode}): {ran.stderr[-500:]}")
    told: dict[str, Any] = json.loads(ran.stdout)
    told["complaints"] = ran.stderr.strip()
    return told


def phases(kind: str, argument: float, rounds: int, seconds: float) -> list[str]:
    return ["--phase", f"{kind}:{argument}:0.3:{seconds}"] * rounds


def median(told: dict[str, Any], field: str, argument: float) -> float:
    return statistics.median(phase[field] for phase in told["phases"] if phase["arg"] == argument)


@contextmanager
def peer(kind: str) -> Iterator[tuple[int, int]]:
    """Start one server of a kind (fast, stock, node, loop): its port and the process that holds the sockets."""
    port = free_port()
    env = {**os.environ, "EDGE": kind, "PORT": str(port), "HUB_WEB_PROCESSES": "1"}
    command = {
        "node": ["node", str(HERE / "node" / "peer.js"), str(port)],
        "loop": [str(RESULTS / "sendloop"), str(port)],
    }.get(kind, [sys.executable, "-m", "gunicorn", "-c", "creator_hub/gunicorn.py", "benchmarks.bare:app"])
    process = subprocess.Popen(command, cwd=ROOT, env=env)
    try:
        _await(port, http=kind in ("fast", "stock"))
        yield port, (worker_of(process.pid) if kind in ("fast", "stock") else process.pid)
    finally:
        process.terminate()
        process.wait()


def worker_of(pid: int) -> int:
    """gunicorn's one worker."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def _await(port: int, *, http: bool) -> None:
    """Until it listens; gunicorn listens before its worker is there, so that one is asked for a page."""
    deadline = time.monotonic() + START_PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if http:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/who", timeout=5)
            else:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not start")
