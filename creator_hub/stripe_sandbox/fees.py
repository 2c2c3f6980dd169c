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


def smallest_charge(currency: str) -> int:
    """The least that a card is charged; what is below it is carried on the customer's balance."""
    return _SMALLEST.get(currency, 500 if currency in THREE_DECIMAL else 50)


def major(amount: int, currency: str) -> str:
    """Major units with the currency's own decimals: `12.00`."""
    decimals = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    digits = str(abs(amount)).rjust(decimals + 1, "0")
    whole = digits if not decimals else f"{digits[:-decimals]}.{digits[-decimals:]}"
    return f"-{whole}" if amount < 0 else whole


def shown(amount: int, currency: str) -> str:
    """`$12.00`, or `12.000 KWD` where no sign is common."""
    sign = _SIGNS.get(currency)
    return f"{sign}{major(amount, currency)}" if sign else f"{major(amount, currency)} {currency.upper()}"


_SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "krw": "₩", "inr": "₹"}
_SMALLEST = {"gbp": 30, "jpy": 50, "krw": 500, "vnd": 10_000, "clp": 500, "xaf": 300, "xof": 300, "sek": 300}
_SMALLEST |= {"nok": 300, "dkk": 250, "mxn": 1000, "inr": 50, "pln": 200, "czk": 1500, "huf": 17_500}
