"""Every kind and format that finance takes away: what is in it, that it agrees, and that others can read it."""

from __future__ import annotations

import csv
import io
import uuid
import xml.etree.ElementTree as ET
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from beancount import loader
from openpyxl import load_workbook
from sepaxml.validation import try_valid_xml
from sqlalchemy import select, text

from creator_hub import settings
from creator_hub.accounts.models import User
from creator_hub.core import clock
from creator_hub.core.access import Actor
from creator_hub.core.db import unit_of_work
from creator_hub.core.errors import Conflict, HubError, Invalid
from creator_hub.money import bank_details, export_files, exports, ledger, payout_transfers, payouts, recognition
from creator_hub.money.anchors import months_after
from creator_hub.money.bank_details import Account
from creator_hub.money.billing_models import Payment
from creator_hub.money.export_models import EXPORT_FORMATS, Export
from creator_hub.money.export_table import major
from creator_hub.settings import Settings
from tests.support.books import Books, balances, line, open_books, seconds, stripe_id
from tests.support.subscribers import let_pass

GOOD_IBAN, BAD_IBAN = "DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 01"
ROUTING = "021000021"


@pytest.fixture
def books(database: str, tmp_path: Path) -> Books:
    """Prices include 20 % tax, the platform keeps 10 %; nothing is held."""
    environment = {
        "DATABASE_URL": database,
        "HUB_DATA_DIR": str(tmp_path),
        "HUB_TAX_BPS": "2000",
        "HUB_PAYOUT_HOLD_DAYS": "0",
        "HUB_BANK_IBAN": GOOD_IBAN,
        "HUB_ACH_ROUTING_NUMBER": ROUTING,
        "HUB_ACH_COMPANY_ID": "1234567890",
    }
    settings.use(Settings.from_env(environment))
    return open_books()


def finance(who: User) -> Actor:
    return Actor(user_id=who.id, roles=frozenset({"finance"}))


def ask(
    books: Books, kind: str, format: str = "csv", *, creator: uuid.UUID | None = None, **period: datetime
) -> Export:
    """Have a file made, over ten years unless told otherwise."""
    around = clock.now().replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    with unit_of_work() as session:
        asked = exports.ask(
            session,
            finance(books.fay),
            kind=kind,
            format=format,
            period_from=period.get("start", around.replace(year=around.year - 5)),
            period_to=period.get("end", around.replace(year=around.year + 5)),
            currency=None,
            creator_id=creator,
        )
    exports.make(asked.id)
    with unit_of_work() as session:
        return exports.by_id(session, asked.id)


def content(export: Export) -> bytes:
    assert export.state == "ready", (export.error, export.difference_minor)
    return export_files.file_of(export).read_bytes()


def rows(export: Export) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(export).decode(), newline="")))


def a_year(books: Books) -> None:
    """Ana pays yearly, Bo monthly and gets half back, Chen upgrades; Mei is paid by Stripe once."""
    ana, bo, chen = books.fans
    books.pay(ana, books.yearly, 12_000)
    books.pay(bo, books.monthly, 1200)
    with unit_of_work() as session:
        payment = session.scalars(select(Payment.id).order_by(Payment.id.desc()).limit(1)).one()
    books.refund(payment, 600)
    books.pay(chen, books.monthly, 1200)
    at = books.now()
    books.bill(chen, books.yearly, [line(-600, at, months_after(at, 1)), line(12_000, at, months_after(at, 12))])
    let_pass(70)
    with unit_of_work() as session:
        recognition.earn_due(session)
    pay_mei(books)


def pay_mei(books: Books, method: str = "stripe") -> uuid.UUID:
    with unit_of_work() as session:
        run = payouts.open_run(session, finance(books.fay), currency="USD", method=method)
    with unit_of_work() as session:
        payouts.approve(session, finance(books.finn), run.id)
        (payout,) = payouts.payouts_of(session, run)
    if method == "stripe":
        transfer = {"id": stripe_id("tr"), "created": seconds(clock.now()), "destination_payment": stripe_id("py")}
        payout_transfers.take_over_transfer(payout.id, transfer)
    return run.id


