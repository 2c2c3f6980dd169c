"""Sharing an amount without losing or inventing a unit: the only arithmetic by which money is divided here."""

from __future__ import annotations

from creator_hub.core.money import round_half_up, split

__all__ = ["reversal", "split"]


def reversal(fee: int, gross: int, refunded_total: int, already_reversed: int) -> int:
    """How much of `fee` goes back now that `refunded_total` of `gross` has been given back, all in minor units.

    `round_half_up(fee · refunded_total / gross) − already_reversed`: each refund corrects the rounding of those before
    it, so that refunds in any pieces end at the same sum. Negative when a refund came back. Raises ValueError unless
    0 < gross, 0 ≤ fee ≤ gross, 0 ≤ refunded_total ≤ gross and 0 ≤ already_reversed ≤ fee; TypeError for what is no int.
    """
    for value in (fee, gross, refunded_total, already_reversed):
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError("money is counted in whole minor units")
    if gross <= 0:
        raise ValueError("the gross amount must be positive")
    if not 0 <= fee <= gross:
        raise ValueError("the fee must lie between nothing and the gross amount")
    if not 0 <= refunded_total <= gross:
        raise ValueError("no more can be given back than was paid")
    if not 0 <= already_reversed <= fee:
        raise ValueError("no more of the fee can be reversed than was taken")
    return round_half_up(fee * refunded_total, gross) - already_reversed
