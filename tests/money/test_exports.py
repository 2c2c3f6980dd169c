"""What finance takes away: bank payouts to the cent, the ledger whole, and no file that disagrees with it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tracemalloc
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from creator_hub import cli
from creator_hub.accounts.models import User
from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from creator_hub.core.schemas import rfc3339
from creator_hub.money import (
    export_files,
    export_ledger,
    exports,
    gateway,
    ledger,
    minimum_balance,
    reconciliation,
)
from creator_hub.money.export_models import BalanceTransaction, BankPayout, Export
from creator_hub.money.ledger import AccountRef, Leg
from tests.money.conftest import Shop
from tests.support.client import Browser

USD = "USD"
COLUMNS = (
    "payout_id,payout_effective_at,entry_id,created_utc,available_on_utc,currency,gross,fee,net,category,source_id,"
    "description,creator_id,creator_handle,group_handle,tier,subscription_id,invoice_id,charge_id,transfer_id,"
    "dispute_reason"
)

# As many copies of the entry "a" as are asked for, each with legs of its own.
MANY_ENTRIES = text(
    """
    WITH pattern AS (SELECT * FROM ledger_transactions WHERE source = 'a'),
    made AS (
        INSERT INTO ledger_transactions (id, source, kind, currency, occurred_at, recorded_at, memo)
        SELECT gen_random_uuid(), gen_random_uuid()::text, kind, currency, occurred_at, recorded_at, memo
        FROM pattern, generate_series(1, :entries) RETURNING id
    )
    INSERT INTO postings (transaction_id, line, account_id, currency, amount_minor)
    SELECT made.id, line, account_id, postings.currency, amount_minor
    FROM made, postings WHERE transaction_id = (SELECT id FROM pattern)
    """
)


@pytest.fixture
def fay(shop: Shop) -> Browser:
    """Fay of finance."""
    browser = Browser(shop.till.app)
    browser.sign_up_with_roles("fay", ["finance"])
    return browser


def ask(shop: Shop, fay: Browser, kind: str, **more: str) -> dict[str, Any]:
    """Have a file made over the last and the next month, and let the worker make it."""
    with unit_of_work():
        at = clock.now()
    period = {"from": rfc3339(at - timedelta(days=31)), "to": rfc3339(at + timedelta(days=31))}
    answer = fay.post("/finance/exports", {"kind": kind, "format": "csv", **period, **more})
    assert answer.status_code == 202, answer.json
    assert (answer.json["state"], answer.json["progress"]) == ("queued", 0.0)
    shop.till.settle()
    found: dict[str, Any] = fay.get(f"/finance/exports/{answer.json['id']}").json
    return found


def content(fay: Browser, export: dict[str, Any]) -> bytes:
    answer = fay.get(str(export["download_url"]).removeprefix("/api/v1"))
    assert answer.status_code == 200
    return answer.get_data()


def rows_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode())))


def minor(amount: str) -> int:
    return int(amount.replace(".", ""))


def test_every_cent_of_the_bank_payout_is_explained_row_by_row(shop: Shop, fay: Browser) -> None:
    ana = shop.subscriber("ana")
    shop.subscriber("bo")
    payment = ana.get("/me/payments").json["items"][0]
    refunded = shop.mei.post(
        f"/payments/{payment['id']}/refunds", {"amount": {"amount_minor": 200, "currency": USD}, "reason": "late"}
    )
    assert refunded.status_code in (200, 201, 202), refunded.json
    shop.till.days_pass(2)

    export = ask(shop, fay, "payout_reconciliation")
    assert (export["state"], export["progress"], export["difference"]) == ("ready", 1.0, None)
    data = content(fay, export)
    assert data.decode().splitlines()[0] == COLUMNS
    assert hashlib.sha256(data).hexdigest() == export["sha256"]
    rows = rows_of(data)
    assert len(rows) == export["rows"]
    payout = gateway.ask(lambda at: at.v1.payouts.list())["data"][0]
    assert sum(minor(row["net"]) for row in rows) == payout["amount"] == 1135 + 1135 - 200
    charges = [row for row in rows if row["category"] == "charge"]
    fees = [row for row in rows if row["category"] == "fee"]
    assert [(row["gross"], row["fee"], row["net"]) for row in charges] == [("12.00", "0.00", "12.00")] * 2
    assert [(row["gross"], row["fee"], row["net"]) for row in fees] == [("0.00", "0.65", "-0.65")] * 2
    back = next(row for row in rows if row["category"] == "refund")
    assert (back["net"], back["creator_handle"], back["group_handle"], back["tier"]) == (
        "-2.00",
        "mei",
        "mei",
        "Silver",
    )
    assert back["charge_id"] in {row["charge_id"] for row in charges}
    assert all(row["invoice_id"].startswith("in_") and row["subscription_id"].startswith("sub_") for row in rows)
    with unit_of_work() as session:
        assert reconciliation.differences(session) == {}
        assert ledger.check(session) == []
        assert ledger.balance(session, AccountRef("bank", USD)) == payout["amount"]


def test_the_manifest_lets_an_auditor_check_the_file(shop: Shop, fay: Browser) -> None:
    shop.subscriber("ana")
    shop.till.days_pass(2)
    export = ask(shop, fay, "payout_reconciliation")
    answer = fay.get(f"/finance/exports/{export['id']}/file?part=manifest")
    manifest = json.loads(answer.get_data())
    assert manifest["sha256"] == export["sha256"]
    assert manifest["rows"] == export["rows"] == 2
    assert manifest["ledger_position"] == export["position"] > 0
    totals = manifest["control_totals"]
    assert totals["net_minor"] == totals["bank_payouts_minor"] == totals["ledger_bank_minor"] == 1135
    assert totals["ledger_minor"] == 1135
    assert manifest["file"].startswith("payout_reconciliation_")
    assert manifest["file"].endswith("_USD.csv")


def test_what_is_owed_stays_at_stripe_and_the_rows_still_sum_to_the_payout(shop: Shop, fay: Browser) -> None:
    shop.subscriber("ana")
    with unit_of_work() as session:
        minimum_balance.ask_to_keep_back(session)
        owed = minimum_balance.owed(session)[USD]
    shop.till.settle()
    assert owed == 1080
    shop.till.days_pass(2)
    payout = gateway.ask(lambda at: at.v1.payouts.list())["data"][0]
    assert payout["amount"] == 1135 - owed
    export = ask(shop, fay, "payout_reconciliation")
    rows = rows_of(content(fay, export))
    assert sum(minor(row["net"]) for row in rows) == payout["amount"]
    assert [row["net"] for row in rows if row["category"] == "payout_minimum_balance_hold"] == ["-10.80"]


def test_a_file_that_disagrees_with_the_ledger_is_refused_with_the_difference(shop: Shop, fay: Browser) -> None:
    shop.subscriber("ana")
    shop.till.days_pass(2)
    reconciliation.sync()
    with unit_of_work() as session:  # Stripe's own account says 1.00 more than what was posted
        session.execute(
            update(BalanceTransaction)
            .where(BalanceTransaction.type == "charge")
            .values(amount_minor=BalanceTransaction.amount_minor + 100, net_minor=BalanceTransaction.net_minor + 100)
        )
    export = ask(shop, fay, "payout_reconciliation")
    assert (export["state"], export["difference"]) == ("refused", {"amount_minor": 100, "currency": USD})
    assert (export["sha256"], export["download_url"]) == (None, None)
    assert fay.get(f"/finance/exports/{export['id']}/file").json["code"] == "not_ready"
    assert list(export_files.folder().glob("*.csv")) == []


def test_two_errors_that_cancel_out_are_still_refused(shop: Shop, fay: Browser) -> None:
    for fan in ("ana", "bo"):
        shop.subscriber(fan)
    shop.till.days_pass(2)
    reconciliation.sync()
    with unit_of_work() as session:
        charges = session.scalars(select(BalanceTransaction).where(BalanceTransaction.type == "charge")).all()
        for charge, error in zip(charges, (5, -5), strict=True):
            charge.amount_minor += error
            charge.net_minor += error
    export = ask(shop, fay, "payout_reconciliation")
    assert (export["state"], export["difference"]) == ("refused", {"amount_minor": 10, "currency": USD})


def test_a_payout_made_by_hand_cannot_be_explained_and_is_named(shop: Shop, fay: Browser) -> None:
    shop.subscriber("ana")
    shop.till.days_pass(5 / 86_400)  # the charge settles
    by_hand = gateway.ask(lambda at: at.v1.payouts.create({"amount": 1000, "currency": "usd"}))
    export = ask(shop, fay, "payout_reconciliation")
    assert (export["state"], export["difference"]["amount_minor"]) == ("refused", -1000)
    assert export["error"] == f"Stripe has not itemised {by_hand['id']}."
    assert by_hand["id"] in fay.page("/finance").get_data(as_text=True)


def test_money_that_reached_stripe_past_the_hub_is_a_difference(shop: Shop, fay: Browser) -> None:
    shop.subscriber("ana")
    shop.stripe_subscription_of_somebody_else()
    shop.till.days_pass(2)
    export = ask(shop, fay, "payout_reconciliation")
    assert export["state"] == "refused"
    assert export["difference"] == {"amount_minor": 900 - 56, "currency": USD}


def test_every_difference_from_stripe_is_explained_by_entry(shop: Shop, fay: Browser) -> None:
    shop.subscriber("ana")
    shop.stripe_subscription_of_somebody_else()
    shop.till.days_pass(2)
    with unit_of_work() as session:
        legs = [Leg(ledger.processor(USD), 77), Leg(AccountRef("goodwill", USD), -77)]
        ledger.post(session, source="by hand", kind="gift", currency=USD, occurred_at=clock.now(), legs=legs)
    cli.install(shop.till.app)
    told = shop.till.app.test_cli_runner().invoke(args=["ledger", "check"])
    assert told.exit_code == 1
    stranger = gateway.ask(lambda at: at.v1.charges.list({"limit": 1}))["data"][0]
    assert "Stripe has 7.67 USD more than the ledger" in told.output  # 9.00 − 0.56 − 0.77
    assert f"(charge {stranger['id']}): 8.44 USD at Stripe, nothing in the ledger" in told.output
    assert "by hand/gift: 0.77 USD in the ledger, nothing at Stripe" in told.output
    with unit_of_work() as session:
        assert len(reconciliation.explain(session)) == 2


def test_the_ledger_export_balances_and_the_same_period_gives_the_same_bytes(shop: Shop, fay: Browser) -> None:
    shop.subscriber("ana")
    shop.till.days_pass(2)
    first, second = (content(fay, ask(shop, fay, "ledger")) for _ in range(2))
    assert first == second
    rows = rows_of(first)
    assert sum(minor(row["debit"] or "0") for row in rows) == sum(minor(row["credit"] or "0") for row in rows) > 0
    assert {"payment", "processor_fee", "bank_payout"} <= {row["kind"] for row in rows}


def test_a_creators_ledger_holds_only_what_is_theirs(shop: Shop, fay: Browser) -> None:
    shop.subscriber("ana")
    with unit_of_work() as session:
        mei_id = session.scalars(select(User.id).where(User.handle == "mei")).one()
    rows = rows_of(content(fay, ask(shop, fay, "ledger", creator=str(mei_id))))
    assert [(row["owner_handle"], row["account"], row["credit"]) for row in rows] == [
        ("mei", "creator_payable", "10.80")
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_text_becomes_a_formula_and_numbers_stay_numbers(shop: Shop, fay: Browser, start: str) -> None:
    with unit_of_work() as session:
        ledger.post(
            session,
            source=f"{start}cmd",
            kind="adjustment",
            currency=USD,
            occurred_at=clock.now(),
            legs=[Leg(AccountRef("goodwill", USD), 5), Leg(AccountRef("fan_credit", USD), -5)],
            memo=f"{start}HYPERLINK(1)",
        )
    rows = list(csv.DictReader(io.StringIO(content(fay, ask(shop, fay, "ledger")).decode(), newline="")))
    assert {row["memo"] for row in rows} == {f"'{start}HYPERLINK(1)"}
    assert {row["source"] for row in rows} == {f"'{start}cmd"}
    assert [row["debit"] for row in rows] == ["0.05", ""]


def test_progress_is_seen_while_the_file_is_made(shop: Shop, fay: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.subscriber("ana")
    monkeypatch.setattr(export_ledger, "CHUNK", 2)
    seen = []
    keep = exports._progress

    def look(export_id: uuid.UUID, rows: int) -> None:
        keep(export_id, rows)
        seen.append(fay.get(f"/finance/exports/{export_id}").json["progress"])

    monkeypatch.setattr(exports, "_progress", look)
    assert ask(shop, fay, "ledger")["state"] == "ready"
    assert len(seen) > 1
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_a_repeated_job_changes_nothing(shop: Shop, fay: Browser) -> None:
    shop.subscriber("ana")
    export = ask(shop, fay, "ledger")
    exports.make(uuid.UUID(export["id"]))
    assert fay.get(f"/finance/exports/{export['id']}").json == export
    assert sorted(path.suffix for path in export_files.folder().iterdir()) == [".csv", ".json"]


def test_an_operator_makes_the_same_file_on_the_command_line(shop: Shop, fay: Browser) -> None:
    shop.subscriber("ana")
    with unit_of_work():
        today = clock.now()
    days = ["--from", f"{today - timedelta(days=3):%Y-%m-%d}", "--to", f"{today + timedelta(days=3):%Y-%m-%d}"]
    cli.install(shop.till.app)
    runner = shop.till.app.test_cli_runner()
    made = runner.invoke(args=["export", "ledger", *days, "--by", "fay"])
    assert made.exit_code == 0, made.output
    path, sha256 = made.output.split()
    assert hashlib.sha256(Path(path).read_bytes()).hexdigest() == sha256
    assert fay.get("/finance/exports").json["items"][0]["sha256"] == sha256
    refused = runner.invoke(args=["export", "ledger", *days, "--by", "mei"])
    assert refused.exit_code != 0


def test_two_workers_make_one_file(shop: Shop, fay: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.subscriber("ana")
    end, others = exports._end, [True]

    def somebody_else_is_faster(export: Export, *rest: Any) -> None:
        if others.pop():
            others.append(False)
            exports.make(export.id)
        end(export, *rest)

    monkeypatch.setattr(exports, "_end", somebody_else_is_faster)
    export = ask(shop, fay, "ledger")
    assert export["state"] == "ready"
    assert hashlib.sha256(content(fay, export)).hexdigest() == export["sha256"]
    assert len(list(export_files.folder().iterdir())) == 2


def test_a_bank_that_sends_the_money_back_is_in_the_next_payout(shop: Shop, fay: Browser) -> None:
    shop.subscriber("ana")
    shop.till.control("payout_failure", code="account_closed")
    shop.till.days_pass(4)
    reconciliation.sync()
    with unit_of_work() as session:
        states = session.scalars(select(BankPayout.state).order_by(BankPayout.effective_at)).all()
        assert list(states) == ["failed", "paid"]
        assert ledger.balance(session, AccountRef("bank", USD)) == 1135
        assert reconciliation.differences(session) == {}
    export = ask(shop, fay, "payout_reconciliation")
    assert export["state"] == "ready"
    rows = rows_of(content(fay, export))
    assert [row["net"] for row in rows if row["category"] == "payout_reversal"] == ["11.35"]


def test_stripes_rows_are_read_page_by_page_and_only_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciliation, "PAGE", 2)
    for fan in ("ana", "bo", "chen"):
        shop.subscriber(fan)
    shop.till.days_pass(2)
    reconciliation.sync()
    shop.till.days_pass(30)
    reconciliation.sync()
    reconciliation.sync()
    at_stripe = gateway.ask(lambda at: at.v1.balance_transactions.list({"limit": 100}))["data"]
    with unit_of_work() as session:
        stored = set(session.scalars(select(BalanceTransaction.id)))
        assert reconciliation.differences(session) == {}
    assert stored == {row["id"] for row in at_stripe}
    assert len(stored) >= 8


def test_ten_times_the_rows_take_no_more_memory(shop: Shop, fay: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_ledger, "CHUNK", 100)
    with unit_of_work() as session:
        goodwill, credit = AccountRef("goodwill", USD), AccountRef("fan_credit", USD)
        legs = [Leg(goodwill, 5), Leg(credit, -5)]
        ledger.post(session, source="a", kind="goodwill", currency=USD, occurred_at=clock.now(), legs=legs)

    def peak_of(entries: int) -> int:
        with unit_of_work() as session:
            session.execute(MANY_ENTRIES, {"entries": entries})
        tracemalloc.start()
        assert ask(shop, fay, "ledger")["state"] == "ready"
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    # The shop's own servers run in this process and only ever add to a peak: the lowest of three is the export's.
    few = min(peak_of(150) for _ in range(3))
    many = min(peak_of(1500) for _ in range(3))
    assert many < few * 1.3


def test_finance_sees_its_exports_on_the_page(shop: Shop, fay: Browser) -> None:
    shop.subscriber("ana")
    export = ask(shop, fay, "ledger")
    page = fay.page("/finance").get_data(as_text=True)
    assert f"/api/v1/finance/exports/{export['id']}/file" in page


def test_only_finance_takes_files_away(shop: Shop) -> None:
    period = {"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
    refused = shop.mei.post("/finance/exports", {"kind": "ledger", **period})
    assert refused.status_code == 403
    assert shop.mei.get("/finance/exports").status_code == 403


def test_an_empty_period_is_refused_by_field(shop: Shop, fay: Browser) -> None:
    period = {"from": "2026-02-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
    answer = fay.post("/finance/exports", {"kind": "ledger", "currency": USD, **period})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["to"])


def test_the_database_refuses_progress_beyond_the_end(shop: Shop, fay: Browser) -> None:
    export = ask(shop, fay, "ledger", currency=USD)
    with pytest.raises(Exception, match="progress_within_bounds"), unit_of_work() as session:
        session.execute(
            update(Export).where(Export.id == uuid.UUID(export["id"])).values(rows_done=Export.rows_total + 1)
        )


def test_an_unbalanced_ledger_is_not_exported(shop: Shop, fay: Browser) -> None:
    shop.subscriber("ana")
    with unit_of_work() as session:  # somebody got past the database's own laws
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("UPDATE postings SET amount_minor = amount_minor + 7 WHERE amount_minor > 1000"))
    export = ask(shop, fay, "ledger")
    assert (export["state"], export["difference"]) == ("refused", {"amount_minor": 7, "currency": USD})