def minor(amount: str) -> int:
    return int(amount.replace(".", "") or 0)


def test_every_kind_agrees_with_the_ledger_and_is_the_same_again_after_everybody_was_renamed(books: Books) -> None:
    a_year(books)
    every = [(kind, form) for kind, forms in EXPORT_FORMATS.items() for form in forms]
    for kind, form in every:
        if kind == "payout_reconciliation" or form in ("pain.001", "nacha"):
            continue  # Stripe's account and the banks' files: their own tests
        creator = books.mei.id if kind == "creator_statement" else None
        until = clock.now()
        first = ask(books, kind, form, creator=creator, end=until)
        let_pass(1)
        with unit_of_work() as session:
            session.execute(text("UPDATE users SET handle = 'r' || left(md5(handle), 12)"))
            session.execute(text("UPDATE tiers SET name = name || '!'"))
        books.pay(books.fans[1], books.monthly, 1200)
        again = ask(books, kind, form, creator=creator, end=until)
        assert (first.state, again.sha256) == ("ready", first.sha256), (kind, form, first.error)


def test_revenue_says_by_month_and_tier_what_was_earned(books: Books) -> None:
    a_year(books)
    found = rows(ask(books, "revenue"))
    assert {(row["group_handle"], row["currency"]) for row in found} == {("mei", "USD")}
    assert {row["tier"] for row in found} == {"Silver", "Gold"}
    assert sum(int(row["payments"]) for row in found) == 4
    assert sum(minor(row["platform_fee"]) for row in found) == -balances()["platform_fee"]
    gold = [minor(row["creator_share"]) for row in found if row["tier"] == "Gold"]
    assert [share for share in gold if share] == [1500, 1500]


def test_deferred_revenue_rolls_forward_month_by_month_to_the_ledgers_balance(books: Books) -> None:
    a_year(books)
    found = rows(ask(books, "deferred_revenue", end=clock.now()))
    by_invoice: dict[str, list[dict[str, str]]] = {}
    for row in found:
        by_invoice.setdefault(row["invoice_id"], []).append(row)
        parts = (row[name] for name in ("added", "recognised", "given_back"))
        added, recognised, back = map(minor, parts)
        assert minor(row["closing"]) == minor(row["opening"]) + added - recognised - back
    assert len(by_invoice) == 2
    assert min(len(months) for months in by_invoice.values()) >= 3
    closing = sum(minor(months[-1]["closing"]) for months in by_invoice.values())
    assert closing == -balances()["deferred_revenue"]


def test_tax_carries_its_place_its_rate_and_its_evidence(books: Books) -> None:
    a_year(books)
    found = rows(ask(books, "tax"))
    assert {(row["place"], row["rate_percent"], row["billing_country"], row["card_country"]) for row in found} == {
        ("DE", "20.00", "DE", "DE")
    }
    assert sum(minor(row["tax"]) for row in found) == -balances()["tax_payable"]
    refund = next(row for row in found if row["kind"] == "refund")
    assert (refund["gross"], refund["tax"], refund["net"]) == ("-6.00", "-1.00", "-5.00")


def test_the_statement_goes_from_opening_to_closing_by_every_movement(books: Books) -> None:
    a_year(books)
    found = rows(ask(books, "creator_statement", creator=books.mei.id))
    assert (found[0]["kind"], found[-1]["kind"]) == ("opening_balance", "closing_balance")
    assert sum(minor(row["amount"]) for row in found) == minor(found[-1]["balance"]) == 0
    assert {"payment", "refund", "earned", "payout_approved"} <= {row["kind"] for row in found}
    pdf = content(ask(books, "creator_statement", "pdf", creator=books.mei.id))
    assert pdf.startswith(b"%PDF-")
    assert pdf.rstrip().endswith(b"%%EOF")


def test_the_tax_report_sums_each_quarter_of_each_creator(books: Books) -> None:
    a_year(books)
    found = rows(ask(books, "creator_tax_report"))
    assert {row["creator_handle"] for row in found} == {"mei"}
    assert sum(int(row["payments"]) for row in found) == 4
    statement = rows(ask(books, "creator_statement", creator=books.mei.id))
    earned = sum(minor(row["amount"]) for row in statement if not row["kind"].startswith("payout"))
    assert sum(minor(row["consideration"]) for row in found) == earned


