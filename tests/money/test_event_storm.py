"""Stripe's events delivered many times, shuffled, several at once, with workers that die in the middle: the books and
the access end as if each had come once and in order.

The short form runs with the other tests; `make faults` delivers over 1,000 events ten times (HUB_STORM_FANS).
"""

from __future__ import annotations

import os
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, text

from creator_hub import settings
from creator_hub.core import db
from creator_hub.core.db import unit_of_work
from creator_hub.core.errors import Unavailable
from creator_hub.groups.models import Entitlement
from creator_hub.money import events, gateway, inbox, ledger, recognition
from creator_hub.money.billing_models import Payment, StripeEvent, Subscription
from creator_hub.money.ledger_models import LedgerAccount, LedgerTransaction, Posting
from tests.money.conftest import Shop
from tests.support.engines import Engines
from tests.support.till import VISA

FANS = int(os.environ.get("HUB_STORM_FANS", "3"))
DELIVERIES, HANDS, KILLS = (10, 8, 0.02) if FANS > 3 else (3, 4, 0.05)


class Killed(BaseException):
    """A worker died here: nothing that it had not committed is left."""


def live(shop: Shop) -> list[dict[str, Any]]:
    """What fans do while the hub hears nothing of it; all events of it, in order."""
    shop.till.control("webhooks", mode="drop", count=100_000)
    for number in range(FANS):
        fan = shop.till.browser(f"fan{number}")
        tier = (shop.silver, shop.gold)[number % 2]
        visit = fan.post(f"/tiers/{tier}/checkout").json["session_id"]
        assert shop.till.pay(visit, "4000000000000259" if number % 4 == 2 else VISA)["_status"] == 200
    heard = heard_so_far()
    for _ in range(2):
        shop.till.control("advance", seconds=20 * 86_400)
        heard |= heard_so_far()
    charges = gateway.ask(lambda at: at.v1.charges.list({"limit": 100}))["data"]
    subscriptions = gateway.ask(lambda at: at.v1.subscriptions.list({"limit": 100}))["data"]
    for number, charge in enumerate(charge for charge in charges if not charge["disputed"]):
        if number % 3 == 0:
            gateway.ask(lambda at, charge=charge: at.v1.refunds.create({"charge": charge["id"], "amount": 300}))
    for number, subscription in enumerate(subscriptions):
        if number % 3 == 1:
            name = subscription["id"]
            gateway.ask(lambda at, name=name: at.v1.subscriptions.update(name, {"cancel_at_period_end": True}))
    for _ in range(2):
        shop.till.control("advance", seconds=18 * 86_400)
        heard |= heard_so_far()
    return [event for event in heard.values() if events.concerns(event["type"])]


def heard_so_far() -> dict[str, dict[str, Any]]:
    """The events that Stripe still lists (it keeps them for 30 days), the oldest first, by their ids."""
    found: list[dict[str, Any]] = []
    while True:
        params: Any = {"limit": 100, **({"starting_after": found[-1]["id"]} if found else {})}
        page = gateway.ask(lambda at, params=params: at.v1.events.list(params))
        found += page["data"]
        if not page["has_more"]:
            return {event["id"]: event for event in reversed(found)}


def follow(event_id: str) -> bool:
    """One try of the work of an event; False when it has to come back."""
    try:
        events.follow(event_id)
    except (Unavailable, Killed):
        return False
    return True


