"""The reports as CSV: UTF-8, a header row, stable columns; money in major units."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from creator_hub.core.edge import Reply
from creator_hub.core.money import to_major
from creator_hub.core.schemas import rfc3339
from creator_hub.groups.models import Group
from creator_hub.insights.cohorts import Cohort
from creator_hub.insights.engagement import ActiveDay, Engagement
from creator_hub.insights.facts import MOVEMENTS, REASONS, STATES
from creator_hub.insights.holdouts import Lift
from creator_hub.insights.lift import Effect, NotEnough
from creator_hub.insights.queries import ChurnMonth, Overview
from creator_hub.insights.revenue import RevenueMonth
from creator_hub.insights.risk import HitRate
from creator_hub.insights.staying import Forecast, Survival
from creator_hub.insights.votes import Vote


def overview_file(group: Group, found: Overview) -> Reply:
    header = ["as_of", "since", "currency", *STATES, "mrr", *MOVEMENTS, "joins", *REASONS, "creator_authored_share"]
    row = [
        rfc3339(found.as_of),
        found.since,
        group.currency,
        *(found.members[state] for state in STATES),
        to_major(found.mrr),
        *(to_major(found.movement[kind]) for kind in MOVEMENTS),
        found.joins,
        *(found.departures[reason] for reason in REASONS),
        found.creator_authored_share,
    ]
    return _file(group, "overview", header, [row])


def cohorts_file(group: Group, rows: Iterable[tuple[str, Cohort]]) -> Reply:
    """One row for each cohort and period after it."""
    header = ["cohort", "size", "period", "retained", "revenue", "currency"]
    return _file(
        group,
        "cohorts",
        header,
        [
            [name, row.size, n, retained, to_major(revenue), group.currency]
            for name, row in rows
            for n, (retained, revenue) in enumerate(zip(row.retained, row.revenue, strict=True))
        ],
    )


def revenue_file(group: Group, rows: Iterable[RevenueMonth]) -> Reply:
    shares, counts = ("gross_retention", "net_retention", "trial_conversion"), ("paying", "trials", "conversions")
    header = ["month", "slice", "currency", "mrr", *MOVEMENTS, *shares, *counts, "arpu", "paid", "refunded"]
    return _file(
        group,
        "revenue",
        header,
        [
            [
                f"{row.month:%Y-%m}",
                row.slice,
                group.currency,
                *(to_major(amount) for amount in (row.mrr, *(row.movement[kind] for kind in MOVEMENTS))),
                *(getattr(row, name) for name in (*shares, *counts)),
                to_major(row.arpu) if row.arpu else None,
                to_major(row.paid),
                to_major(row.refunded),
            ]
            for row in rows
        ],
    )


def churn_file(group: Group, rows: Iterable[ChurnMonth]) -> Reply:
    header = ["month", "members_at_start", "joins", *REASONS, "rate"]
    return _file(
        group,
        "churn",
        header,
        [
            [
                f"{row.month:%Y-%m}",
                row.members_at_start,
                row.joins,
                *(row.departures[reason] for reason in REASONS),
                row.rate,
            ]
            for row in rows
        ],
    )


def _file(group: Group, name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Reply:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    disposition = f'attachment; filename="{group.handle}_{name}.csv"'
    return Reply(text.getvalue(), headers={"Content-Disposition": disposition}, content_type="text/csv; charset=utf-8")


def survival_file(group: Group, found: Survival) -> Reply:
    """One row for each curve and time at which somebody left."""
    header = ["curve", "days", "at_risk", "events", "survival", "lower", "upper"]
    return _file(
        group,
        "survival",
        header,
        [
            [named.name, *row]
            for named in found.curves
            for row in zip(
                *(getattr(named.curve, name) for name in ("times", "at_risk", "events", "survival", "lower", "upper")),
                strict=True,
            )
        ],
    )


def forecast_file(group: Group, found: Forecast) -> Reply:
    rows = [[row.period, row.actual, row.fitted] for row in found.periods]
    return _file(group, "forecast", ["renewals", "actual", "fitted"], rows)


def engagement_file(group: Group, found: Engagement) -> Reply:
    """One row for each measure and day; measures of the whole time stand on the last day."""
    today = found.today.day
    whole: list[tuple[str, object]] = [
        ("stickiness", found.stickiness),
        ("creator_authored_share", found.creator_authored_share),
        ("median_reply_minutes", found.median_reply_minutes),
        ("lurkers_who_pay", found.lurkers_who_pay),
        ("at_risk_count", found.at_risk_count),
        *((f"returned_d{row.after}", row.share) for row in found.returned),
        *((f"hit_rate_{name}", getattr(found.hit_rate, name)) for name in HitRate.__slots__),
    ]
    names = [name for name in ActiveDay.__slots__ if name != "day"]
    daily = [[name, row.day, getattr(row, name)] for row in found.days for name in names]
    return _file(group, "engagement", ["measure", "day", "value"], [*daily, *([n, today, v] for n, v in whole)])


def voting_file(group: Group, rows: Iterable[Vote]) -> Reply:
    return _file(group, "voting", Vote.__slots__, [[getattr(row, name) for name in Vote.__slots__] for row in rows])


def lift_file(group: Group, rows: Iterable[Lift]) -> Reply:
    """One row for each holdout and kind of effect."""
    header = ["campaign", "invited", "held_back", "came", "needed", "effect", "estimate", "lower", "upper", "note"]
    counts = ("invited", "held_back", "came", "needed")
    return _file(
        group,
        "lift",
        header,
        [
            [row.holdout.campaign, *(getattr(row, name) for name in counts), name, *_effect(getattr(row, name))]
            for row in rows
            for name in ("itt", "complier")
        ],
    )


def _effect(found: Effect | NotEnough) -> Sequence[object]:
    if isinstance(found, NotEnough):
        return None, None, None, found.reason
    return found.estimate, found.lower, found.upper, None
