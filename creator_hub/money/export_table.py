"""What a table for finance is: named columns of known kinds, rows read piece by piece, a verdict against the ledger.

A kind of export is a class that offers a `Table`; how it becomes bytes is decided by the format.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from sqlalchemy.orm import Session

from creator_hub.core.money import decimals

ColumnKind = Literal["text", "code", "money", "count"]
Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Column:
    """`text` was written by somebody and is defused; `code` is ours (ids, times, currencies); `money` holds minor units
    and is shown in major ones, `count` whole numbers. None is an empty cell."""

    name: str
    kind: ColumnKind = "code"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the rows agree with the ledger: by how much they do not (minor units), the totals that were compared,
    and what can be said about it."""

    difference: int
    controls: dict[str, Any]
    error: str | None = None


@dataclass(slots=True)
class Sum:
    """Adds up while a table is written."""

    rows: int = 0
    minor: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, amount: int) -> None:
        self.minor[name] = self.minor.get(name, 0) + amount


class Table(Protocol):
    """One kind of export over one period and currency, as the ledger stood at the export's position."""

    @property
    def columns(self) -> Sequence[Column]: ...

    def count(self, session: Session) -> int:
        """How many rows to expect; only progress depends on it."""
        ...

    def chunks(self) -> Iterator[list[Row]]:
        """The rows in their order. Each chunk is read in a unit of work of its own, over when the chunk is yielded."""
        ...

    def verdict(self, session: Session) -> Verdict:
        """Called once every chunk was read."""
        ...


def major(minor: int, currency: str) -> str:
    """Minor units as plain decimal text; the quick sister of `core.money.to_major` for a million rows."""
    places = decimals(currency)
    if places == 0:
        return str(minor)
    digits = str(abs(minor)).rjust(places + 1, "0")
    return f"{'-' if minor < 0 else ''}{digits[:-places]}.{digits[-places:]}"
