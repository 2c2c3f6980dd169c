"""A creator's statement as PDF. Made in `invariant` mode, so that the same statement is the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from creator_hub.money.export_files import ExportFile
from creator_hub.money.export_statement import CLOSING, OPENING
from creator_hub.money.export_table import Row, major

WIDTH, HEIGHT = A4
LEFT, RIGHT, TOP, BOTTOM = 48, WIDTH - 48, HEIGHT - 56, 56
LINE = 14
LATIN, LATIN_BOLD, ASIAN = "Helvetica", "Helvetica-Bold", "STSong-Light"
LONGEST = 58
WORDS = {
    "payment": "Payment",
    "earned": "Month earned of a yearly payment",
    "refund": "Refund",
    "refund_failed": "Refund that came back",
    "unused_time": "Unused time after a change of plan",
    "dispute_lost": "Lost dispute",
    "payout_approved": "Payout",
    "payout_refused": "Payout that Stripe refused",
    "payout_reversed": "Payout taken back",
    "receivable_netted": "Debt settled",
    "receivable_written_off": "Debt written off",
    "reversal": "Correction",
    OPENING: "Opening balance",
    CLOSING: "Closing balance",
}


class StatementPdf(ExportFile):
    """Lines as they come, then the sums by kind."""

    def open(self, path: Path) -> None:
        pdfmetrics.registerFont(UnicodeCIDFont(ASIAN))
        self._names = [column.name for column in self.columns]
        self._canvas = Canvas(str(path), pagesize=A4, invariant=1)
        self._canvas.setTitle("Statement")
        self._y, self._page = TOP, 0
        self._kinds: dict[str, tuple[int, int]] = {}
        self._new_page()

    def add(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._line(dict(zip(self._names, row, strict=True)))

    def _line(self, row: dict[str, Any]) -> None:
        kind, minor = row["kind"], row["amount"]
        if minor is not None:
            count, total = self._kinds.get(kind, (0, 0))
            self._kinds[kind] = (count + 1, total + minor)
        what = " · ".join(filter(None, [_words(kind), row["group_handle"], row["tier"]]))
        figures = ("" if minor is None else self._money(minor), self._money(row["balance"]))
        self._write(row["occurred_utc"][:10], what, *figures, bold=kind in (OPENING, CLOSING))

    def finish(self) -> None:
        self._y -= LINE
        self._write("", "By kind", "", "", bold=True)
        for kind, (count, total) in sorted(self._kinds.items()):
            self._write("", f"{_words(kind)} ({count})", self._money(total), "")
        self._canvas.save()

    def _money(self, minor: int) -> str:
        return major(minor, self.export.currency)

    def _new_page(self) -> None:
        if self._page:
            self._canvas.showPage()
        self._page, self._y = self._page + 1, TOP
        days = (moment.strftime("%Y-%m-%d") for moment in (self.export.period_from, self.export.period_to))
        self._text(LEFT, f"Statement in {self.export.currency}", LATIN_BOLD, 14)
        self._y -= 18
        self._text(LEFT, f"Creator {self.export.creator_id}", LATIN, 9)
        self._y -= 12
        self._text(LEFT, f"{' to '.join(days)} (UTC, the last day not included) · page {self._page}", LATIN, 9)
        self._y -= 20
        self._cells("Date", "What", "Amount", "Balance", LATIN_BOLD)
        self._canvas.line(LEFT, self._y - 4, RIGHT, self._y - 4)
        self._y -= LINE + 2

    def _write(self, day: str, what: str, amount: str, balance: str, *, bold: bool = False) -> None:
        if self._y < BOTTOM:
            self._new_page()
        self._cells(day, what, amount, balance, LATIN_BOLD if bold else LATIN)
        self._y -= LINE

    def _cells(self, day: str, what: str, amount: str, balance: str, font: str) -> None:
        shown = what if len(what) <= LONGEST else f"{what[: LONGEST - 1]}…"
        self._text(LEFT, day, font, 9)
        self._text(LEFT + 66, shown, font, 9)
        self._canvas.setFont(font, 9)
        self._canvas.drawRightString(RIGHT - 90, self._y, amount)
        self._canvas.drawRightString(RIGHT, self._y, balance)

    def _text(self, x: float, text: str, font: str, size: float) -> None:
        """Latin in Helvetica, everything else in the font that PDF readers bring for Chinese, Japanese and Korean."""
        try:
            text.encode("cp1252")
        except UnicodeEncodeError:
            font = ASIAN
        self._canvas.setFont(font, size)
        self._canvas.drawString(x, self._y, text)


def _words(kind: str) -> str:
    return WORDS.get(kind, kind.replace("_", " ").capitalize())
