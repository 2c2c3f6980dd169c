"""JSON and CSV routes of the reports. Each brings the facts up to now before it reads them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import Reply, route
from creator_hub.groups import doors
from creator_hub.insights import cohorts, queries, revenue, schemas, tables
from creator_hub.insights.service import bring_up_to_date

REPORTS = "120/minute"


@route(
    "GET",
    "/groups/<handle>/insights/overview",
    permission=Permission.SEE_EARNINGS,
    query=schemas.OverviewQuery(),
    answer=schemas.OverviewOut(),
    limit=REPORTS,
)
def overview(session: Session, actor: Actor, handle: str, query: dict[str, Any]) -> queries.Overview | Reply:
    """Members, monthly recurring revenue, joins and departures of a group."""
    group = doors.group_by_handle(session, actor, handle, Permission.SEE_EARNINGS).group
    as_of = bring_up_to_date(session, group.id)
    found = queries.overview(session, group, as_of, query["days"])
    return tables.overview_file(group, found) if query["format"] == "csv" else found


@route(
    "GET",
    "/groups/<handle>/insights/revenue",
    permission=Permission.SEE_EARNINGS,
    query=schemas.MonthsQuery(),
    answer=schemas.RevenueOut(),
    limit=REPORTS,
)
def revenue_table(session: Session, actor: Actor, handle: str, query: dict[str, Any]) -> dict[str, Any] | Reply:
    """Month by month: recurring revenue, what moved it, what was paid and refunded."""
    group = doors.group_by_handle(session, actor, handle, Permission.SEE_EARNINGS).group
    today = bring_up_to_date(session, group.id).date()
    rows = revenue.by_month(session, group, queries.months_up_to(today, query["months"]), today)
    return tables.revenue_file(group, rows) if query["format"] == "csv" else {"rows": rows}


@route(
    "GET",
    "/groups/<handle>/insights/cohorts",
    permission=Permission.SEE_EARNINGS,
    query=schemas.MonthsQuery(),
    answer=schemas.CohortsOut(),
    limit=REPORTS,
)
def cohort_table(session: Session, actor: Actor, handle: str, query: dict[str, Any]) -> dict[str, Any] | Reply:
    """By the month people first came: how many are still here, and what they paid."""
    group = doors.group_by_handle(session, actor, handle, Permission.SEE_EARNINGS).group
    today = bring_up_to_date(session, group.id).date()
    rows = cohorts.by_month(session, group, queries.months_up_to(today, query["months"]), today)
    return tables.cohorts_file(group, rows) if query["format"] == "csv" else {"by": "month", "rows": rows}


@route(
    "GET",
    "/groups/<handle>/insights/churn",
    permission=Permission.SEE_EARNINGS,
    query=schemas.MonthsQuery(),
    answer=schemas.ChurnOut(),
    limit=REPORTS,
)
def churn(session: Session, actor: Actor, handle: str, query: dict[str, Any]) -> dict[str, Any] | Reply:
    """Month by month: who was there, who came, who left and why."""
    group = doors.group_by_handle(session, actor, handle, Permission.SEE_EARNINGS).group
    today = bring_up_to_date(session, group.id).date()
    rows = queries.churn(session, group, queries.months_up_to(today, query["months"]), today)
    return tables.churn_file(group, rows) if query["format"] == "csv" else {"rows": rows}
