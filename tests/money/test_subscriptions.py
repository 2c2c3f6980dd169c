"""A subscription's life: renewals, declines and grace, cancelling and changing one's mind, refunds and disputes."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from creator_hub.core.db import unit_of_work
from creator_hub.money import gateway, ledger
from tests.money.conftest import Shop
from tests.money.test_checkout import kinds, rank_of
from tests.support.client import Browser
from tests.support.till import Till


def mine(fan: Browser) -> dict[str, object]:
    """The fan's one subscription as the API shows it."""
    (only,) = fan.get("/me/subscriptions").json["items"]
    return only


def test_a_month_later_it_renews_and_is_paid_into_the_ledger_again(till: Till, shop: Shop) -> None:
    ana = shop.subscriber("ana")
    before = mine(ana)["current_period_end"]
    till.days_pass(32)
    assert mine(ana)["current_period_end"] > before
    assert (mine(ana)["state"], rank_of(ana)) == ("active", 1)
    assert len(ana.get("/me/payments").json["items"]) == 2
    assert dict(kinds())["creator_payable"] == -2 * 1080


def test_cancelling_keeps_the_paid_time_and_not_a_day_more(till: Till, shop: Shop) -> None:
    ana = shop.subscriber("ana")
    cancelled = ana.post(f"/subscriptions/{mine(ana)['id']}/cancel").json
    assert (cancelled["state"], cancelled["cancel_at_period_end"]) == ("cancelled", True)
    assert cancelled["access_until"] == cancelled["current_period_end"]
    till.settle()
    till.days_pass(27)
    assert rank_of(ana) == 1
    till.days_pass(5)
    assert (mine(ana)["state"], rank_of(ana)) == ("ended", -1)
    assert len(ana.get("/me/payments").json["items"]) == 1


def test_a_cancellation_can_be_taken_back(till: Till, shop: Shop) -> None:
    ana = shop.subscriber("ana")
    ana.post(f"/subscriptions/{mine(ana)['id']}/cancel")
    assert ana.post(f"/subscriptions/{mine(ana)['id']}/resume").json["state"] == "active"
    ana.post(f"/subscriptions/{mine(ana)['id']}/cancel")
    assert ana.post(f"/subscriptions/{mine(ana)['id']}/cancel", {"withdraw": True}).json["state"] == "active"
    till.days_pass(32)
    assert rank_of(ana) == 1


@pytest.mark.parametrize("how", ["leaves", "is banned"])
def test_whoever_leaves_or_is_banned_is_never_charged_again(till: Till, shop: Shop, how: str) -> None:
    ana = shop.subscriber("ana")
    if how == "leaves":
        assert ana.post("/groups/mei/leave").status_code < 300
    else:
        assert (
            shop.mei.post("/groups/mei/bans", {"user_id": ana.get("/me").json["id"], "reason": "spam"}).status_code
            < 300
        )
    till.settle()
    assert mine(ana)["cancel_at_period_end"] is True
    till.days_pass(40)
    assert mine(ana)["state"] == "ended"
    assert len(ana.get("/me/payments").json["items"]) == 1


def test_somebody_elses_subscription_does_not_exist(till: Till, shop: Shop) -> None:
    ana, bo = shop.subscriber("ana"), till.browser("bo")
    assert bo.post(f"/subscriptions/{mine(ana)['id']}/cancel").status_code == 404
    assert shop.mei.post(f"/subscriptions/{mine(ana)['id']}/cancel").status_code == 404


def test_a_declined_renewal_leaves_fourteen_days_tells_the_fan_and_then_lapses(till: Till, shop: Shop) -> None:
    ana = shop.subscriber("ana")
    till.control("decline_next", code="insufficient_funds", count=20)
    till.days_pass(32)
    assert (mine(ana)["state"], rank_of(ana)) == ("past_due", 1)
    page = ana.page("/billing").get_data(as_text=True)
    assert "did not go through" in page
    assert "Pay with another card" in page
    till.days_pass(16)
    assert (mine(ana)["state"], rank_of(ana)) == ("ended", -1)
    assert dict(kinds())["creator_payable"] == -1080


def test_a_renewal_that_succeeds_on_the_second_try_is_as_if_nothing_had_been(till: Till, shop: Shop) -> None:
    ana = shop.subscriber("ana")
    till.control("decline_next", code="insufficient_funds", count=1)
    till.days_pass(31.5)
    till.days_pass(3)
    assert mine(ana)["state"] == "active"
    assert len(ana.get("/me/payments").json["items"]) == 2


