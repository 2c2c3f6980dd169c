"""The webhook door: whoever knocks without the right signature, or at the wrong time, is not let in."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from creator_hub import cli
from creator_hub.core import outbox
from creator_hub.core.db import unit_of_work
from creator_hub.core.outbox import OutboxMessage
from creator_hub.money import inbox
from creator_hub.money.billing_models import StripeEvent
from creator_hub.settings import SANDBOX_CONNECT_WEBHOOK_SECRET, SANDBOX_WEBHOOK_SECRET
from creator_hub.stripe_sandbox.webhooks import signature
from tests.support.client import Browser

EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "invoice.paid",
    "created": 1_790_000_000,
    "data": {"object": {"id": "in_1"}},
}


def knock(
    app: Flask, *, secret: str = SANDBOX_WEBHOOK_SECRET, age: int = 0, path: str = "stripe", **fields: str
) -> TestResponse:
    body = json.dumps({**EVENT, **fields}).encode()
    header = signature(secret, body, int(time.time()) - age)
    return app.test_client().post(f"/api/v1/webhooks/{path}", data=body, headers={"Stripe-Signature": header})


def stored() -> tuple[int, int]:
    """How many events are kept, and how much work they ask for."""
    with unit_of_work() as session:
        jobs = select(func.count()).where(OutboxMessage.topic == inbox.TOPIC)
        return session.scalars(select(func.count(StripeEvent.id))).one(), session.scalars(jobs).one()


def test_a_signed_event_is_kept_and_asks_for_its_work_once_however_often_it_comes(app: Flask) -> None:
    assert [knock(app).status_code for _ in range(3)] == [200, 200, 200]
    assert stored() == (1, 1)


def test_an_event_that_means_nothing_here_is_kept_and_asks_for_no_work(app: Flask) -> None:
    assert knock(app, type="payment_intent.created").status_code == 200
    assert stored() == (1, 0)


@pytest.mark.parametrize("age", [301, -301, 100_000])
def test_a_signature_from_the_past_or_the_future_is_refused(app: Flask, age: int) -> None:
    answer = knock(app, age=age)
    assert (answer.status_code, answer.json["code"]) == (400, "bad_signature")
    assert stored() == (0, 0)


def test_a_wrong_or_missing_signature_is_refused(app: Flask) -> None:
    assert knock(app, secret="whsec_guess").json["code"] == "bad_signature"
    assert knock(app, secret=SANDBOX_CONNECT_WEBHOOK_SECRET).json["code"] == "bad_signature"
    for header in ("", "t=,v1=", "nonsense", f"t={int(time.time())}"):
        answer = app.test_client().post("/api/v1/webhooks/stripe", data=b"{}", headers={"Stripe-Signature": header})
        assert (answer.status_code, answer.json["code"]) == (400, "bad_signature")
    assert stored() == (0, 0)


def test_each_door_has_its_own_secret(app: Flask) -> None:
    assert knock(app, path="stripe-connect", secret=SANDBOX_CONNECT_WEBHOOK_SECRET).status_code == 200
    assert knock(app, path="stripe-connect").json["code"] == "bad_signature"


def test_a_replay_asks_for_the_work_again(app: Flask) -> None:
    knock(app)
    with unit_of_work() as session:
        inbox.replay(session, "evt_1")
    assert stored() == (1, 2)


def test_an_event_that_fails_three_times_is_shown_to_finance_and_holds_nobody_up(
    app: Flask, browser: Callable[[], Browser]
) -> None:
    fay = browser()
    fay.sign_up_with_roles("fay", ["finance"])
    knock(app)
    with unit_of_work() as session:
        row = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == inbox.TOPIC)).one()
        for _ in range(3):
            outbox.begin(session, row.id)
            outbox.mark_failed(session, row.id, "KeyError: 'amount_due'")
    (stuck,) = fay.get("/finance/quarantine").json["items"]
    assert (stuck["event"], stuck["type"], stuck["error"]) == ("evt_1", "invoice.paid", "KeyError: 'amount_due'")
    assert "evt_1" in fay.page("/finance").get_data(as_text=True)
    assert fay.post(f"/finance/quarantine/{stuck['id']}/retry").status_code == 204
    assert fay.get("/finance/quarantine").json["items"] == []
    assert fay.post(f"/finance/quarantine/{stuck['id']}/retry").status_code == 404


def test_a_range_is_replayed_by_stripes_own_dates(app: Flask) -> None:
    knock(app)
    knock(app, id="evt_2", type="payment_intent.created")
    cli.install(app)
    runner = app.test_cli_runner()
    told = runner.invoke(args=["stripe", "replay", "--from", "2026-09-01", "--to", "2026-10-01"])
    assert told.output == "asked for 1 again\n", told.output
    assert runner.invoke(args=["stripe", "replay"]).exit_code == 2
    assert stored() == (2, 2)
