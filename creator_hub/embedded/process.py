"""Child processes that never outlive whoever started them, free ports and kept passwords."""

from __future__ import annotations

import ctypes
import os
import secrets
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PASSWORD_BYTES = 24

_libc = ctypes.CDLL(None, use_errno=True)


class EngineError(RuntimeError):
    """An engine cannot be started; the message says what to do and where its log is."""


def _die_with(parent: int, death_signal: int) -> Callable[[], None]:
    """Runs in the child between fork and exec: the kernel sends `death_signal` when the parent is gone, even by kill -9."""

    def arm() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:  # the parent died before the arming
            os._exit(1)

    return arm


def spawn(
    command: Sequence[str],
    log: Path,
    *,
    death_signal: int = signal.SIGTERM,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in a process group of its own, output appended to `log`.

    Its own group, so that Ctrl-C at the terminal reaches the launcher alone, which then ends everybody in the right
    order. Call it from the main thread: the death signal is tied to the thread that forks.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - the callers' commands are fixed lists, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            start_new_session=True,
            preexec_fn=_die_with(os.getpid(), death_signal),  # noqa: PLW1509 - prctl only, no lock is taken
        )


def end(process: subprocess.Popen[bytes], how: int, *, patience: float) -> None:
    """Ask with `how`; after `patience` seconds kill the whole group. Returns when the process is gone."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            kill_group(process.pid)
    process.wait()


def kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def free_port() -> int:
    """A TCP port on the loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kept_password(file: Path) -> str:
    """The password in `file`, made on first use; the file is never readable by anybody else, not even for a moment."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write(secrets.token_urlsafe(PASSWORD_BYTES))
    return file.read_text()


def tail(log: Path, lines: int = 5) -> str:
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
