"""Payouts as the files that banks take: pain.001 (SEPA, ISO 20022) and NACHA (US ACH credits).

Only payouts of runs that are paid by bank are in them: what Stripe has transferred must not be paid again. Every
account is checked first, and each creator whose account is wrong is named.
"""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from schwifty import IBAN
from sepaxml import SepaTransfer

from creator_hub import settings
from creator_hub.core.db import unit_of_work
from creator_hub.money import bank_details
from creator_hub.money.bank_details import Account, iban_problem, routing_is_valid
from creator_hub.money.export_files import CannotBeWritten, ExportFile
from creator_hub.money.export_table import Row

SCHEMA = "pain.001.001.03"
NAMESPACE = f"{{urn:iso:std:iso:20022:tech:xsd:{SCHEMA}}}"
GONE = ("failed", "reversed")
RECORD, BLOCKING = 94, 10
CREDITS_ONLY, CHECKING_CREDIT = "220", "22"


@dataclass(frozen=True, slots=True)
class Transfer:
    payout_id: str
    handle: str
    amount: int
    account: Account
    on: date


class BankFile(ExportFile):
    """Gathers the payouts, then writes them all: a bank's file begins with its totals."""

    def open(self, path: Path) -> None:
        self._path = path
        self._names = [column.name for column in self.columns]
        self._payouts: list[dict[str, Any]] = []

    def add(self, rows: Sequence[Row]) -> None:
        found = [dict(zip(self._names, row, strict=True)) for row in rows]
        self._payouts += [row for row in found if row["method"] == "bank" and row["state"] not in GONE]

    def finish(self) -> None:
        if not self._payouts:
            raise CannotBeWritten("No payout of this period goes by bank transfer; what Stripe sent is not paid twice.")
        with unit_of_work() as session:
            wanted = {uuid.UUID(row["creator_id"]) for row in self._payouts}
            accounts = bank_details.accounts_of(session, wanted)
        transfers = [self._transfer(row, accounts) for row in self._payouts]
        problems = sorted({f"{transfer.handle}: {why}" for transfer in transfers if (why := self.problem(transfer))})
        if problems:
            raise CannotBeWritten(" ".join(problems))
        self._path.write_bytes(self.content(transfers))
        self.rows = len(transfers)

    def problem(self, transfer: Transfer) -> str | None:
        """Why the bank would send this one back."""
        raise NotImplementedError

    def content(self, transfers: Sequence[Transfer]) -> bytes:
        raise NotImplementedError

    def _transfer(self, row: dict[str, Any], accounts: dict[uuid.UUID, Account]) -> Transfer:
        return Transfer(
            payout_id=row["payout_id"],
            handle=row["creator_handle"],
            amount=row["amount"] - row["returned"],
            account=accounts.get(uuid.UUID(row["creator_id"]), Account(holder="")),
            on=datetime.fromisoformat(row["approved_utc"]).date(),
        )


