"""What Mei's figures say of money that really went through Checkout, renewal, decline and refund."""

from __future__ import annotations

from typing import Any

from tests.money.conftest import Shop
from tests.support.subscribers import catch_up
from tests.support.till import Till


def overview(shop: Shop) -> dict[str, Any]:
    catch_up()
    return dict(shop.mei.get("/groups/mei/insights/overview?days=60").json)


def test_a_payment_counts_at_once_and_a_refund_is_a_departure(till: Till, shop: Shop) -> None:
    ana = shop.subscriber("ana")
    shop.subscriber("bo", tier=shop.gold)
    paid = overview(shop)
    assert paid["members"]["paying"] == 2
    assert paid["mrr"]["amount_minor"] == 1200 + 12_000 // 12
    payment = ana.get("/me/payments").json["items"][0]["id"]
    assert shop.mei.post(f"/payments/{payment}/refunds", {"reason": "Changed her mind"}).status_code == 201
    till.settle()
    after = overview(shop)
    assert after["departures"]["refunded"] == 1
    assert after["mrr"]["amount_minor"] == 1000
    (cohort,) = shop.mei.get("/groups/mei/insights/cohorts").json["rows"]
    assert (cohort["size"], cohort["retained"][0]) == (2, 1)
    assert cohort["revenue"][0]["amount_minor"] == 12_000
    (month,) = shop.mei.get("/groups/mei/insights/revenue?months=1").json["rows"]
    assert (month["paid"]["amount_minor"], month["refunded"]["amount_minor"]) == (13_200, 1200)


def test_a_renewal_keeps_paying_and_a_decline_brings_grace_then_a_failed_payment(till: Till, shop: Shop) -> None:
    shop.subscriber("ana")
    till.days_pass(32)
    renewed = overview(shop)
    assert (renewed["members"]["paying"], renewed["movement"]["churn"]["amount_minor"]) == (1, 0)
    till.control("decline_next", code="insufficient_funds", count=20)
    till.days_pass(31)
    late = overview(shop)
    assert (late["members"]["paying"], late["members"]["grace"], late["mrr"]["amount_minor"]) == (0, 1, 0)
    till.days_pass(16)
    gone = overview(shop)
    assert gone["departures"] == {"voluntary": 0, "payment_failed": 1, "refunded": 0, "banned": 0}
