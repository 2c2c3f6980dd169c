"""From a fan's card to Mei's bank, through real webhooks, jobs and transfers; the ledger agrees with Stripe."""

from __future__ import annotations

import uuid

from creator_hub.core.db import unit_of_work
from creator_hub.money import gateway, ledger, minimum_balance
from creator_hub.money.ledger import AccountRef
from tests.money.conftest import Shop
from tests.support.client import Browser

USD = "USD"


def finance(shop: Shop, handle: str) -> Browser:
    browser = Browser(shop.till.app)
    browser.sign_up_with_roles(handle, ["finance"])
    return browser


def at_stripe() -> int:
    """The platform's Stripe balance, available and pending, in cents."""
    balance = gateway.ask(lambda at: at.v1.balance.retrieve())
    return sum(side["amount"] for part in ("available", "pending") for side in balance[part])


def keep_back(shop: Shop) -> None:
    """What the schedule and a worker do once a minute."""
    with unit_of_work() as session:
        minimum_balance.ask_to_keep_back(session)
    shop.till.settle()


def books(mei_id: uuid.UUID) -> dict[str, int]:
    with unit_of_work() as session:
        assert ledger.check(session) == []
        return {
            "owed to Mei": -ledger.balance(session, ledger.creator_payable(USD, mei_id)),
            "under way": ledger.balance(session, AccountRef("payout_clearing", USD)),
            "at Stripe": ledger.balance(session, ledger.processor(USD)),
            "at the bank": ledger.balance(session, AccountRef("bank", USD)),
        }


def test_what_ana_pays_reaches_meis_bank(shop: Shop) -> None:
    mei_id = uuid.UUID(shop.mei.get("/session").json["user"]["id"])
    fay, finn = finance(shop, "fay"), finance(shop, "finn")

    shop.mei.post("/groups/mei/payout-account")
    account = gateway.ask(lambda at: at.v1.accounts.list())["data"][0]["id"]
    shop.till.control(f"onboard/{account}")
    shop.till.settle()
    assert shop.mei.get("/groups/mei/payout-account").json["state"] == "active"

    shop.subscriber("ana")
    shop.till.days_pass(0.001)  # Stripe books a charge, and its fee, a moment after it succeeded
    assert books(mei_id) == {"owed to Mei": 1080, "under way": 0, "at Stripe": at_stripe(), "at the bank": 0}
    due = fay.get("/finance/balances").json["creators"][0]
    assert (due["held"]["amount_minor"], due["available"]["amount_minor"]) == (1080, 0)

    keep_back(shop)
    shop.till.days_pass(8)  # Stripe pays the platform's bank every night, but not what is Mei's
    assert books(mei_id) == {"owed to Mei": 1080, "under way": 0, "at Stripe": 1080, "at the bank": 55}
    assert at_stripe() == 1080
    run = fay.post("/finance/payout-runs", {"currency": USD}).json
    assert run["total"] == {"amount_minor": 1080, "currency": USD}
    assert finn.post(f"/finance/payout-runs/{run['id']}/approve").status_code == 200
    shop.till.settle()
    assert books(mei_id) == {"owed to Mei": 0, "under way": 0, "at Stripe": 0, "at the bank": 55}
    assert at_stripe() == 0

    shop.till.days_pass(2)
    payout = fay.get("/finance/payouts").json["items"][0]
    assert (payout["state"], payout["bank_state"]) == ("confirmed", "paid")
