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
from creator_hub.insights.facts import MOVEMENTS, REASONS, STATES
from creator_hub.insights.queries import ChurnMonth, Overview
from creator_hub.insights.revenue import RevenueMonth


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
