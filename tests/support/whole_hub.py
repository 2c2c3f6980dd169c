"""Everything `make run` starts, on ports of its own: two web processes, workers, Stripe sandbox; and its time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import func, select

from creator_hub.accounts import service as accounts
from creator_hub.core import clock, outbox
from creator_hub.core.db import unit_of_work
from creator_hub.embedded.engine import free_port
from creator_hub.money import minimum_balance
from creator_hub.money.payout_models import KeptBack
from tests.support.client import PASSWORD
from tests.support.hub import Process, Web, eventually

PATIENCE_S = 180.0


@dataclass
class WholeHub:
    """The running hub, and what its operator may do to it."""

    first: Web
    second: Web
    workers: Process
    sandbox: Process
    sandbox_url: str
    redis_url: str

    def hire(self, handle: str) -> None:
        """`flask users create --role finance`, as an operator would."""
        name = handle.capitalize()
        with unit_of_work() as session:
            accounts.sign_up(
                session,
                email=f"{handle}@example.test",
                password=PASSWORD,
                handle=handle,
                display_name=name,
                roles=("finance",),
            )

    def restart_workers(self) -> None:
        """kill -9 in whatever they are doing."""
        self.workers.kill()
        self.workers.start()

    def pass_hours(self, hours: float) -> None:
        """Only the hub's clock."""
        with unit_of_work() as session:
            clock.advance(session, timedelta(hours=hours))

    def begin_at_noon(self) -> None:
        """No story may meet midnight, when Stripe's bank payouts leave, but when it means to."""
        at = datetime.now(UTC)
        noon = at.replace(hour=12, minute=0, second=0, microsecond=0)
        self.let_pass(noon - at if noon > at else noon + timedelta(days=1) - at)

    def let_pass(self, span: timedelta) -> None:
        """Time goes by for Stripe, whose news is heard and worked on, and then for the hub."""
        seconds = int(span.total_seconds())
        answer = self.control("advance", seconds=seconds)
        assert answer.status_code == 200, answer.text
        self.settled()
        with unit_of_work() as session:
            clock.advance(session, timedelta(seconds=seconds))

    def let_pass_until(self, moment: datetime) -> None:
        with unit_of_work():
            at = clock.now()
        self.let_pass(moment - at)

    def settled(self) -> None:
        """Stripe has delivered every event, and the workers have nothing left to do."""
        eventually(self._is_settled, "all news is worked on", PATIENCE_S)

    def keeps_back_what_is_owed(self) -> None:
        """Stripe knows how much to leave in the balance when the platform's own money goes to the bank: what the
        schedule sees to once a minute is due now."""
        eventually(self._keeps_back, "Stripe is told what is owed", PATIENCE_S)

    def control(self, path: str, **body: Any) -> requests.Response:
        return requests.post(f"{self.sandbox_url}/_control/{path}", json=body, timeout=60)

    def _is_settled(self) -> bool:
        told = requests.get(f"{self.sandbox_url}/_control/webhooks", timeout=10).json()
        waiting = select(func.count()).where(
            outbox.OutboxMessage.done_at.is_(None), outbox.OutboxMessage.due_at <= clock.now()
        )
        with unit_of_work() as session:
            return told["pending"] == 0 and session.scalar(waiting) == 0

    def _keeps_back(self) -> bool:
        with unit_of_work() as session:
            minimum_balance.ask_to_keep_back(session)
            told = {row.currency: row.amount_minor for row in session.scalars(select(KeptBack))}
            return told == minimum_balance.owed(session)


@contextmanager
def whole_hub(database: str, redis_url: str, folder: Path) -> Iterator[WholeHub]:
    """Start it all; at the end everything is killed."""
    hub_port, stripe_port = free_port(), free_port()
    env = {
        "DATABASE_URL": database,
        "REDIS_URL": redis_url,
        "HUB_DATA_DIR": str(folder),
        "HUB_PAYOUT_HOLD_DAYS": "0",
        "STRIPE_SANDBOX_PORT": str(stripe_port),
        "PUBLIC_URL": f"http://127.0.0.1:{hub_port}",
    }
    hooks = f"http://127.0.0.1:{hub_port}/api/v1/webhooks/stripe"
    sandbox_url = f"http://127.0.0.1:{stripe_port}"
    with ExitStack() as running:
        sandbox = Process(
            *("creator_hub.stripe_sandbox", "--port", str(stripe_port), "--data", str(folder / "stripe")),
            *("--webhook-url", hooks, "--connect-webhook-url", f"{hooks}-connect"),
            env=env,
        )
        running.callback(sandbox.kill)
        workers = Process("workers", env=env)
        running.callback(workers.kill)
        first = Web(env, hub_port)
        running.callback(first.kill)
        second = Web(env)
        running.callback(second.kill)
        eventually(lambda: _answers(f"{sandbox_url}/_control/health"), "the sandbox is ready", PATIENCE_S)
        yield WholeHub(first, second, workers, sandbox, sandbox_url, redis_url)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.RequestException:
        return False