def books() -> dict[str, Any]:
    """Everything that money and access are made of, but for when it was recorded and in which order."""
    with unit_of_work() as session:
        while recognition.earn_due(session):
            session.flush()
        assert ledger.check(session) == []
        entries = session.execute(
            select(LedgerTransaction.source, LedgerTransaction.kind, LedgerTransaction.occurred_at, LedgerAccount.kind)
            .add_columns(LedgerAccount.owner_id, LedgerAccount.place, Posting.amount_minor)
            .join(Posting, Posting.transaction_id == LedgerTransaction.id)
            .join(LedgerAccount, LedgerAccount.id == Posting.account_id)
            .order_by(LedgerTransaction.source, LedgerTransaction.kind, Posting.line)
        ).all()
        access = session.execute(
            select(Entitlement.source_id, Entitlement.user_id, Entitlement.tier_id, Entitlement.starts_at)
            .add_columns(Entitlement.ended_reason)
            .order_by(Entitlement.source_id)
        ).all()
        subscriptions = session.execute(
            select(Subscription.stripe_id, Subscription.state, Subscription.current_period_end)
            .add_columns(Subscription.ended_reason, Subscription.cancel_at_period_end)
            .order_by(Subscription.stripe_id)
        ).all()
        payments = session.execute(
            select(Payment.invoice_id, Payment.charge_id, Payment.gross_minor, Payment.refunded_minor)
            .add_columns(Payment.unearned_fee_minor, Payment.unearned_creator_minor, Payment.months_earned)
            .order_by(Payment.invoice_id)
        ).all()
    return {
        "entries": [tuple(row) for row in entries],
        "access": [tuple(row) for row in access],
        "subscriptions": [tuple(row) for row in subscriptions],
        "payments": [tuple(row) for row in payments],
    }


def until_done(waiting: list[str]) -> None:
    """What came before its cause comes back, as often as it takes."""
    for _ in range(50):
        waiting = [event_id for event_id in waiting if not follow(event_id)]
        if not waiting:
            return
    raise AssertionError(f"never done: {waiting}")


@pytest.mark.timeout(120 if FANS <= 3 else 3600)
def test_any_order_any_number_of_times_with_deaths_between_is_the_in_order_run(
    shop: Shop, engines: Engines, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = live(shop)
    with unit_of_work() as session:
        session.execute(text("INSERT INTO clock_offset VALUES (1, :s) ON CONFLICT (id) DO NOTHING"), {"s": 76 * 86_400})
    name = database.rpartition("/")[2].partition("?")[0]
    db.dispose()
    with engines.admin() as connection:
        connection.execute(f"CREATE DATABASE {name}_b TEMPLATE {name} STRATEGY file_copy")
    try:
        db.configure(database)
        with unit_of_work() as session:
            for event in heard:
                inbox.store(session, event)
        until_done([event["id"] for event in heard])
        in_order = books()
        assert len(in_order["payments"]) >= FANS

        db.dispose()
        db.configure(engines.database_url(f"{name}_b"), pool_size=HANDS)
        seed = random.randrange(10**9)  # noqa: S311
        print(f"seed {seed}")
        chance = random.Random(seed)  # noqa: S311 - a shuffle, no secret
        shuffled = [event for event in heard for _ in range(DELIVERIES)]
        chance.shuffle(shuffled)
        ask = gateway.ask

        def die_sometimes(call: Any) -> Any:
            if chance.random() < KILLS:
                raise Killed
            answer = ask(call)
            if chance.random() < KILLS:
                raise Killed
            return answer

        monkeypatch.setattr(gateway, "ask", die_sometimes)

        def deliver(event: dict[str, Any]) -> str | None:
            with unit_of_work() as session:
                inbox.store(session, event)
            return None if follow(event["id"]) else event["id"]

        with ThreadPoolExecutor(HANDS) as hands:
            lost = [event_id for event_id in hands.map(deliver, shuffled) if event_id is not None]
        until_done(lost)
        monkeypatch.setattr(gateway, "ask", ask)
        ids = [event["id"] for event in heard]
        with unit_of_work() as session:
            stored = session.scalars(select(StripeEvent.id).where(StripeEvent.id.in_(ids))).all()
        assert sorted(stored) == sorted(ids)
        assert books() == in_order
        until_done(ids)  # a replay of everything changes nothing
        assert books() == in_order
    finally:
        db.dispose()
        with engines.admin() as connection:
            connection.execute(f"DROP DATABASE {name}_b WITH (FORCE)")
        db.configure(database)
        assert settings.current().uses_sandbox
