"""Secrets are never logged: canaries through every route, with the database whole and broken, and through every job."""

from __future__ import annotations

import dataclasses
import re
import uuid
from collections.abc import Callable

import pytest
from flask import Flask
from marshmallow import fields
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

import workers.bindings  # noqa: F401 - fills JOBS
from creator_hub import settings as configuration
from creator_hub.core import logs, mail, outbox
from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import JOBS, ROUTES, Route
from creator_hub.core.outbox import OutboxMessage
from tests.support.client import API, Browser
from workers import jobs

Open = Callable[[], Browser]
SIGN = "c4n4ry"
MADE: list[str] = []


def canary(kind: str) -> str:
    """A secret that does not look like one, so that nothing is cut out of a log before it can be found there."""
    made = f"{SIGN}-{kind}-{uuid.uuid4().hex[:12]}"
    MADE.append(made)
    return made


class Told:
    """Everything this process has logged or printed."""

    def __init__(self, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
        self._caplog, self._capfd, self._printed = caplog, capfd, ""

    def text(self) -> str:
        self._printed += "".join(self._capfd.readouterr())
        return self._caplog.text + self._printed


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Told:
    caplog.set_level("DEBUG")
    MADE.clear()
    return Told(caplog, capfd)


def body_of(route: Route) -> dict[str, object]:
    """Every field as what it may be that is secret: text with a canary, and a field nobody declared."""
    body: dict[str, object] = {canary("field"): canary("unknown")}
    if route.body is None:
        return body
    for name, field in route.body.fields.items():
        if isinstance(field, fields.Email) or name == "email":
            body[name] = f"{canary('mailbox')}@example.test"
        elif name == "handle":
            body[name] = f"{SIGN}{uuid.uuid4().hex[:12]}"
        else:
            body[name] = canary(name)
    if route.body.fields:
        del body[next(iter(body))]
    return body


def path_of(route: Route) -> str:
    path = re.sub(r"<uuid:\w+>", lambda _: str(uuid.uuid4()), route.path)
    return re.sub(r"<\w+>", lambda _: canary("path"), path)


def through_every_route(app: Flask, person: Browser) -> int:
    """Ask each route as nobody, with a dead token and as somebody; returns how many were asked."""
    for route in ROUTES:
        body = None if route.method in ("GET", "DELETE") else body_of(route)
        for who in (app.test_client(), person._client):
            headers = {
                "X-CSRF-Token": canary("csrf") if who is not person._client else person._csrf,
                "Idempotency-Key": canary("key"),
                "Stripe-Signature": canary("signature"),
                "Referer": f"https://hub.test/reset-password/{canary('referer')}",
            }
            who.open(
                f"{path_of(route)}?token={canary('query')}", method=route.method, json=body, headers=headers
            ).close()
        dead = {"Authorization": f"Bearer {canary('token')}", "Cookie": f"hub_session={canary('cookie')}"}
        app.test_client(use_cookies=False).open(path_of(route), method=route.method, json=body, headers=dead).close()
    return len(ROUTES)


def assert_silent(told: Told) -> None:
    logged = told.text()
    assert [secret for secret in MADE if secret in logged] == []


@pytest.fixture
def ana(browser: Open) -> Browser:
    ana = browser()
    ana.sign_up("ana")
    MADE.extend([ana.cookie("hub_session") or "", ana._csrf, "correct-horse-battery", "ana@example.test"])
    return ana


def test_no_route_logs_what_it_was_sent(app: Flask, ana: Browser, told: Told) -> None:
    assert through_every_route(app, ana) > 100
    assert len(MADE) > 1_000
    assert_silent(told)


def test_no_route_logs_what_it_was_sent_when_everything_breaks(app: Flask, ana: Browser, told: Told) -> None:
    token = ana.post("/me/tokens", {"name": "bot"}).json["token"]
    MADE.append(token)
    with unit_of_work() as session:
        for table in ("groups", "channels", "invites", "tiers", "password_resets", "email_changes", "subscriptions"):
            session.execute(text(f"ALTER TABLE {table} RENAME TO broken_{table}"))
    through_every_route(app, ana)
    assert '"event": "unexpected"' in told.text()
    with unit_of_work() as session:
        session.execute(text("ALTER TABLE users RENAME TO broken_users"))
    through_every_route(app, ana)
    app.test_client().get(API + "/me", headers={"Authorization": f"Bearer {token}"})
    assert_silent(told)


def errors_of_failed_jobs(payloads: dict[str, dict[str, str]]) -> list[str]:
    with unit_of_work() as session:
        for topic, payload in payloads.items():
            outbox.record(session, topic, payload)
    with unit_of_work() as session:
        rows = session.scalars(select(OutboxMessage.id)).all()
    for row in rows:
        jobs.run(str(row))
    with unit_of_work() as session:
        return [row.error for row in session.scalars(select(OutboxMessage)) if row.error]


def a_mail() -> dict[str, str]:
    return {
        "to": f"{canary('mailbox')}@example.test",
        "subject": canary("subject"),
        "text": f"https://hub.test/reset-password/{canary('link')}",
    }


def test_no_job_tells_its_secrets_in_the_log_or_on_its_row(app: Flask, told: Told) -> None:
    payload = {name: canary(name) for name in ("email", "url", "passcode", "token", "event_id")} | a_mail()
    errors = errors_of_failed_jobs(dict.fromkeys(JOBS.keys() - {mail.TOPIC}, payload))
    assert errors
    assert [secret for secret in MADE for error in errors if secret in error] == []
    assert_silent(told)


@pytest.mark.parametrize(
    "mail_url", ["file:///proc/no/place", "smtp://hub:{}@127.0.0.1:1", "smtps://hub:{}@127.0.0.1:1"]
)
def test_a_mail_that_cannot_be_sent_tells_neither_its_link_nor_the_servers_password(
    app: Flask, told: Told, mail_url: str
) -> None:
    now = configuration.current()
    configuration.use(dataclasses.replace(now, mail_url=mail_url.format(canary("password"))))
    errors = errors_of_failed_jobs({mail.TOPIC: a_mail()})
    assert len(errors) == 1
    assert [secret for secret in MADE for error in errors if secret in error] == []
    assert_silent(told)


@pytest.mark.parametrize(
    "secret",
    [
        "ana.b+c@example.test",
        "hub_7C1KffwXHv7ZPZXCNDxfC-6k-WGfQZFVLIin3hyammo",
        "sk_live_51Nabcdefghijkl",
        "whsec_abcdefgh123",
        "xUuP6cWc4w9rvpXzCNDxfC-6k-WGfQZFVLIin3hyamm",
        "hub:letmein",
        "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$aGFzaA",
    ],
)
def test_what_looks_like_a_secret_is_cut_out_of_every_text(secret: str) -> None:
    for around in (
        "{}",
        "x {} y",
        "smtp://{}@mail.test:25/",
        "https://hub.test/reset-password/{}",
        'Key (k)=("{}")',
        "\n{}\n",
    ):
        if secret == "hub:letmein" and "@" not in around:
            continue
        assert secret not in logs.scrub(around.format(secret))


def test_what_is_no_secret_stays_readable() -> None:
    for harmless in (
        "01a211cc-3c5e-75fb-8589-f045e990d6c5",
        'File "/srv/hub/creator_hub/accounts/sessions.py", line 69, in actor_for_token',
        "ledger transaction evt_1/payment has 3 legs that sum to 5",
        "2026-11-25T08:22:07.223092Z",
    ):
        assert logs.scrub(harmless) == harmless


def test_the_values_of_a_broken_constraint_are_not_logged(database: str) -> None:
    kept = {"value": "c4n4ry-passcode"}
    with unit_of_work() as session:
        session.execute(text("CREATE TABLE kept (secret TEXT UNIQUE)"))
        session.execute(text("INSERT INTO kept VALUES (:value)"), kept)
    with unit_of_work() as session, pytest.raises(IntegrityError) as broken:
        session.execute(text("INSERT INTO kept VALUES (:value)"), kept)
    assert kept["value"] in str(broken.value)
    assert kept["value"] not in logs.scrub(str(broken.value))
