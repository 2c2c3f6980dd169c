"""Two people pay a creator; a transfer goes out once; what Stripe refuses comes back; the ledger agrees throughout."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from creator_hub import cli
from creator_hub.app import create_app
from creator_hub.core import clock, outbox
from creator_hub.core.db import unit_of_work
from creator_hub.money import ledger, payout_events, payout_transfers
from creator_hub.money.ledger import Leg
from creator_hub.money.payout_models import Payout, PayoutRun
from creator_hub.settings import Settings
from tests.stripe_sandbox.conftest import DAY, Till, receiver, till
from tests.support.client import Browser
from workers import jobs

__all__ = ["receiver", "till"]
USD = "USD"


@pytest.fixture
def settings(database: str, redis_url: str, tmp_path: Path, till: Till) -> Settings:
    """The hub talks to this test's sandbox; payments are not held."""
    return Settings.from_env(
        {
            "DATABASE_URL": database,
            "REDIS_URL": redis_url,
            "HUB_DATA_DIR": str(tmp_path),
            "STRIPE_API_BASE": till.url,
            "HUB_PAYOUT_HOLD_DAYS": "0",
        }
    )


class Office:
    """Mei with her group, Fay and Finn of finance, and the sandbox behind them."""

    def __init__(self, till: Till, open_browser: Callable[[], Browser]) -> None:
        self.till = till
        self.mei, self.fay, self.finn = open_browser(), open_browser(), open_browser()
        self.mei_id = uuid.UUID(self.mei.sign_up("mei")["id"])
        self.mei.post("/groups", {"handle": "mei", "name": "Mei", "about": "", "currency": USD})
        self.fay.sign_up_with_roles("fay", ["finance"])
        self.finn.sign_up_with_roles("finn", ["finance"])

    def fan_pays(self, source: str = "in_1", creator: int = 900) -> None:
        """A settled charge of 12.00 at Stripe, and its postings: fee 0.65, platform 1.00, tax 2.00, Mei 9.00."""
        self.till.subscriber(self.till.price())
        self.till.advance(1)
        with unit_of_work() as session:
            ledger.post(
                session,
                source=source,
                kind="payment",
                currency=USD,
                occurred_at=clock.now(),
                legs=[
                    Leg(ledger.processor(USD), 1135),
                    Leg(ledger.processor_fee(USD), 65),
                    Leg(ledger.tax_payable(USD, "US"), creator - 1100),
                    Leg(ledger.platform_fee(USD), -100),
                    Leg(ledger.creator_payable(USD, self.mei_id), -creator),
                ],
            )

    def onboard(self) -> str:
        """Mei goes through Stripe's onboarding page; returns her connected account."""
        url = self.mei.post("/groups/mei/payout-account").json["url"]
        assert "/connect/onboard/" in url
        account = str(self.till.api.accounts.list().data[0].id)
        self.till.control(f"onboard/{account}")
        assert payout_events.follow("account.updated", account, account)
        return account

    def open_run(self) -> dict[str, object]:
        answer = self.fay.post("/finance/payout-runs", {"currency": USD})
        assert answer.status_code == 201, answer.json
        return answer.json

    def approve(self, run: dict[str, object]) -> None:
        answer = self.finn.post(f"/finance/payout-runs/{run['id']}/approve")
        assert answer.status_code == 200, answer.json

    def run_jobs(self) -> None:
        with unit_of_work() as session:
            ids = [str(row.id) for row in outbox.lease(session, 10) if row.topic == "money.send_payout"]
        for row_id in ids:
            jobs.run(row_id)

    def the_run(self) -> dict[str, object]:
        return self.fay.get("/finance/payout-runs").json["items"][0]

    def the_payout(self) -> dict[str, object]:
        return self.fay.get("/finance/payouts").json["items"][0]

    def at_stripe(self, account: str) -> int:
        return int(self.till.api.balance.retrieve({}, {"stripe_account": account}).available[0].amount)


def owed(mei_id: uuid.UUID) -> int:
    """What the ledger owes Mei, after checking that it is clean."""
    with unit_of_work() as session:
        assert ledger.check(session) == []
        return -ledger.balance(session, ledger.creator_payable(USD, mei_id))


def clearing() -> int:
    with unit_of_work() as session:
        return ledger.balance(session, ledger.AccountRef("payout_clearing", USD))


@pytest.fixture
def office(till: Till, app: Flask, browser: Callable[[], Browser]) -> Office:
    return Office(till, browser)


