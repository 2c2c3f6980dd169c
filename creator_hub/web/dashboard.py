"""The creator's dashboard: what needs them today, then the figures, each with the table behind it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import render_template
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from creator_hub.accounts.queries import people
from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import page
from creator_hub.groups import doors
from creator_hub.insights import charts, cohorts, engagement, queries, risk, staying
from creator_hub.insights.measures import MEASURES
from creator_hub.insights.periods import periods_up_to
from creator_hub.insights.reading import changes, moment_of
from creator_hub.insights.rollups import JOINED
from creator_hub.promises.queries import reliability
from creator_hub.web import today

DAYS_SHOWN, MONTHS_SHOWN, AT_RISK_SHOWN = 30, 12, 10


@page("/g/<handle>/dashboard", permission=Permission.SEE_EARNINGS)
def dashboard_page(session: Session, actor: Actor, handle: str) -> str:
    """What waits, members, money, who came, who left, who stays. Reads rollups and writes nothing."""
    door = doors.group_by_handle(session, actor, handle, Permission.SEE_EARNINGS)
    group = door.group
    moment = moment_of(session, group)
    first = moment.today - timedelta(days=DAYS_SHOWN - 1)
    found = changes(session, group, moment, since=first)
    days = queries.days_of(group, found, first, moment.today)
    overview = queries.summary(session, group, moment, first, found)
    months = periods_up_to(moment.today, MONTHS_SHOWN)
    rows = cohorts.table(session, group, moment, months, basis=JOINED, grain="month")
    lively = engagement.active_days(session, group, first, moment.today)
    flagged = risk.members_at_risk(session, group, moment)
    curves = staying.survival(session, group, moment, "tier")
    context: dict[str, Any] = {
        "group": group,
        "owns": door.standing.role == "creator",
        "measures": MEASURES,
        "needs": today.needs(session, group, len(flagged)),
        "news": today.since_yesterday(days, overview),
        "guide": today.guide(session, group, overview),
        "reliability": reliability(session, group),
        "overview": overview,
        "days": days,
        "lively": lively,
        "at_risk": flagged[:AT_RISK_SHOWN],
        "at_risk_count": len(flagged),
        "hit_rate": risk.hit_rate(session, group, moment),
        "faces": people(session, [row.user_id for row in flagged[:AT_RISK_SHOWN]]),
        "cohorts": rows,
        "months_after": range(max((len(row.retained) for row in rows), default=0)),
        "curves": curves,
        "curve_points": charts.survival_points(curves),
        "forecast": (forecast := staying.forecast(session, group, moment, 0.10)),
        "members_chart": charts.lines(days, "day", {_("Members"): "members", _("Paying"): "paying"}),
        "mrr_chart": charts.money_line(days, "day", _("Monthly recurring revenue"), "mrr", group.currency),
        "movement_chart": charts.lines(days, "day", {_("Joined"): "joins", _("Left"): "departures"}),
        "lively_chart": charts.lines(
            lively, "day", {_("Day"): "active", _("7 days"): "active_7", _("30 days"): "active_30"}
        ),
        "cohort_chart": charts.cohort_heat(rows),
        "survival_chart": charts.survival_chart(curves),
        "forecast_chart": charts.forecast_chart(forecast),
    }
    return render_template("dashboard.html", **context)