def test_a_whole_refund_takes_the_shares_back_and_ends_the_access(till: Till, shop: Shop) -> None:
    ana = shop.subscriber("ana")
    till.days_pass(0.001)
    payment = ana.get("/me/payments").json["items"][0]
    refused = ana.post(f"/payments/{payment['id']}/refunds", {"reason": "please"})
    assert refused.status_code in (403, 404)
    answer = shop.mei.post(f"/payments/{payment['id']}/refunds", {"reason": "Changed her mind"})
    assert (answer.status_code, answer.json["state"]) == (201, "succeeded")
    till.settle()
    assert (rank_of(ana), mine(ana)["state"]) == (-1, "ended")
    assert {kind: amount for kind, amount in kinds() if amount} == {"processor": -65, "processor_fee": 65}
    again = shop.mei.post(f"/payments/{payment['id']}/refunds", {"reason": "twice"})
    assert (again.status_code, again.json["code"]) == (409, "not_refundable")
    till.days_pass(40)
    assert len(ana.get("/me/payments").json["items"]) == 1


def test_partial_refunds_never_drift_and_never_exceed_what_was_paid(till: Till, shop: Shop) -> None:
    ana = shop.subscriber("ana")
    till.days_pass(0.001)
    refunds = f"/payments/{ana.get('/me/payments').json['items'][0]['id']}/refunds"
    for minor in (333, 333, 333):
        part = {"amount": {"amount_minor": minor, "currency": "USD"}, "reason": "late"}
        assert shop.mei.post(refunds, part).status_code == 201
    too_much = {"amount": {"amount_minor": 202, "currency": "USD"}, "reason": "late"}
    assert shop.mei.post(refunds, too_much).json["errors"]["amount"]
    till.settle()
    balances = dict(kinds())
    assert (balances["platform_fee"], balances["creator_payable"]) == (-20, -181)
    assert rank_of(ana) == 1


def test_a_refund_made_in_stripes_dashboard_is_posted_once_and_ends_the_access(till: Till, shop: Shop) -> None:
    ana = shop.subscriber("ana")
    till.days_pass(0.001)
    charge = gateway.ask(lambda at: at.v1.charges.list({"limit": 1}))["data"][0]
    gateway.ask(lambda at: at.v1.refunds.create({"charge": charge["id"]}))
    till.settle()
    assert (rank_of(ana), dict(kinds())["creator_payable"]) == (-1, 0)


def test_a_refund_after_the_payout_is_owed_by_the_creator(till: Till, shop: Shop) -> None:
    ana = shop.subscriber("ana")
    till.days_pass(0.001)
    with unit_of_work() as session:
        creator = next(ref for ref, _ in ledger.balances(session) if ref.kind == "creator_payable")
        ledger.post(
            session,
            source="paid out",
            kind="payout",
            currency="USD",
            occurred_at=gateway.moment(1_790_000_000),
            legs=[ledger.Leg(creator, 1000), ledger.Leg(ledger.processor("USD"), -1000)],
        )
    payment = ana.get("/me/payments").json["items"][0]["id"]
    assert shop.mei.post(f"/payments/{payment}/refunds", {"reason": "sorry"}).status_code == 201
    balances = dict(kinds())
    assert (balances["creator_payable"], balances["creator_receivable"]) == (0, 1000)


def test_a_lost_dispute_is_shared_and_ends_the_access_a_won_one_is_even_but_for_the_fee(till: Till, shop: Shop) -> None:
    ana = shop.subscriber("ana", card="4000000000000259")
    till.days_pass(0.01)
    held = dict(kinds())
    assert (held["dispute_hold"], held["dispute_fee"], held["creator_payable"]) == (1200, 1500, -1080)
    charge = gateway.ask(lambda at: at.v1.charges.list({"limit": 1}))["data"][0]["id"]
    till.control("dispute", charge=charge, action="lose")
    till.settle()
    lost = dict(kinds())
    assert (lost["dispute_hold"], lost["creator_payable"], lost["platform_fee"]) == (0, 0, 0)
    assert rank_of(ana) == -1
    bo = shop.subscriber("bo", card="4000000000000259")
    till.days_pass(0.01)
    charge = gateway.ask(lambda at: at.v1.charges.list({"limit": 1}))["data"][0]["id"]
    till.control("dispute", charge=charge, action="win")
    till.settle()
    won = dict(kinds())
    assert (won["dispute_hold"], won["creator_payable"]) == (0, -1080)
    assert rank_of(bo) == 1


def test_a_part_is_given_back_once_although_the_process_died_before_its_answer(till: Till, shop: Shop) -> None:
    ana = shop.subscriber("ana")
    payment = ana.get("/me/payments").json["items"][0]["id"]
    part = {"amount": {"amount_minor": 200, "currency": "USD"}, "reason": "late"}
    key = {"Idempotency-Key": "k1"}
    assert shop.mei.post(f"/payments/{payment}/refunds", part, headers=key).status_code == 201
    with unit_of_work() as session:  # what a kill between the refund and the answer leaves behind
        session.execute(text("UPDATE idempotency_claims SET status = NULL, answer = NULL, at = at - interval '1 hour'"))
    assert shop.mei.post(f"/payments/{payment}/refunds", part, headers=key).status_code == 201
    assert ana.get("/me/payments").json["items"][0]["refunded"]["amount_minor"] == 200
