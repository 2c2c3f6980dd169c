"""Revenue month by month: what recurs, what moved it, how much of it stayed, what was paid and given back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from creator_hub.core.money import Money, round_half_up
from creator_hub.groups.models import Group
from creator_hub.insights.facts import MOVEMENTS
from creator_hub.insights.reading import By, Changes, Figures, Moment, Slice, changes, names_of, per_month


@dataclass(frozen=True, slots=True)
class RevenueMonth:
    """`mrr` at the month's end (the running month: now); `paid` includes tax and fees, `refunded` counts positive.

    `gross_retention` and `net_retention` are shares of the MRR the month began with (docs/measures.md), `arpu` is MRR
    per paying member at its end, `trial_conversion` the share of the trials begun in the month that were paid for.
    """

    month: date
    slice: str | None
    mrr: Money
    movement: Mapping[str, Money]
    gross_retention: float | None
    net_retention: float | None
    paying: int
    arpu: Money | None
    trials: int
    conversions: int
    trial_conversion: float | None
    paid: Money
    refunded: Money


def by_month(
    session: Session, group: Group, moment: Moment, months: Sequence[date], by: By | None = None
) -> list[RevenueMonth]:
    """One row for each of `months` (first days, oldest first); with `by` one for each slice that ever had anything."""
    found = changes(session, group, moment, since=months[0], grain="month", by=by)
    names = names_of(session, group, by) if by else {}
    slices: list[Slice] = (
        [None] if by is None else sorted({part for _, part in found}, key=lambda part: _name(names, part))
    )
    return [row for part in slices for row in _rows(group, found, months, part, _name(names, part) if by else None)]


def _name(names: Mapping[Any, str], part: Slice) -> str:
    """A campaign is its own name; people who came by none, and passcodes of none, are `none`."""
    return "none" if part is None else names.get(part, str(part))


def _rows(group: Group, found: Changes, months: Sequence[date], part: Slice, name: str | None) -> list[RevenueMonth]:
    level = Figures(found.get((None, part), {}))
    rows = []
    for month in months:
        start, figures = level["annual_minor"], found.get((month, part), Figures())
        level.update(figures)
        rows.append(_row(group, month, name, start, level, figures))
    return rows


def _row(group: Group, month: date, name: str | None, start: int, level: Figures, figures: Figures) -> RevenueMonth:
    paying, annual = level["paying"], level["annual_minor"]
    # Whoever stopped and came back within the month, late with a payment, has not been lost.
    lost = figures["contraction"] + max(0, figures["churn"] - figures["reactivation"])
    moved = figures["expansion"] + figures["reactivation"] - figures["contraction"] - figures["churn"]
    return RevenueMonth(
        month=month,
        slice=name,
        mrr=per_month(group, annual),
        movement={kind: per_month(group, figures[kind]) for kind in MOVEMENTS},
        gross_retention=_share(start - lost, start),
        net_retention=_share(start + moved, start),
        paying=paying,
        arpu=Money(round_half_up(annual, 12 * paying), group.currency) if paying else None,
        trials=figures["trials"],
        conversions=figures["conversions"],
        trial_conversion=_share(figures["conversions"], figures["trials"]),
        paid=Money(figures["paid_minor"], group.currency),
        refunded=Money(figures["refunded_minor"], group.currency),
    )


def _share(part: int, whole: int) -> float | None:
    return round(max(0, part) / whole, 4) if whole > 0 else None
