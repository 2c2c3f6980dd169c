"""Reading a bill: what an invoice of Stripe charges, credits and pays for. Pure: the same function reads the preview of
a change, the invoice that was then paid, and the books afterwards; nothing is ever prorated anew here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line after its discounts, minor units; negative gives unused time back."""

    amount: int
    discount: int
    start: datetime
    end: datetime
    price_id: str | None
    description: str
    is_proration: bool


@dataclass(frozen=True, slots=True)
class Bill:
    """What an invoice comes to. `new` is charged for time to come, `old` given back for unused time; `due` goes to the
    card, `credit_spent` comes from the fan's credit, `credit_given` goes there.

    new − old = due + credit_spent − credit_given.
    """

    currency: str
    lines: tuple[BillLine, ...]
    due: int

    @property
    def new(self) -> int:
        return sum(line.amount for line in self.lines if line.amount > 0)

    @property
    def old(self) -> int:
        return -sum(line.amount for line in self.lines if line.amount < 0)

    @property
    def total(self) -> int:
        return self.new - self.old

    @property
    def credit_spent(self) -> int:
        return max(0, self.total - self.due)

    @property
    def credit_given(self) -> int:
        return max(0, -self.total)

    @property
    def discount(self) -> int:
        return sum(line.discount for line in self.lines)

    @property
    def unused_from(self) -> datetime:
        """From when on the time is given back that was paid before."""
        return min(line.start for line in self.lines if line.amount < 0)

    @property
    def main(self) -> BillLine:
        """The line that says what is paid for: of those not given back, the one that reaches furthest."""
        return max(self.lines, key=lambda line: (line.amount >= 0, line.end, line.amount))


def read(invoice: Mapping[str, Any]) -> Bill:
    """Read an invoice or a preview of one. Raises ValueError when its own sums do not agree."""
    lines = tuple(_line(line) for line in invoice["lines"]["data"])
    bill = Bill(str(invoice["currency"]).upper(), lines, invoice["amount_due"])
    if bill.total != invoice["total"] or (bill.total > 0 and not 0 <= bill.due <= bill.total):
        raise ValueError(f"the lines of invoice {invoice['id']} do not make its total")
    return bill


def _line(line: Mapping[str, Any]) -> BillLine:
    discount = sum(row["amount"] for row in line["discount_amounts"] or ())
    details = (line["parent"] or {}).get("subscription_item_details") or {}
    pricing = (line["pricing"] or {}).get("price_details") or {}
    return BillLine(
        amount=line["amount"] - discount,
        discount=discount,
        start=datetime.fromtimestamp(line["period"]["start"], UTC),
        end=datetime.fromtimestamp(line["period"]["end"], UTC),
        price_id=pricing.get("price"),
        description=line["description"] or "",
        is_proration=bool(details.get("proration")),
    )
