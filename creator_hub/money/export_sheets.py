"""Tables as CSV and XLSX: text defused, numbers as numbers, a row at a time."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import xlsxwriter

from creator_hub.core.money import decimals
from creator_hub.money.export_files import CannotBeWritten, ExportFile, defused
from creator_hub.money.export_table import Column, Row, major

MOST_ROWS = 1_048_575  # of a sheet, its header aside
EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - the file format knows no zone; any fixed moment keeps the bytes the same


class CsvFile(ExportFile):
    """UTF-8, a header row, amounts in major units with the currency's own decimals."""

    _out: TextIO

    def open(self, path: Path) -> None:
        self._out = path.open("w", encoding="utf-8", newline="", buffering=1 << 20)
        self._writer = csv.writer(self._out)
        self._writer.writerow([column.name for column in self.columns])
        self._cells = [_as_text(column, self.export.currency) for column in self.columns]

    def add(self, rows: Sequence[Row]) -> None:
        cells = self._cells
        self._writer.writerows(
            [value if cell is None else cell(value) for cell, value in zip(cells, row, strict=True)] for row in rows
        )

    def finish(self) -> None:
        self._out.close()

    def close(self) -> None:
        self._out.close()


def _as_text(column: Column, currency: str) -> Callable[[Any], Any] | None:
    """How a column's values become text; None: as they are."""
    if column.kind == "money":
        return lambda value: "" if value is None else major(value, currency)
    return defused if column.kind == "text" else None


class XlsxFile(ExportFile):
    """One sheet, its header frozen, written in constant memory. No text is ever taken for a formula or a link."""

    _book: Any = None

    def open(self, path: Path) -> None:
        self._book = xlsxwriter.Workbook(
            path,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "tmpdir": str(path.parent),
            },
        )
        self._book.set_properties({"created": EPOCH, "title": self.export.kind})
        sheet = self._book.add_worksheet(self.export.kind[:31])
        sheet.freeze_panes(1, 0)
        bold = self._book.add_format({"bold": True})
        places = decimals(self.export.currency)
        self._amount = self._book.add_format({"num_format": f"#,##0.{'0' * places}" if places else "#,##0"})
        self._unit = 10**places
        for number, column in enumerate(self.columns):
            sheet.set_column(number, number, 14 if column.kind in ("money", "count") else 22)
            sheet.write_string(0, number, column.name, bold)
        self._sheet = sheet

    def add(self, rows: Sequence[Row]) -> None:
        if self.rows + len(rows) > MOST_ROWS:
            raise CannotBeWritten("A sheet holds 1,048,575 rows. Ask for a shorter period, or for CSV.")
        text, number, kinds = self._sheet.write_string, self._sheet.write_number, [c.kind for c in self.columns]
        amount, unit = self._amount, self._unit
        for at, row in enumerate(rows, self.rows + 1):
            for place, (kind, value) in enumerate(zip(kinds, row, strict=True)):
                if value is None or value == "":
                    continue
                if kind == "money":
                    number(at, place, value / unit, amount)
                elif kind == "count":
                    number(at, place, value)
                else:
                    text(at, place, defused(value) if kind == "text" else value)

    def finish(self) -> None:
        self._sheet.autofilter(0, 0, max(1, self.rows), len(self.columns) - 1)
        book, self._book = self._book, None
        book.close()

    def close(self) -> None:
        if self._book is not None:  # given up: the library wants its temporary files closed
            book, self._book = self._book, None
            book.close()
