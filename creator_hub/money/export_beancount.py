"""The ledger as a Beancount file: https://beancount.github.io/docs/beancount_language_syntax.html

Every entry becomes one transaction. Debits are positive there too. The accounts are opened at the end of the file, when
they are all known; Beancount orders directives by their dates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from creator_hub.money.export_files import ExportFile
from creator_hub.money.export_table import Row, major

ROOTS = {
    "Assets": ("processor", "bank", "dispute_hold", "creator_receivable"),
    "Income": ("platform_fee",),
    "Expenses": ("processor_fee", "dispute_fee", "goodwill", "bad_debt", "fx"),
}
_ROOT_OF = {kind: root for root, kinds in ROOTS.items() for kind in kinds}
OPENED_ON = "1970-01-01"


class BeancountFile(ExportFile):
    _out: TextIO

    def open(self, path: Path) -> None:
        self._out = path.open("w", encoding="utf-8", newline="\n")
        self._names = [column.name for column in self.columns]
        self._accounts: set[str] = set()
        self._position = 0
        self._out.write('option "title" "Creator Hub ledger"\n')
        self._out.write(f'option "operating_currency" "{self.export.currency}"\n')

    def add(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._posting(dict(zip(self._names, row, strict=True)))

    def _posting(self, row: dict[str, Any]) -> None:
        if row["position"] != self._position:
            self._position = row["position"]
            what = f"{row['kind']} {row['memo']}".strip()
            self._out.write(f'\n{row["occurred_utc"][:10]} * "{_quoted(row["source"])}" "{_quoted(what)}"\n')
            self._out.write(f"  position: {row['position']}\n")
        account = account_name(row["account"], row["owner_id"], row["place"])
        self._accounts.add(account)
        minor = row["debit"] if row["debit"] is not None else -row["credit"]
        self._out.write(f"  {account}  {major(minor, row['currency'])} {row['currency']}\n")

    def finish(self) -> None:
        self._out.write("\n")
        for account in sorted(self._accounts):
            self._out.write(f"{OPENED_ON} open {account} {self.export.currency}\n")
        self._out.close()

    def close(self) -> None:
        self._out.close()


def account_name(kind: str, owner_id: str | None, place: str | None) -> str:
    """`Liabilities:Creator-Payable:C0195…`; the parts begin with a capital and hold letters, digits and dashes."""
    parts = [_ROOT_OF.get(kind, "Liabilities"), "-".join(word.capitalize() for word in kind.split("_"))]
    if owner_id:
        parts.append(f"C{owner_id}")
    if place:
        parts.append(f"P{re.sub(r'[^A-Za-z0-9-]', '-', place)}")
    return ":".join(parts)


def _quoted(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
