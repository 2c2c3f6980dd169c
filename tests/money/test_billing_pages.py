"""What a fan reads about money, and what comes back from Checkout."""

from __future__ import annotations

from tests.money.conftest import Shop
from tests.support.till import Till


def test_billing_shows_subscription_next_charge_and_payments(till: Till, shop: Shop) -> None:
    nobody = till.browser("chen").page("/billing").get_data(as_text=True)
    assert "No subscriptions yet" in nobody
    ana = shop.subscriber("ana")
    page = ana.page("/billing").get_data(as_text=True)
    for words in ("Silver", "12.00&nbsp;USD", "Next charge on", "Payments"):
        assert words in page
    subscription = ana.get("/me/subscriptions").json["items"][0]["id"]
    ana.post(f"/subscriptions/{subscription}/cancel")
    assert "what you paid for stays yours until" in ana.page("/billing").get_data(as_text=True)


def test_the_way_back_from_checkout_waits_then_leads_into_the_group(till: Till, shop: Shop) -> None:
    ana = till.browser("ana")
    session_id = ana.post(f"/tiers/{shop.silver}/checkout").json["session_id"]
    back = f"/billing/return?session_id={session_id}"
    assert "being confirmed" in ana.page(back).get_data(as_text=True)
    till.pay(session_id)
    till.settle()
    arrived = ana.page(back)
    assert (arrived.status_code, arrived.headers["Location"]) == (303, "/g/mei")


def test_who_leaves_checkout_early_learns_that_nothing_was_charged(till: Till, shop: Shop) -> None:
    ana, bo = till.browser("ana"), till.browser("bo")
    session_id = ana.post(f"/tiers/{shop.silver}/checkout").json["session_id"]
    checkout = ana.get(f"/me/checkouts/{session_id}").json["id"]
    assert "Nothing was charged" in ana.page(f"/billing/return?checkout={checkout}").get_data(as_text=True)
    assert bo.page(f"/billing/return?checkout={checkout}").status_code == 404
    assert ana.page("/billing/return?checkout=nonsense").status_code == 404