def test_mei_is_paid_by_two_people_and_sees_it_arrive_at_her_bank(office: Office) -> None:
    office.fan_pays()
    account = office.onboard()
    run = office.open_run()
    assert (run["state"], run["total"]) == ("draft", {"amount_minor": 900, "currency": USD})
    assert run["payouts"][0]["group"]["handle"] == "mei"
    office.approve(run)
    assert (owed(office.mei_id), clearing()) == (0, -900)
    office.run_jobs()
    sent = office.the_payout()
    assert (sent["state"], office.the_run()["state"]) == ("sent", "done")
    assert (office.at_stripe(account), clearing()) == (900, 0)

    office.till.advance(2 * DAY)
    bank = office.till.api.payouts.list({}, {"stripe_account": account}).data[0]
    payout_events.follow("payout.paid", account, bank.id)
    confirmed = office.the_payout()
    assert (confirmed["state"], confirmed["bank_state"]) == ("confirmed", "paid")


def test_whoever_opened_a_run_cannot_approve_it(office: Office) -> None:
    office.fan_pays()
    office.onboard()
    run = office.open_run()
    refused = office.fay.post(f"/finance/payout-runs/{run['id']}/approve")
    assert (refused.status_code, refused.json["code"]) == (409, "same_person")
    assert owed(office.mei_id) == 900
    with pytest.raises(DBAPIError, match="two_people"), unit_of_work() as session:
        session.execute(update(PayoutRun).values(state="approved", approved_by=PayoutRun.requested_by))


def test_a_run_is_approved_once(office: Office) -> None:
    office.fan_pays()
    office.onboard()
    run = office.open_run()
    office.approve(run)
    again = office.finn.post(f"/finance/payout-runs/{run['id']}/approve")
    assert (again.status_code, again.json["code"]) == (409, "not_a_draft")
    assert owed(office.mei_id) == 0


def test_a_repeated_job_sends_no_second_transfer(office: Office) -> None:
    office.fan_pays()
    account = office.onboard()
    office.approve(office.open_run())
    payout_id = uuid.UUID(str(office.the_payout()["id"]))
    payout_transfers.send(payout_id)
    payout_transfers.send(payout_id)
    with unit_of_work() as session:  # the answer was lost: the hub does not know that the transfer went out
        session.execute(update(Payout).values(state="draft", transfer_id=None, arrival_id=None))
    payout_transfers.send(payout_id)
    assert office.at_stripe(account) == 900
    assert len(office.till.api.transfers.list().data) == 1
    assert clearing() == 0


def test_a_refused_transfer_returns_the_money_and_says_why(office: Office) -> None:
    office.fan_pays(creator=1000)
    office.fan_pays(source="in_2", creator=1000)
    account = office.onboard()
    office.till.api.payouts.create({"amount": 2000, "currency": "usd"})  # the platform's balance was drawn down
    office.approve(office.open_run())
    office.run_jobs()
    failed = office.the_payout()
    assert failed["state"] == "failed"
    assert "insufficient" in str(failed["reason"])
    assert office.the_run()["state"] == "failed"
    assert (owed(office.mei_id), clearing(), office.at_stripe(account)) == (2000, 0, 0)


def test_a_reversed_transfer_is_owed_again(office: Office) -> None:
    office.fan_pays()
    office.onboard()
    office.approve(office.open_run())
    office.run_jobs()
    transfer = str(office.the_payout()["transfer_id"])
    office.till.api.transfers.reversals.create(transfer)
    for _ in range(2):
        payout_events.follow("transfer.reversed", None, transfer)
    assert office.the_payout()["state"] == "reversed"
    assert owed(office.mei_id) == 900


def test_a_creator_who_is_not_onboarded_is_not_in_the_run(office: Office) -> None:
    office.fan_pays()
    refused = office.fay.post("/finance/payout-runs", {"currency": USD})
    assert (refused.status_code, refused.json["code"]) == (409, "nothing_due")
    due = office.fay.get("/finance/balances").json["creators"][0]
    assert (due["available"]["amount_minor"], due["account_state"]) == (900, "none")


def test_a_refund_before_the_approval_stops_the_run(office: Office) -> None:
    office.fan_pays()
    office.onboard()
    run = office.open_run()
    with unit_of_work() as session:
        legs = [Leg(ledger.creator_payable(USD, office.mei_id), 400), Leg(ledger.processor(USD), -400)]
        ledger.post(session, source="re_1", kind="refund", currency=USD, occurred_at=clock.now(), legs=legs)
    refused = office.finn.post(f"/finance/payout-runs/{run['id']}/approve")
    assert (refused.status_code, refused.json["code"]) == (409, "balance_changed")
    office.approve(office.open_run())
    assert office.the_payout()["amount"]["amount_minor"] == 500
    assert len(office.fay.get("/finance/payout-runs").json["items"]) == 1


def test_a_debt_is_netted_before_mei_is_paid(office: Office) -> None:
    office.fan_pays()
    office.onboard()
    with unit_of_work() as session:
        legs = [Leg(ledger.creator_receivable(USD, office.mei_id), 300), Leg(ledger.processor(USD), -300)]
        ledger.post(session, source="dp_1", kind="dispute", currency=USD, occurred_at=clock.now(), legs=legs)
    office.approve(office.open_run())
    assert office.the_payout()["amount"]["amount_minor"] == 600
    with unit_of_work() as session:
        assert ledger.balance(session, ledger.creator_receivable(USD, office.mei_id)) == 0
    assert owed(office.mei_id) == 0


