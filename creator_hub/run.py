"""`make run`: everything on one machine, started in order, watched, and stopped in order.

PostgreSQL, Valkey, the Stripe sandbox, migrations, the demo world, two web processes, workers. A process that dies is
started again; Ctrl-C or `make stop` ends them all. Logs lie in HUB_DATA_DIR/logs, one file per process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from creator_hub.core import migrate
from creator_hub.embedded import EmbeddedPostgres, EmbeddedValkey
from creator_hub.embedded.engine import is_free, wait_until
from creator_hub.settings import Settings

READY_PATIENCE_S = 120.0
STOP_PATIENCE_S = 15.0
WATCH_S = 0.3
LONGEST_PAUSE_S = 10.0
DEMO = """
  Hub        {url}
  Stripe     {sandbox}  (sandbox)
  Sign in    mei@demo.test (creator) · fan1@demo.test … fan5@demo.test
             finance@demo.test · finance2@demo.test · admin@demo.test
  Password   demo-demo-demo      Demo group   {url}/g/mei
  Logs       {logs}

  Ctrl-C or `make stop` ends everything; nothing is lost.
"""


@dataclass
class Child:
    """One process to keep alive. Its own process group, so that a Ctrl-C reaches the launcher alone."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    stop_signal: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    started_at: float = 0.0

    def launch(self) -> None:
        self.started_at = time.monotonic()
        self.process = self.start()

    def is_dead(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def end(self) -> None:
        """Ask, wait, then insist; the whole group goes."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        _kill_group(self.process.pid)


@dataclass
class Supervisor:
    """Starts children in order, restarts whichever dies with a growing pause, stops them in reverse."""

    pid_file: Path
    say: Callable[[str], None] = print
    children: list[Child] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def add(self, child: Child) -> None:
        child.launch()
        self.children.append(child)
        self._write_pids()

    def watch(self) -> None:
        """Keep everything alive until `stopping` is set."""
        while not self.stopping.wait(WATCH_S):
            for child in self.children:
                if child.is_dead() and not self.stopping.is_set():
                    self._revive(child)

    def _revive(self, child: Child) -> None:
        steady = time.monotonic() - child.started_at > 60
        child.deaths = 1 if steady else child.deaths + 1
        code = child.process.returncode if child.process else None
        self.say(f"{child.name} ended ({code}); starting it again")
        if child.process is not None:
            _kill_group(child.process.pid)
        self.stopping.wait(min(0.2 * 2 ** (child.deaths - 1), LONGEST_PAUSE_S))
        if self.stopping.is_set():
            return
        try:
            child.launch()
        except (OSError, RuntimeError) as error:
            self.say(f"{child.name} did not start: {error}")
        self._write_pids()

    def stop(self) -> None:
        self.stopping.set()
        for child in reversed(self.children):
            child.end()
        self.pid_file.unlink(missing_ok=True)

    def _write_pids(self) -> None:
        """The launcher first, then the children as they must be stopped, for `make stop` after a kill -9."""
        pids = [os.getpid(), *(child.process.pid for child in reversed(self.children) if child.process)]
        self.pid_file.write_text("\n".join(map(_identity, pids)))


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


@contextmanager
def step(what: str) -> Iterator[None]:
    """One progress line: what, then how long it took."""
    print(f"  {what} …", end="", flush=True)
    began = time.monotonic()
    yield
    print(f" {time.monotonic() - began:.1f} s", flush=True)


def main() -> None:
    settings = Settings.from_env({"HUB_PAYOUT_HOLD_DAYS": "0", **os.environ})
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    pid_file = settings.data_dir / "launcher.pid"
    if "stop" in sys.argv[1:]:
        stop_recorded(pid_file)
        return
    stop_recorded(pid_file)
    for name, port in (("PORT", settings.port), ("STRIPE_SANDBOX_PORT", settings.stripe_sandbox_port)):
        if not is_free(port):
            sys.exit(f"port {port} is taken: set {name} to another, or stop what listens there")
    supervisor = Supervisor(pid_file)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: supervisor.stopping.set())
    try:
        start_all(supervisor, settings)
        supervisor.watch()
    except RuntimeError as error:
        sys.exit(f"\n  {error}")
    finally:
        print("\n  stopping …", flush=True)
        supervisor.stop()


def start_all(supervisor: Supervisor, settings: Settings) -> None:
    logs = settings.data_dir / "logs"
    logs.mkdir(exist_ok=True)
    env = dict(os.environ)
    env.update(HUB_PAYOUT_HOLD_DAYS=str(settings.payout_hold_days), PYTHONUNBUFFERED="1")
    if not settings.database_url:
        with step("PostgreSQL"):
            postgres = EmbeddedPostgres(settings.data_dir / "postgres")
            postgres.log = logs / "postgres.log"
            postgres.start()
            supervisor.add(Child("PostgreSQL", _first(postgres.process, postgres.spawn), signal.SIGINT))
        env["DATABASE_URL"] = postgres.url
    if not settings.redis_url:
        with step("Valkey"):
            valkey = EmbeddedValkey(settings.data_dir / "valkey")
            valkey.log = logs / "valkey.log"
            valkey.start()
            supervisor.add(Child("Valkey", _first(valkey.process, valkey.spawn)))
        env["REDIS_URL"] = valkey.url
    if settings.uses_sandbox:
        with step("Stripe sandbox"):
            supervisor.add(Child("Stripe sandbox", _command(_sandbox(settings), env, logs / "stripe.log")))
            _await(f"http://127.0.0.1:{settings.stripe_sandbox_port}/_control/health", "the Stripe sandbox", supervisor)
    with step("Migrations"):
        migrate.upgrade(env["DATABASE_URL"])
    seeded = settings.data_dir / "demo-seeded"
    if not settings.is_production and not seeded.exists():
        with step("Demo world"):
            seed = [sys.executable, "-m", "flask", "--app", "wsgi", "demo", "seed"]
            with (logs / "seed.log").open("ab") as log:
                if subprocess.run(seed, env=env, stdout=log, stderr=log, check=False).returncode != 0:
                    raise RuntimeError(f"the demo world could not be made; see {logs / 'seed.log'}")
            seeded.touch()
    with step("Web and workers"):
        web = [sys.executable, "-m", "gunicorn", "-c", "creator_hub/gunicorn.py", "wsgi:app"]
        supervisor.add(Child("web", _command(web, env, logs / "web.log")))
        supervisor.add(Child("workers", _command([sys.executable, "-m", "workers"], env, logs / "workers.log")))
        _await(f"http://127.0.0.1:{settings.port}/readyz", "the web processes", supervisor)
    sandbox = f"http://127.0.0.1:{settings.stripe_sandbox_port}"
    print(DEMO.format(url=settings.public_url, sandbox=sandbox, logs=logs), flush=True)


def _sandbox(settings: Settings) -> list[str]:
    hooks = f"http://127.0.0.1:{settings.port}/api/v1/webhooks"
    return [
        *(sys.executable, "-m", "creator_hub.stripe_sandbox", "--port", str(settings.stripe_sandbox_port)),
        *("--data", str(settings.data_dir / "stripe")),
        *("--webhook-url", f"{hooks}/stripe", "--connect-webhook-url", f"{hooks}/stripe-connect"),
    ]


def _command(command: list[str], env: dict[str, str], log: Path) -> Callable[[], subprocess.Popen[bytes]]:
    def start() -> subprocess.Popen[bytes]:
        with log.open("ab") as file:
            return subprocess.Popen(
                command, env=env, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
            )

    return start


def _first(
    running: subprocess.Popen[bytes] | None, again: Callable[[], subprocess.Popen[bytes]]
) -> Callable[[], subprocess.Popen[bytes]]:
    """A start that hands over the process that already runs, and from the second time on starts a new one."""
    handed_over = iter([running] if running else [])
    return lambda: next(handed_over, None) or again()


def _await(url: str, what: str, supervisor: Supervisor) -> None:
    def answers() -> bool:
        if supervisor.stopping.is_set() or any(child.is_dead() for child in supervisor.children):
            raise RuntimeError(f"{what} did not start; see the logs")
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own loopback address
                return int(answer.status) == 200
        except (urllib.error.URLError, OSError):
            return False

    if not wait_until(answers, time.monotonic() + READY_PATIENCE_S):
        raise RuntimeError(f"{what} did not become ready in {READY_PATIENCE_S:.0f} s; see the logs")


def stop_recorded(pid_file: Path) -> None:
    """End what an earlier launcher started, also when that launcher itself was killed."""
    if not pid_file.exists():
        return
    launcher, *children = (line.strip() for line in pid_file.read_text().splitlines())
    if _still_runs(launcher):
        os.kill(_pid(launcher), signal.SIGTERM)
        wait_until(lambda: not _still_runs(launcher), time.monotonic() + 2 * STOP_PATIENCE_S)
    for child in filter(_still_runs, children):
        os.kill(_pid(child), signal.SIGINT)
        wait_until(lambda child=child: not _still_runs(child), time.monotonic() + STOP_PATIENCE_S)  # type: ignore[misc]
        _kill_group(_pid(child))
    pid_file.unlink(missing_ok=True)


def _identity(pid: int) -> str:
    """The pid and the tick the process began at: after a reboot the pid alone may be the machine's own PostgreSQL."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return f"{pid} gone"
    return f"{pid} gone" if state == "Z" else f"{pid} {fields[18]}"


def _pid(identity: str) -> int:
    return int(identity.split()[0])


def _still_runs(identity: str) -> bool:
    return not identity.endswith("gone") and _identity(_pid(identity)) == identity


if __name__ == "__main__":
    main()
