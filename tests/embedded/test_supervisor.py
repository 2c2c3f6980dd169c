"""What `make run` promises of its processes: whichever dies comes back, and all of them end, in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from creator_hub.embedded.engine import wait_until
from creator_hub.run import Child, Supervisor, stop_recorded

WAIT = "import signal; signal.pause()"
SAY_GOODBYE = """
import signal, sys
def bye(*_):
    with open(sys.argv[1], "a") as file:
        file.write(sys.argv[2] + "\\n")
    sys.exit()
signal.signal(signal.SIGTERM, bye)
signal.signal(signal.SIGINT, bye)
print("ready", flush=True)
signal.pause()
"""
LAUNCHER = """
import subprocess, sys
from pathlib import Path
from creator_hub.run import Child, Supervisor
def start():
    return subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
supervisor = Supervisor(Path(sys.argv[1]))
supervisor.add(Child("one", start))
print(supervisor.children[0].process.pid, flush=True)
supervisor.watch()
"""


def python(*arguments: str) -> Callable[[], subprocess.Popen[bytes]]:
    return lambda: subprocess.Popen([sys.executable, "-c", *arguments], start_new_session=True)


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def soon(condition: Callable[[], bool]) -> bool:
    return wait_until(condition, time.monotonic() + 20)


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, heard: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path / "launcher.pid", say=heard.append)
    yield supervisor
    supervisor.stop()


def test_a_killed_process_is_started_again_and_the_launcher_says_so(supervisor: Supervisor, heard: list[str]) -> None:
    supervisor.add(Child("web", python(WAIT)))
    watching = threading.Thread(target=supervisor.watch)
    watching.start()
    (child,) = supervisor.children
    assert child.process is not None
    first = child.process.pid
    os.kill(first, signal.SIGKILL)
    assert soon(lambda: child.process is not None and child.process.pid != first and runs(child.process.pid))
    assert heard == ["web ended (-9); starting it again"]
    supervisor.stop()
    watching.join()
    assert not runs(child.process.pid)


def test_processes_end_in_the_reverse_of_their_order(supervisor: Supervisor, tmp_path: Path) -> None:
    goodbyes = tmp_path / "goodbyes"
    for name in ("postgres", "sandbox", "web"):
        child = Child(name, lambda name=name: _until_ready(name, goodbyes))  # type: ignore[misc]
        supervisor.add(child)
    supervisor.stop()
    assert goodbyes.read_text().split() == ["web", "sandbox", "postgres"]
    assert not supervisor.pid_file.exists()


def test_stop_ends_what_a_killed_launcher_left_behind(tmp_path: Path) -> None:
    pid_file = tmp_path / "launcher.pid"
    with subprocess.Popen([sys.executable, "-c", LAUNCHER, str(pid_file)], stdout=subprocess.PIPE) as launcher:
        assert launcher.stdout is not None
        orphan = int(launcher.stdout.readline())
        launcher.kill()
    assert runs(orphan)
    stop_recorded(pid_file)
    assert soon(lambda: not runs(orphan))
    assert not pid_file.exists()


def test_stop_leaves_a_stranger_alone_who_was_given_an_old_pid(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WAIT], start_new_session=True) as stranger:
        pid_file = tmp_path / "launcher.pid"
        pid_file.write_text(f"{stranger.pid} 1\n{stranger.pid} 1")
        stop_recorded(pid_file)
        assert stranger.poll() is None
        stranger.kill()


def _until_ready(name: str, goodbyes: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", SAY_GOODBYE, str(goodbyes), name], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    with process.stdout:
        process.stdout.readline()
    return process