def test_payouts_are_shown_in_the_state_they_had_when_the_period_ended(books: Books) -> None:
    a_year(books)
    (row,) = rows(ask(books, "payouts"))
    assert (row["state"], row["method"], row["creator_handle"]) == ("sent", "stripe", "mei")
    assert (row["requested_by"], row["approved_by"]) == ("fay", "finn")


def test_beancount_reads_the_ledger_without_an_error(books: Books) -> None:
    a_year(books)
    with unit_of_work() as session:
        legs = [ledger.Leg(ledger.processor("USD"), 5), ledger.Leg(ledger.AccountRef("goodwill", "USD"), -5)]
        odd = 'a "quoted"\n\\ line'
        ledger.post(session, source=odd, kind="odd", currency="USD", occurred_at=clock.now(), legs=legs, memo=odd)
    export = ask(books, "ledger", "beancount")
    content(export)
    entries, errors, _ = loader.load_file(str(export_files.file_of(export)))
    assert errors == []
    with unit_of_work() as session:
        posted = session.execute(text("SELECT count(*) FROM ledger_transactions")).scalar()
    assert sum(type(entry).__name__ == "Transaction" for entry in entries) == posted


def test_a_sheet_opens_with_numbers_as_numbers_and_no_formula(books: Books) -> None:
    books.pay(books.fans[0], books.monthly, 1234)
    with unit_of_work() as session:
        legs = [ledger.Leg(ledger.processor("USD"), 5), ledger.Leg(ledger.AccountRef("goodwill", "USD"), -5)]
        post = {"kind": "odd", "currency": "USD", "occurred_at": clock.now(), "legs": legs}
        ledger.post(session, source="=1+1", memo="https://example.test", **post)  # type: ignore[arg-type]
    export = ask(books, "ledger", "xlsx")
    content(export)
    sheet = load_workbook(export_files.file_of(export)).active
    assert sheet is not None
    header, *found = sheet.iter_rows()
    names = [cell.value for cell in header]
    debit = next(row[names.index("debit")] for row in found if row[names.index("debit")].value)
    assert (debit.data_type, debit.value, debit.number_format) == ("n", 12.34, "#,##0.00")
    cells = [cell for row in found for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}
    assert [cell.value for cell in cells if cell.value == "'=1+1"]
    assert all(cell.hyperlink is None for cell in cells)