class Pain001File(BankFile):
    """One batch of SEPA credit transfers, valid against the public schema."""

    def problem(self, transfer: Transfer) -> str | None:
        if not transfer.account.iban:
            return "no IBAN was given."
        return iban_problem(transfer.account.iban)

    def content(self, transfers: Sequence[Transfer]) -> bytes:
        config = settings.current()
        if not config.bank_iban or iban_problem(config.bank_iban):
            raise CannotBeWritten("Set HUB_BANK_IBAN and HUB_BANK_NAME to the account that pays.")
        payer = {"name": config.bank_name, "IBAN": config.bank_iban.replace(" ", ""), "batch": True, "currency": "EUR"}
        if bic := IBAN(config.bank_iban).bic:
            payer["BIC"] = str(bic)
        file = SepaTransfer(payer, schema=SCHEMA, clean=True)
        for transfer in transfers:
            payment = {
                "name": transfer.account.holder,
                "IBAN": transfer.account.iban.replace(" ", ""),
                "amount": transfer.amount,
                "execution_date": max(one.on for one in transfers),
                "description": f"Payout {transfer.payout_id}",
                "endtoend_id": uuid.UUID(transfer.payout_id).hex,
            }
            if bic := IBAN(transfer.account.iban).bic:
                payment["BIC"] = str(bic)
            file.add_payment(payment)
        document: bytes = file.export(validate=True)
        return self._fixed(document)

    def _fixed(self, document: bytes) -> bytes:
        """The library names and dates the message by chance and by the clock; here by what was asked for."""
        ET.register_namespace("", NAMESPACE.strip("{}"))
        root = ET.fromstring(document)  # noqa: S314 - our own words
        period = f"{self.export.period_from:%Y%m%d}-{self.export.period_to:%Y%m%d}"
        for name, value in (
            ("MsgId", f"PAYOUTS-{period}"),
            ("PmtInfId", f"PAYOUTS-{period}-1"),
            ("CreDtTm", f"{self.export.period_to:%Y-%m-%dT%H:%M:%S}"),
        ):
            for node in root.iter(f"{NAMESPACE}{name}"):
                node.text = value
        written: bytes = ET.tostring(root, "utf-8")
        return b'<?xml version="1.0" encoding="UTF-8"?>\n' + written


class NachaFile(BankFile):
    """One PPD batch of credits: records of 94 signs, blocks of ten, ASCII only."""

    def problem(self, transfer: Transfer) -> str | None:
        if not routing_is_valid(transfer.account.routing_number):
            return "no US account was given, or its routing number is wrong."
        return None if transfer.amount < 10**10 else "the amount is too large for one record."

    def content(self, transfers: Sequence[Transfer]) -> bytes:
        config = settings.current()
        if not routing_is_valid(config.ach_routing_number) or not config.ach_company_id:
            raise CannotBeWritten("Set HUB_ACH_ROUTING_NUMBER, HUB_ACH_COMPANY_ID and HUB_BANK_NAME.")
        odfi, company, name = config.ach_routing_number, config.ach_company_id, _ascii(config.bank_name)
        last, made = max(one.on for one in transfers), self.export.period_to
        header = (
            f"101 {odfi}{company:>10.10}{made:%y%m%d}{made:%H%M}A094101{'':23}{name:<23.23}{'':8}",
            f"5{CREDITS_ONLY}{name:<16.16}{'':20}{company:>10.10}PPD{'PAYOUT':<10}{last:%y%m%d}{last:%y%m%d}   1"
            f"{odfi[:8]}{1:07d}",
        )
        entries = [_entry(transfer, odfi, number) for number, transfer in enumerate(transfers, 1)]
        total = sum(transfer.amount for transfer in transfers)
        checksum = sum(int(transfer.account.routing_number[:8]) for transfer in transfers) % 10**10
        counts = f"{len(entries):06d}{checksum:010d}{0:012d}{total:012d}"
        batch_end = f"8{CREDITS_ONLY}{counts}{company:>10.10}{'':19}{'':6}{odfi[:8]}{1:07d}"
        blocks = -(-(len(header) + len(entries) + 2) // BLOCKING)
        file_end = f"9{1:06d}{blocks:06d}{len(entries):08d}{checksum:010d}{0:012d}{total:012d}{'':39}"
        records = [*header, *entries, batch_end, file_end]
        records += ["9" * RECORD] * (blocks * BLOCKING - len(records))
        return "".join(f"{record}\r\n" for record in records).encode("ascii")


def _entry(transfer: Transfer, odfi: str, number: int) -> str:
    account = transfer.account
    own = uuid.UUID(transfer.payout_id).hex[-15:]
    return (
        f"6{CHECKING_CREDIT}{account.routing_number}{account.account_number:<17.17}{transfer.amount:010d}"
        f"{own:<15}{_ascii(account.holder):<22.22}  0{odfi[:8]}{number:07d}"
    )


def _ascii(text: str) -> str:
    """Capitals, digits and a few signs: what every bank reads."""
    return re.sub(r"[^A-Z0-9 .&-]", " ", text.upper().encode("ascii", "replace").decode())
