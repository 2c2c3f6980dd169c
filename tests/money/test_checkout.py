"""From "Choose this tier" to an open channel: hosted Checkout, signed webhook, job, ledger, entitlement."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from creator_hub.core.db import unit_of_work
from creator_hub.money import ledger
from creator_hub.streams import ACCOUNT_LOG
from creator_hub.streams.models import StreamEvent
from tests.money.conftest import Shop
from tests.support.client import Browser
from tests.support.till import Till, work


def rank_of(browser: Browser) -> int:
    return int(browser.get("/groups/mei").json["standing"]["rank"])


def kinds() -> list[tuple[str, int]]:
    """The ledger's balances by account kind."""
    with unit_of_work() as session:
        assert ledger.check(session) == []
        return sorted((ref.kind, amount) for ref, amount in ledger.balances(session))


def test_ana_pays_on_the_hosted_page_and_the_tier_channel_opens(till: Till, shop: Shop) -> None:
    ana = till.browser("ana")
    answer = ana.post(f"/tiers/{shop.silver}/checkout")
    assert answer.status_code == 201
    assert answer.json["url"].startswith(till.sandbox_url)
    session_id = answer.json["session_id"]
    assert ana.get(f"/me/checkouts/{session_id}").json["state"] == "waiting"
    assert till.pay(session_id)["_status"] == 200
    till.settle()
    assert rank_of(ana) == 1
    assert ana.get(f"/me/checkouts/{session_id}").json["state"] == "ready"
    assert [channel["name"] for channel in ana.get("/groups/mei/channels").json["items"]] == ["general", "lounge"]
    with unit_of_work() as session:
        granted = session.scalars(
            select(StreamEvent).where(StreamEvent.stream_id == ACCOUNT_LOG, StreamEvent.kind == "access.granted")
        ).all()
    assert str(shop.lounge) in {event.data["channel_id"] for event in granted}


def test_the_payment_is_in_the_ledger_to_the_cent(till: Till, shop: Shop) -> None:
    shop.subscriber("ana")
    till.days_pass(0.001)  # the processor's fee is known a second later
    assert kinds() == [
        ("creator_payable", -1080),
        ("platform_fee", -120),
        ("processor", 1135),
        ("processor_fee", 65),
    ]
    (paid,) = shop.mei.get("/groups/mei/payments").json["items"]
    assert (paid["user"]["handle"], paid["amount"]["amount_minor"]) == ("ana", 1200)
    assert paid["creator_share"] == {"amount_minor": 1080, "currency": "USD"}


def test_a_declined_card_takes_nothing_and_another_card_may_follow(till: Till, shop: Shop) -> None:
    bo = till.browser("bo")
    session_id = bo.post(f"/tiers/{shop.silver}/checkout").json["session_id"]
    assert till.pay(session_id, "4000000000009995")["_status"] == 402
    till.settle()
    assert rank_of(bo) == -1
    assert kinds() == []
    assert till.pay(session_id)["_status"] == 200
    till.settle()
    assert rank_of(bo) == 1


def test_a_double_click_is_one_visit_to_checkout(till: Till, shop: Shop) -> None:
    ana = till.browser("ana")
    first, second = (ana.post(f"/tiers/{shop.silver}/checkout").json for _ in range(2))
    assert first == second


def test_choosing_another_tier_closes_the_first_page_so_that_only_one_can_be_paid(till: Till, shop: Shop) -> None:
    ana = till.browser("ana")
    silver = ana.post(f"/tiers/{shop.silver}/checkout").json["session_id"]
    gold = ana.post(f"/tiers/{shop.gold}/checkout").json["session_id"]
    assert till.pay(silver)["_status"] == 400
    assert till.pay(gold)["_status"] == 200
    till.settle()
    assert rank_of(ana) == 2


def test_who_subscribes_already_is_told_so(till: Till, shop: Shop) -> None:
    ana = shop.subscriber("ana")
    for tier in (shop.silver, shop.gold):
        answer = ana.post(f"/tiers/{tier}/checkout")
        assert (answer.status_code, answer.json["code"]) == (409, "already_member")


def test_what_cannot_be_bought_is_refused_before_stripe_is_asked(till: Till, shop: Shop) -> None:
    ana = till.browser("ana")
    free = ana.get("/groups/mei/tiers").json["items"][0]["id"]
    assert ana.post(f"/tiers/{free}/checkout").json["code"] == "free_tier"
    assert shop.mei.post(f"/tiers/{shop.silver}/checkout").json["code"] == "already_member"
    shop.mei.delete(f"/tiers/{shop.silver}")
    assert ana.post(f"/tiers/{shop.silver}/checkout").status_code == 410


def test_the_last_seat_paid_twice_goes_back_to_the_second_and_leaves_the_books_even(till: Till, shop: Shop) -> None:
    shop.mei.patch(f"/tiers/{shop.silver}", {"seat_limit": 1})
    ana, bo = till.browser("ana"), till.browser("bo")
    sessions = [fan.post(f"/tiers/{shop.silver}/checkout").json["session_id"] for fan in (ana, bo)]
    for session_id in sessions:
        assert till.pay(session_id)["_status"] == 200
    till.settle()
    till.days_pass(0.001)
    assert (rank_of(ana), rank_of(bo)) == (1, -1)
    assert bo.get(f"/me/checkouts/{sessions[1]}").json["state"] == "refused"
    assert bo.get("/me/payments").json["items"][0]["refunded"]["amount_minor"] == 1200
    assert dict(kinds())["creator_payable"] == -1080


@pytest.mark.parametrize("mode", ["duplicate", "reorder", "drop"])
def test_webhooks_that_come_twice_backwards_or_never_change_nothing(till: Till, shop: Shop, mode: str) -> None:
    ana = till.browser("ana")
    session_id = ana.post(f"/tiers/{shop.silver}/checkout").json["session_id"]
    till.settle()
    till.control("webhooks", mode=mode, count=8 if mode == "reorder" else 50)
    assert till.pay(session_id)["_status"] == 200
    till.settle()
    if mode == "drop":
        assert rank_of(ana) == -1
        shop.poll()
    assert rank_of(ana) == 1
    assert len(ana.get("/me/payments").json["items"]) == 1
    assert dict(kinds())["creator_payable"] == -1080


def test_access_follows_from_the_webhook_alone_without_waiting_for_the_clock(till: Till, shop: Shop) -> None:
    ana = till.browser("ana")
    session_id = ana.post(f"/tiers/{shop.silver}/checkout").json["session_id"]
    till.settle()
    till.pay(session_id)
    till.delivered()
    assert rank_of(ana) < 1
    for _ in range(3):  # the event; what it causes
        work()
    assert rank_of(ana) == 1


def test_an_object_without_our_ids_is_none_of_our_business(till: Till, shop: Shop) -> None:
    stranger: dict[str, Any] = shop.stripe_subscription_of_somebody_else()
    till.settle()
    assert stranger["status"] == "active"
    assert kinds() == []
