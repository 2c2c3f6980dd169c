"""JSON and CSV routes of the reports. They read what workers keep up to date, and write nothing."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import Reply, route
from creator_hub.groups import doors
from creator_hub.insights import cohorts, queries, revenue, schemas, tables
from creator_hub.insights.periods import periods_up_to
from creator_hub.insights.reading import moment_of

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
    found = queries.overview(session, group, moment_of(session, group), query["days"])
    return tables.overview_file(group, found) if query["format"] == "csv" else found


@route(
    "GET",
    "/groups/<handle>/insights/revenue",
    permission=Permission.SEE_EARNINGS,
    query=schemas.RevenueQuery(),
    answer=schemas.RevenueOut(),
    limit=REPORTS,
)
def revenue_table(session: Session, actor: Actor, handle: str, query: dict[str, Any]) -> dict[str, Any] | Reply:
    """Month by month: recurring revenue, what moved it and how much stayed; in all or by tier, campaign or passcode."""
    group = doors.group_by_handle(session, actor, handle, Permission.SEE_EARNINGS).group
    moment = moment_of(session, group)
    rows = revenue.by_month(session, group, moment, periods_up_to(moment.today, query["months"]), query["by"])
    return tables.revenue_file(group, rows) if query["format"] == "csv" else {"by": query["by"], "rows": rows}


@route(
    "GET",
    "/groups/<handle>/insights/cohorts",
    permission=Permission.SEE_EARNINGS,
    query=schemas.CohortsQuery(),
    answer=schemas.CohortsOut(),
    limit=REPORTS,
)
def cohort_table(session: Session, actor: Actor, handle: str, query: dict[str, Any]) -> dict[str, Any] | Reply:
    """By when people first paid or came: how many are still here, and what they paid."""
    group = doors.group_by_handle(session, actor, handle, Permission.SEE_EARNINGS).group
    moment, grain, basis = moment_of(session, group), query["by"], query["of"]
    periods = periods_up_to(moment.today, query["months"], grain)
    rows = cohorts.table(session, group, moment, periods, basis=basis, grain=grain)
    shown = [(cohorts.label(row, grain), row) for row in rows]
    if query["format"] == "csv":
        return tables.cohorts_file(group, shown)
    return {"by": grain, "of": basis, "rows": [cohorts.as_row(name, row) for name, row in shown]}


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
    moment = moment_of(session, group)
    rows = queries.churn(session, group, moment, periods_up_to(moment.today, query["months"]))
    return tables.churn_file(group, rows) if query["format"] == "csv" else {"rows": rows}