def test_sepa_names_every_wrong_iban_before_the_bank_does(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    euro(books)
    with pytest.raises(Invalid) as refused, unit_of_work() as session:
        bank_details.keep(session, books.mei.id, Account("Mei", iban=BAD_IBAN))
    assert "iban" in (refused.value.errors or {})
    with unit_of_work() as session:
        bank_details.keep(session, books.mei.id, Account("Mei Líng", iban=GOOD_IBAN))
        assert bank_details.accounts_of(session, [books.mei.id])[books.mei.id].holder == "Mei Líng"
        sealed = session.execute(text("SELECT sealed FROM bank_details")).scalar()
        assert b"3704" not in bytes(sealed)
    run_id = bank_run(books, "EUR")
    document = content(ask_euro(books))
    try_valid_xml(document, "pain.001.001.03")
    names = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"}
    root = ET.fromstring(document)  # noqa: S314
    assert [node.text for node in root.iterfind(".//p:InstdAmt", names)] == ["9.00"]
    assert [node.text for node in root.iterfind(".//p:CdtrAcct//p:IBAN", names)] == [GOOD_IBAN.replace(" ", "")]
    assert content(ask_euro(books)) == document
    with unit_of_work() as session:
        assert payouts.executed(session, run_id).state == "done"
    with pytest.raises(Conflict), unit_of_work() as session:
        payouts.executed(session, run_id)
    monkeypatch.setattr(bank_details, "problems_by_field", lambda account: {})
    with unit_of_work() as session:  # an account that was stored before its bank was merged away
        bank_details.keep(session, books.mei.id, Account("Mei", iban=BAD_IBAN))
    failed = ask_euro(books)
    assert (failed.state, failed.error) == ("failed", "mei: Invalid checksum digits.")


def test_nacha_has_records_of_94_signs_in_blocks_of_ten_that_add_up(books: Books) -> None:
    books.pay(books.fans[0], books.monthly, 1200)
    with unit_of_work() as session:
        bank_details.keep(session, books.mei.id, Account("Méi", routing_number=ROUTING, account_number="12345"))
    bank_run(books, "USD")
    records = content(ask(books, "payouts", "nacha")).decode("ascii").split("\r\n")[:-1]
    assert {len(record) for record in records} == {94}
    assert len(records) % 10 == 0
    assert [record[0] for record in records[:5]] == ["1", "5", "6", "8", "9"]
    entry, batch, file = records[2], records[3], records[4]
    assert (entry[3:12], int(entry[29:39])) == (ROUTING, 900)
    assert int(batch[32:44]) == int(file[43:55]) == 900
    assert int(batch[10:20]) == int(file[21:31]) == int(ROUTING[:8])
    assert int(file[7:13]) * 10 == len(records)


def test_what_stripe_sent_is_in_no_file_for_the_bank(books: Books) -> None:
    a_year(books)
    failed = ask(books, "payouts", "nacha")
    assert failed.state == "failed"
    assert "paid twice" in (failed.error or "")


def test_changed_bank_details_wait_before_money_goes_there(books: Books) -> None:
    books.pay(books.fans[0], books.monthly, 1200)
    with unit_of_work() as session:
        for number in ("12345", "67890"):
            bank_details.keep(session, books.mei.id, Account("Mei", routing_number=ROUTING, account_number=number))
    with pytest.raises(HubError) as waits:
        bank_run(books, "USD")
    assert waits.value.code == "nothing_due"
    let_pass(8)
    bank_run(books, "USD")


@pytest.mark.parametrize(
    ("kind", "form", "field"),
    [("tax", "pdf", "format"), ("creator_statement", "csv", "creator"), ("payouts", "pain.001", "currency")],
)
def test_what_cannot_be_made_is_refused_by_field(books: Books, kind: str, form: str, field: str) -> None:
    books.pay(books.fans[0], books.monthly, 1200)
    with pytest.raises(Invalid) as refused:
        ask(books, kind, form)
    assert list(refused.value.errors or {}) == [field]


@pytest.mark.parametrize(
    ("minor_units", "currency", "shown"),
    [(0, "USD", "0.00"), (-5, "USD", "-0.05"), (500, "JPY", "500"), (-1, "KWD", "-0.001"), (12_345, "BHD", "12.345")],
)
def test_amounts_carry_their_currencys_own_decimals(minor_units: int, currency: str, shown: str) -> None:
    assert major(minor_units, currency) == shown


def euro(books: Books) -> None:
    """Nine euros for Mei, from where does not matter here."""
    with unit_of_work() as session:
        legs = [
            ledger.Leg(ledger.processor("EUR"), 900),
            ledger.Leg(ledger.creator_payable("EUR", books.mei.id), -900),
        ]
        ledger.post(session, source="in_eur", kind="payment", currency="EUR", occurred_at=clock.now(), legs=legs)


def ask_euro(books: Books) -> Export:
    at = clock.now().replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    with unit_of_work() as session:
        asked = exports.ask(
            session,
            finance(books.fay),
            kind="payouts",
            format="pain.001",
            period_from=at,
            period_to=at + timedelta(days=800),
            currency="EUR",
            creator_id=None,
        )
    exports.make(asked.id)
    with unit_of_work() as session:
        return exports.by_id(session, asked.id)


def bank_run(books: Books, currency: str) -> uuid.UUID:
    with unit_of_work() as session:
        run = payouts.open_run(session, finance(books.fay), currency=currency, method="bank")
    with unit_of_work() as session:
        payouts.approve(session, finance(books.finn), run.id)
    return run.id