def test_young_payments_wait(database: str, redis_url: str, tmp_path: Path, till: Till) -> None:
    env = {"DATABASE_URL": database, "REDIS_URL": redis_url, "HUB_DATA_DIR": str(tmp_path), "STRIPE_API_BASE": till.url}
    app = create_app(Settings.from_env(env))
    office = Office(till, lambda: Browser(app))
    office.onboard()
    office.fan_pays()
    assert office.fay.post("/finance/payout-runs", {"currency": USD}).status_code == 409
    with unit_of_work() as session:
        clock.advance(session, timedelta(days=8))
    assert office.open_run()["total"]["amount_minor"] == 900


def test_a_failed_bank_payout_is_shown_with_its_reason(office: Office) -> None:
    office.fan_pays()
    account = office.onboard()
    office.approve(office.open_run())
    office.run_jobs()
    office.till.control("payout_failure", account=account, code="account_closed")
    office.till.advance(2 * DAY)
    bank = office.till.api.payouts.list({}, {"stripe_account": account}).data[-1]
    payout_events.follow("payout.failed", account, bank.id)
    shown = office.the_payout()
    assert (shown["state"], shown["bank_state"]) == ("sent", "failed")
    assert "closed" in str(shown["reason"])


def test_finance_reads_entries_and_closes_a_month_that_is_over(office: Office) -> None:
    office.fan_pays()
    entry = office.fay.get("/finance/entries?account=creator_payable").json["items"][0]
    assert (entry["source"], entry["kind"], len(entry["legs"])) == ("in_1", "payment", 5)
    month = clock.now().strftime("%Y-%m")
    early = office.fay.post(f"/finance/periods/{month}/close")
    assert (early.status_code, early.json["code"]) == (409, "period_not_over")
    with unit_of_work() as session:
        clock.advance(session, timedelta(days=31))
    office.fay.get("/session")
    office.fay.sign_in("fay")
    assert office.fay.post(f"/finance/periods/{month}/close").json["state"] == "closed"
    assert office.fay.post(f"/finance/periods/{month}/close").json["code"] == "period_closed"
    legs = [Leg(ledger.processor(USD), 1), Leg(ledger.platform_fee(USD), -1)]
    at = clock.now() - timedelta(days=31)
    with unit_of_work() as session:
        late = ledger.post(session, source="late", kind="payment", currency=USD, occurred_at=at, legs=legs)
        assert late.occurred_at > at
        assert f"occurred {at:%Y-%m-%d}" in late.memo


def test_nobody_but_finance_sees_the_money(office: Office) -> None:
    for path in ("/finance/balances", "/finance/payout-runs", "/finance/payouts", "/finance/entries"):
        assert office.mei.get(path).status_code == 403
    assert office.mei.post("/finance/payout-runs", {"currency": USD}).status_code == 403
    assert office.fay.post("/groups/mei/payout-account").status_code == 403


def test_the_console_and_meis_page_show_what_happened(office: Office) -> None:
    office.fan_pays()
    assert "Set up payouts" in office.mei.page("/g/mei/payouts").get_data(as_text=True)
    office.onboard()
    run = office.open_run()
    own = office.fay.page("/finance").get_data(as_text=True)
    assert "a colleague of finance has to approve it" in own
    assert "Approve and send" in office.finn.page("/finance").get_data(as_text=True)
    office.approve(run)
    office.run_jobs()
    assert "Sent" in office.mei.page("/g/mei/payouts").get_data(as_text=True)
    console = office.fay.page("/finance")
    assert str(office.the_payout()["transfer_id"]) in console.get_data(as_text=True)
    assert office.mei.page("/finance").status_code == 403
    assert office.fay.page("/g/mei/payouts").status_code == 200


def test_the_command_line_keeps_the_two_person_rule(office: Office, app: Flask) -> None:
    office.fan_pays()
    office.onboard()
    cli.install(app)
    command = app.test_cli_runner()
    opened = command.invoke(args=["payouts", "run", "--currency", USD, "--by", "fay"])
    assert "9.00 USD" in opened.output
    run_id = str(office.the_run()["id"])
    assert command.invoke(args=["payouts", "approve", run_id, "--by", "fay"]).exit_code != 0
    assert command.invoke(args=["payouts", "approve", run_id, "--by", "mei"]).exit_code != 0
    assert office.the_run()["state"] == "draft"
    assert command.invoke(args=["payouts", "approve", run_id, "--by", "finn"]).exit_code == 0
    assert office.the_run()["state"] == "approved"
    assert "clean" in command.invoke(args=["ledger", "check"]).output
