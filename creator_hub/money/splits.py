"""How one payment is shared: tax, platform fee, creator. Pure arithmetic on minor units."""

from __future__ import annotations

from dataclasses import dataclass

from creator_hub.core.money import round_half_up
from creator_hub.money.allocation import reversal

BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Split:
    """The three parts of a gross amount; they sum to it exactly."""

    tax: int
    fee: int
    creator: int

    @property
    def gross(self) -> int:
        return self.tax + self.fee + self.creator

    def __sub__(self, other: Split) -> Split:
        return Split(self.tax - other.tax, self.fee - other.fee, self.creator - other.creator)


def split_payment(gross: int, *, tax_bps: int, fee_bps: int) -> Split:
    """Split `gross`, which includes tax at `tax_bps`; the platform's fee is `fee_bps` of what is left after tax.

    tax = gross · r / (1 + r), fee = net · f, each rounded half up; the creator takes the remainder.
    """
    tax = round_half_up(gross * tax_bps, BASIS_POINTS + tax_bps)
    fee = round_half_up((gross - tax) * fee_bps, BASIS_POINTS)
    return Split(tax, fee, gross - tax - fee)


def split_refund(paid: Split, *, refunded_before: int, refund: int) -> Split:
    """The parts of one refund, such that all refunds together never drift from the payment's own shares.

    Tax and fee go back by `allocation.reversal`; the creator takes what remains.
    """
    tax = _reversed(paid.tax, paid.gross, refunded_before, refund)
    fee = _reversed(paid.fee, paid.gross, refunded_before, refund)
    return Split(tax, fee, refund - tax - fee)


def _reversed(part: int, gross: int, refunded_before: int, refund: int) -> int:
    before = reversal(part, gross, refunded_before, 0)
    return reversal(part, gross, refunded_before + refund, before)
