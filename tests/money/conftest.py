"""Mei's shop: two paid tiers, a channel for members, and the sandbox to pay at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from creator_hub.core.db import unit_of_work
from creator_hub.money import gateway, poller
from tests.support.client import Browser
from tests.support.till import VISA, Till, open_till


@dataclass
class Shop:
    """Ids of what Mei sells, and short verbs."""

    till: Till
    mei: Browser
    silver: str
    gold: str
    lounge: str

    def subscriber(self, handle: str, card: str = VISA, tier: str = "") -> Browser:
        """A fan who has subscribed to silver (or `tier`) and is in."""
        fan = self.till.browser(handle)
        session_id = fan.post(f"/tiers/{tier or self.silver}/checkout").json["session_id"]
        assert self.till.pay(session_id, card)["_status"] == 200
        self.till.settle()
        return fan

    def poll(self) -> None:
        """What the schedule and a worker do once a minute."""
        with unit_of_work() as session:
            poller.ask_for_poll(session)
        self.till.settle()

    def stripe_subscription_of_somebody_else(self) -> dict[str, Any]:
        """Another product's subscription on the same Stripe account."""
        customer = gateway.ask(lambda at: at.v1.customers.create({"email": "else@where.test"}))
        card = gateway.ask(lambda at: at.v1.payment_methods.attach("pm_card_visa", {"customer": customer["id"]}))
        product = gateway.ask(lambda at: at.v1.products.create({"name": "Another shop"}))
        return gateway.ask(
            lambda at: at.v1.subscriptions.create(
                {
                    "customer": customer["id"],
                    "default_payment_method": card["id"],
                    "items": [
                        {
                            "price_data": {
                                "currency": "usd",
                                "product": product["id"],
                                "unit_amount": 900,
                                "recurring": {"interval": "month"},
                            }
                        }
                    ],
                }
            )
        )


@pytest.fixture
def till(database: str, redis_url: str, tmp_path: Path) -> Iterator[Till]:
    environment = {"DATABASE_URL": database, "REDIS_URL": redis_url, "HUB_DATA_DIR": str(tmp_path)}
    with open_till(environment, tmp_path / "stripe") as opened:
        yield opened


@pytest.fixture
def shop(till: Till) -> Shop:
    mei = till.browser("mei")
    assert mei.post("/groups", {"handle": "mei", "name": "Mei", "currency": "USD"}).status_code == 201
    silver, gold = (_tier(mei, *terms) for terms in (("Silver", 1200, "month", 1), ("Gold", 12_000, "year", 2)))
    lounge = mei.post("/groups/mei/channels", {"name": "lounge", "min_tier_rank": 1}).json["id"]
    till.settle()
    return Shop(till, mei, silver, gold, lounge)


def _tier(mei: Browser, name: str, price: int, interval: str, rank: int) -> str:
    terms = {"name": name, "price": {"amount_minor": price, "currency": "USD"}, "interval": interval, "rank": rank}
    answer = mei.post("/groups/mei/tiers", terms)
    assert answer.status_code == 201, answer.json
    return str(answer.json["id"])
