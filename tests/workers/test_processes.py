"""`python -m workers` as it is run: what a request asked for later is done, also when a worker dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from creator_hub.core.db import unit_of_work
from creator_hub.insights.models import MemberFact
from creator_hub.settings import Settings
from tests.support.client import Browser
from tests.support.hub import ROOT, eventually

# Three interpreters start, while other tests use the same cores.
START_PATIENCE_S = 180.0
Open = Callable[[], Browser]


@pytest.fixture
def workers(settings: Settings, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    env = {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "HUB_DATA_DIR": str(settings.data_dir),
    }
    with (tmp_path / "workers.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers"], cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True
        )
    yield process
    process.terminate()
    assert process.wait(20) == 0


def mails(settings: Settings) -> list[str]:
    return [path.read_text() for path in (settings.data_dir / "mail").glob("*.eml")]


def ask_for_a_reset(browser: Open, handle: str) -> None:
    assert browser().post("/password-resets", {"email": f"{handle}@example.test"}).status_code == 202


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_mail_that_a_request_asked_for_is_sent_once(
    browser: Open, workers: subprocess.Popen[bytes], settings: Settings
) -> None:
    browser().sign_up("ana")
    ask_for_a_reset(browser, "ana")
    (mail,) = eventually(lambda: mails(settings), "the mail was sent", START_PATIENCE_S)
    assert "To: ana@example.test" in mail
    assert "/reset" in mail


def test_a_mail_is_sent_although_every_role_was_killed(
    browser: Open, workers: subprocess.Popen[bytes], settings: Settings
) -> None:
    browser().sign_up("ana")
    roles = eventually(lambda: len(found := children(workers.pid)) >= 4 and found, "the roles run")
    for role in roles:
        os.kill(role, signal.SIGKILL)
    ask_for_a_reset(browser, "ana")
    eventually(lambda: mails(settings), "the mail was sent", START_PATIENCE_S)


def test_who_joins_shows_in_the_figures_before_long(browser: Open, workers: subprocess.Popen[bytes]) -> None:
    mei, ana = browser(), browser()
    mei.sign_up("mei")
    mei.post("/groups", {"handle": "mei", "name": "Mei", "about": "", "currency": "USD"})
    ana.sign_up("ana")
    assert ana.post("/groups/mei/join").status_code == 201

    def known() -> bool:
        with unit_of_work() as session:
            return session.scalar(select(MemberFact.user_id)) is not None

    eventually(known, "the worker took the join over", START_PATIENCE_S)
    assert mei.get("/groups/mei/insights/overview").json["joins"] == 1
