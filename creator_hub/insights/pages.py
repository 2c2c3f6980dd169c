"""The creator's dashboard: figures, charts and the table behind each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from flask import render_template
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import page
from creator_hub.core.money import decimals
from creator_hub.groups import doors
from creator_hub.insights import cohorts, queries
from creator_hub.insights.cohorts import Cohort
from creator_hub.insights.periods import periods_up_to
from creator_hub.insights.queries import Day
from creator_hub.insights.reading import changes, moment_of
from creator_hub.insights.rollups import JOINED

DAYS_SHOWN = 30
MONTHS_SHOWN = 12


@page("/g/<handle>/dashboard", permission=Permission.SEE_EARNINGS)
def dashboard_page(session: Session, actor: Actor, handle: str) -> str:
    """How the group does: members, money, who came, who left, who stays."""
    door = doors.group_by_handle(session, actor, handle, Permission.SEE_EARNINGS)
    group = door.group
    moment = moment_of(session, group)
    first = moment.today - timedelta(days=DAYS_SHOWN - 1)
    found = changes(session, group, moment, since=first)
    days = queries.days_of(group, found, first, moment.today)
    months = periods_up_to(moment.today, MONTHS_SHOWN)
    rows = cohorts.table(session, group, moment, months, basis=JOINED, grain="month")
    context: dict[str, Any] = {
        "group": group,
        "owns": door.standing.role == "creator",
        "overview": queries.summary(session, group, moment, first, found),
        "days": days,
        "cohorts": rows,
        "months_after": range(max((len(row.retained) for row in rows), default=0)),
        "members_chart": _chart(days, {_("Members"): "members", _("Paying"): "paying"}),
        "mrr_chart": _mrr_chart(days),
        "movement_chart": _chart(days, {_("Joined"): "joins", _("Left"): "departures"}),
        "cohort_chart": _cohort_chart(rows),
    }
    return render_template("insights/dashboard.html", **context)


def _chart(days: Sequence[Day], series: dict[str, str]) -> dict[str, Any]:
    return {
        "labels": [day.day.isoformat() for day in days],
        "series": [{"name": name, "values": [getattr(day, field) for day in days]} for name, field in series.items()],
        "unit": "",
    }


def _mrr_chart(days: Sequence[Day]) -> dict[str, Any]:
    # Only a drawing: pixels may be floats, the table beside it holds the amounts.
    values = [day.mrr.minor / 10 ** decimals(day.mrr.currency) for day in days]
    labels = [day.day.isoformat() for day in days]
    unit = days[-1].mrr.currency
    return {"labels": labels, "series": [{"name": _("Monthly recurring revenue"), "values": values}], "unit": unit}


def _cohort_chart(rows: Sequence[Cohort]) -> dict[str, Any]:
    return {
        "rows": [
            {
                "label": f"{row.cohort:%Y-%m}",
                "size": row.size,
                "values": [retained / row.size for retained in row.retained],
            }
            for row in rows
        ]
    }
