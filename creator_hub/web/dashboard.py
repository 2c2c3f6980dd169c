"""The creator's dashboard: what needs them today, then the figures, each with the table behind it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from flask import render_template
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from creator_hub.accounts.queries import people
from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import page
from creator_hub.core.money import Money
from creator_hub.groups import doors
from creator_hub.insights import charts, cohorts, engagement, queries, snapshot
from creator_hub.insights.measures import MEASURES
from creator_hub.insights.periods import periods_up_to
from creator_hub.insights.reading import changes, moment_of
from creator_hub.insights.rollups import JOINED
from creator_hub.promises.queries import reliability
from creator_hub.web import today

DAYS_SHOWN, MONTHS_SHOWN = 30, 12


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
    kept = snapshot.latest(session, group)
    looks: dict[str, Any] = kept.body if kept else {}
    flagged = looks.get("at_risk", {"count": 0, "first": []})
    context: dict[str, Any] = {
        "group": group,
        "owns": door.standing.role == "creator",
        "measures": MEASURES,
        "needs": today.needs(session, group, flagged["count"]),
        "news": today.since_yesterday(days, overview),
        "guide": today.guide(session, group, overview),
        "reliability": reliability(session, group),
        "overview": overview,
        "days": days,
        "lively": lively,
        "looks": looks,
        "looked_at": kept.made_at if kept else None,
        "faces": {str(who): face for who, face in people(session, _ids(flagged["first"])).items()},
        "cohorts": rows,
        "months_after": range(max((len(row.retained) for row in rows), default=0)),
        "members_chart": charts.lines(days, "day", {_("Members"): "members", _("Paying"): "paying"}),
        "mrr_chart": charts.money_line(days, "day", _("Monthly recurring revenue"), "mrr", group.currency),
        "movement_chart": charts.lines(days, "day", {_("Joined"): "joins", _("Left"): "departures"}),
        "lively_chart": charts.lines(
            lively, "day", {_("Day"): "active", _("7 days"): "active_7", _("30 days"): "active_30"}
        ),
        "cohort_chart": charts.cohort_heat(rows),
        "survival_chart": charts.survival_chart(looks["survival"]) if looks else None,
        "forecast_chart": charts.forecast_chart(looks["forecast"]) if looks else None,
        "remaining_value": _money(looks["forecast"]["remaining_value"]) if looks else None,
    }
    return render_template("dashboard.html", **context)


def _ids(rows: Iterable[Mapping[str, Any]]) -> list[uuid.UUID]:
    return [uuid.UUID(row["user_id"]) for row in rows]


def _money(kept: Mapping[str, Any] | None) -> Money | None:
    return Money(kept["amount_minor"], kept["currency"]) if kept else None
