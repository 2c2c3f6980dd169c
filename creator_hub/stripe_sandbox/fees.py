"""What the sandbox charges: 2.9 % + a fixed part, and a fee for a dispute, in minor units of the currency."""

from __future__ import annotations

from fractions import Fraction

from creator_hub.stripe_sandbox.billing import round_half_up

ZERO_DECIMAL = frozenset(
    {
        "bif",
        "clp",
        "djf",
        "gnf",
        "jpy",
        "kmf",
        "krw",
        "mga",
        "pyg",
        "rwf",
        "ugx",
        "vnd",
        "vuv",
        "xaf",
        "xof",
        "xpf",
    }
)
THREE_DECIMAL = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
_FIXED = {"usd": 30, "eur": 25, "gbp": 20, "jpy": 30, "krw": 400, "vnd": 7_000, "clp": 280, "xaf": 180, "xof": 180}
_PERCENT = Fraction(29, 1000)


def fixed_part(currency: str) -> int:
    """0.30 of a currency with cents; the equivalent where the table knows better."""
    return _FIXED.get(currency, 300 if currency in THREE_DECIMAL else 30)


def processing_fee(amount: int, currency: str) -> int:
    """The fee on one successful charge; never more than the charge."""
    return min(amount, round_half_up(amount * _PERCENT) + fixed_part(currency) if amount else 0)


def dispute_fee(currency: str) -> int:
    """15.00 of a currency with cents."""
    return 50 * fixed_part(currency)
