"""Money as integer minor units with a currency. No float ever comes near it.

Decimals per currency follow ISO 4217 as Stripe charges them (https://docs.stripe.com/currencies).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

ZERO_DECIMAL = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "JPY",
        "KMF",
        "KRW",
        "MGA",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
THREE_DECIMAL = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
_CODE = re.compile(r"[A-Z]{3}\Z")


def decimals(currency: str) -> int:
    """How many digits of `currency` stand behind the decimal point: 0, 2 or 3."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount of one currency: `minor` counts its smallest units and may be negative."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if isinstance(self.minor, bool) or not isinstance(self.minor, int):
            raise TypeError("money is counted in whole minor units")
        if not _CODE.match(self.currency):
            raise ValueError(f"{self.currency!r} is no ISO 4217 code")

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other).minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __str__(self) -> str:
        return f"{to_major(self)} {self.currency}"

    def _same(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"cannot mix {self.currency} and {other.currency}")
        return other


def to_major(money: Money) -> str:
    """The amount as plain decimal text in major units: `12.00`, `-0.65`, `500` for yen, `1.250` for dinar."""
    places = decimals(money.currency)
    sign = "-" if money.minor < 0 else ""
    if places == 0:
        return f"{sign}{abs(money.minor)}"
    whole, part = divmod(abs(money.minor), 10**places)
    return f"{sign}{whole}.{part:0{places}d}"


def round_half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator` to the nearest integer, halves away from zero: symmetric for refunds."""
    if denominator <= 0:
        raise ValueError("the denominator must be positive")
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))


def split(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """Divide `amount_minor` in proportion to `weights` by largest remainder; the parts sum to it exactly.

    Equal remainders go to the earlier part, so the same division comes out every time; a negative amount is divided as
    its opposite is. Raises ValueError unless there are weights, none negative and not all zero; TypeError for what is
    no int.
    """
    for value in (amount_minor, *weights):
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError("amounts and weights are whole numbers")
    total = sum(weights)
    if total <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("weights must be non-negative and not all zero")
    sign = -1 if amount_minor < 0 else 1
    shares = [divmod(abs(amount_minor) * weight, total) for weight in weights]
    parts = [quotient for quotient, _ in shares]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-shares[i][1], i))
    for i in by_remainder[: abs(amount_minor) - sum(parts)]:
        parts[i] += 1
    return [sign * part for part in parts]
