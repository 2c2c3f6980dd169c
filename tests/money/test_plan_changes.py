"""Another tier, a pause: what is shown before is what happens, and nobody is surprised."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from creator_hub.core.schemas import rfc3339
from creator_hub.money import bills, gateway
from tests.money.conftest import Shop
from tests.money.test_checkout import kinds, rank_of
from tests.money.test_subscriptions import mine
from tests.support.client import Browser
from tests.support.till import Till


@pytest.fixture
def platinum(shop: Shop) -> str:
    """A dearer monthly tier."""
    terms = {"name": "Platinum", "price": {"amount_minor": 3000, "currency": "USD"}, "interval": "month", "rank": 3}
    tier = str(shop.mei.post("/groups/mei/tiers", terms).json["id"])
    shop.till.settle()
    return tier


def path(fan: Browser, verb: str) -> str:
    return f"/subscriptions/{mine(fan)['id']}/{verb}"


def preview(fan: Browser, tier: str) -> dict[str, Any]:
    answer = fan.post(path(fan, "preview"), {"tier_id": tier})
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def minor(money: Any) -> int:
    return int(money["amount_minor"])


def test_an_upgrade_costs_to_the_cent_what_was_shown_and_opens_at_once(till: Till, shop: Shop, platinum: str) -> None:
    ana = shop.subscriber("ana")
    till.days_pass(10.3)
    shown = preview(ana, platinum)
    assert shown["is_now"] is True
    assert 0 < minor(shown["charge"]) < 3000
    page = ana.page(f"/billing/change/{mine(ana)['id']}?tier={platinum}").get_data(as_text=True)
    assert "Charged now" in page
    assert "Platinum opens at once" in page
    changed = ana.post(path(ana, "change"), {"tier_id": platinum, "as_of": shown["as_of"]})
    assert (changed.status_code, changed.json["tier"]["name"]) == (200, "Platinum"), changed.json
    assert rank_of(ana) == 3
    till.settle()
    latest = ana.get("/me/payments").json["items"][0]
    charge = gateway.ask(lambda at: at.v1.charges.list({"limit": 1}))["data"][0]
    assert charge["amount"] == minor(shown["charge"])
    assert minor(latest["amount"]) - minor(shown["unused"]) == minor(shown["charge"])
    till.days_pass(0.001)
    balances = dict(kinds())
    assert balances["fan_credit"] == 0
    came_in = balances["processor"] + balances["processor_fee"] + balances["bank"]
    assert came_in == 1200 + minor(shown["charge"])
    till.days_pass(31)
    assert ana.get("/me/payments").json["items"][0]["amount"]["amount_minor"] == 3000


def test_a_declined_upgrade_changes_nothing(till: Till, shop: Shop, platinum: str) -> None:
    ana = shop.subscriber("ana")
    till.control("decline_next", code="insufficient_funds", count=1)
    refused = ana.post(path(ana, "change"), {"tier_id": platinum})
    assert (refused.status_code, refused.json["code"]) == (402, "payment_declined")
    till.settle()
    assert (mine(ana)["tier"]["name"], rank_of(ana)) == ("Silver", 1)
    assert len(ana.get("/me/payments").json["items"]) == 1


def test_a_downgrade_waits_for_what_is_paid_and_can_be_taken_back(till: Till, shop: Shop, platinum: str) -> None:
    ana = shop.subscriber("ana", tier=platinum)
    shown = preview(ana, shop.silver)
    assert (shown["is_now"], minor(shown["charge"]), shown["as_of"]) == (False, 1200, None)
    assert shown["effective_at"] == mine(ana)["current_period_end"]
    for _ in range(2):
        planned = ana.post(path(ana, "change"), {"tier_id": shop.silver}).json
        assert (planned["tier"]["name"], planned["pending_tier"]["name"]) == ("Platinum", "Silver")
        back = ana.post(path(ana, "change"), {"tier_id": platinum}).json
        assert back["pending_tier"] is None
    ana.post(path(ana, "change"), {"tier_id": shop.silver})
    till.settle()
    assert rank_of(ana) == 3
    till.days_pass(32)
    assert (mine(ana)["tier"]["name"], mine(ana)["pending_tier"], rank_of(ana)) == ("Silver", None, 1)
    assert [minor(row["amount"]) for row in ana.get("/me/payments").json["items"]] == [1200, 3000]


def test_changes_that_make_no_sense_are_refused(till: Till, shop: Shop, platinum: str) -> None:
    ana, bo = shop.subscriber("ana"), till.browser("bo")
    codes = {
        shop.silver: (409, "same_tier"),
        ana.get("/groups/mei/tiers").json["items"][0]["id"]: (404, "not_found"),
    }
    for tier, expected in codes.items():
        answer = ana.post(path(ana, "change"), {"tier_id": tier})
        assert (answer.status_code, answer.json["code"]) == expected
    assert bo.post(path(ana, "change"), {"tier_id": platinum}).status_code == 404
    stale = ana.post(path(ana, "change"), {"tier_id": platinum, "as_of": 1_700_000_000})
    assert (stale.status_code, stale.json["code"]) == (409, "preview_expired")
    shop.mei.patch(f"/tiers/{platinum}", {"seat_limit": 1})
    shop.subscriber("chen", tier=platinum)
    assert ana.post(path(ana, "preview"), {"tier_id": platinum}).json["code"] == "tier_full"
    shop.mei.delete(f"/tiers/{platinum}")
    assert ana.post(path(ana, "preview"), {"tier_id": platinum}).status_code == 410


def test_a_pause_charges_nothing_and_gives_the_paid_days_back_afterwards(till: Till, shop: Shop) -> None:
    ana = shop.subscriber("ana")
    till.days_pass(10)
    paused = ana.post(path(ana, "pause"))
    assert (paused.status_code, paused.json["state"]) == (200, "paused")
    till.settle()
    assert rank_of(ana) == -1
    till.days_pass(60)
    assert len(ana.get("/me/payments").json["items"]) == 1
    assert ana.post(path(ana, "pause")).json["code"] == "not_running"
    resumed = ana.post(path(ana, "resume"))
    assert (resumed.status_code, resumed.json["state"]) == (200, "active"), resumed.json
    till.settle()
    assert rank_of(ana) == 1
    till.days_pass(18)
    assert (len(ana.get("/me/payments").json["items"]), rank_of(ana)) == (1, 1)
    till.days_pass(5)
    assert (len(ana.get("/me/payments").json["items"]), mine(ana)["state"]) == (2, "active")


def test_a_pause_with_a_date_ends_by_itself(till: Till, shop: Shop) -> None:
    ana = shop.subscriber("ana")
    till.days_pass(10)
    with unit_of_work():
        until = clock.now() + timedelta(days=40)
    assert ana.post(path(ana, "pause"), {"until": rfc3339(until)}).json["state"] == "paused"
    till.days_pass(41)
    assert (mine(ana)["state"], rank_of(ana)) == ("active", 1)
    till.days_pass(15)
    assert len(ana.get("/me/payments").json["items"]) == 1
    too_long = ana.post(path(ana, "pause"), {"until": rfc3339(until + timedelta(days=999))})
    assert (too_long.status_code, list(too_long.json["errors"])) == (422, ["until"])


def test_the_creator_sees_disputes_with_their_deadline(till: Till, shop: Shop) -> None:
    shop.subscriber("ana", card="4000000000000259")
    till.days_pass(0.01)
    (dispute,) = shop.mei.get("/groups/mei/disputes").json["items"]
    assert (dispute["user"]["handle"], dispute["state"], minor(dispute["amount"])) == ("ana", "needs_response", 1200)
    assert dispute["due_by"] > dispute["opened_at"]
    assert till.people["ana"].get("/groups/mei/disputes").status_code in (403, 404)
    charge = gateway.ask(lambda at: at.v1.charges.list({"limit": 1}))["data"][0]["id"]
    till.control("dispute", charge=charge, action="win")
    till.settle()
    assert shop.mei.get("/groups/mei/disputes").json["items"][0]["state"] == "won"


@given(
    amounts=st.lists(st.integers(-50_000, 50_000).filter(bool), min_size=1, max_size=6),
    cut=st.integers(0, 100),
    balance=st.integers(0, 30_000),
)
@how(suppress_health_check=[HealthCheck.too_slow])
def test_a_bill_always_adds_up(amounts: list[int], cut: int, balance: int) -> None:
    discounts = [amount * cut // 100 if amount > 0 else 0 for amount in amounts]
    total = sum(amounts) - sum(discounts)
    due = max(0, total - balance)
    lines = [
        {
            "amount": amount,
            "description": "",
            "discount_amounts": [{"amount": discount, "discount": "di"}],
            "parent": None,
            "period": {"start": 0, "end": 100 + number},
            "pricing": None,
        }
        for number, (amount, discount) in enumerate(zip(amounts, discounts, strict=True))
    ]
    invoice = {"id": "in", "currency": "usd", "lines": {"data": lines}, "total": total, "amount_due": due}
    bill = bills.read(invoice)
    assert bill.new - bill.old == bill.due + bill.credit_spent - bill.credit_given
    assert min(bill.due, bill.credit_spent, bill.credit_given, bill.discount) >= 0
    with pytest.raises(ValueError, match="do not make"):
        bills.read({**invoice, "total": total + 1})
