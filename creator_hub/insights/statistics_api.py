"""JSON and CSV routes of survival, forecast, engagement, voting and lift, and the route that begins a holdout."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from creator_hub.accounts.queries import people
from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import Reply, route
from creator_hub.groups import doors
from creator_hub.insights import engagement, holdouts, staying, tables, votes
from creator_hub.insights import statistics_schemas as schemas
from creator_hub.insights.api import REPORTS
from creator_hub.insights.holdout_models import Holdout
from creator_hub.insights.reading import moment_of
from creator_hub.insights.schemas import ReportQuery


@route(
    "GET",
    "/groups/<handle>/insights/survival",
    permission=Permission.SEE_EARNINGS,
    query=schemas.SurvivalQuery(),
    answer=schemas.SurvivalOut(),
    limit=REPORTS,
)
def survival(session: Session, actor: Actor, handle: str, query: dict[str, Any]) -> staying.Survival | Reply:
    """How long subscribers stay: Kaplan-Meier curves, in all or by tier or campaign, and whether they differ."""
    group = doors.group_by_handle(session, actor, handle, Permission.SEE_EARNINGS).group
    found = staying.survival(session, group, moment_of(session, group), query["by"])
    return tables.survival_file(group, found) if query["format"] == "csv" else found


@route(
    "GET",
    "/groups/<handle>/insights/forecast",
    permission=Permission.SEE_EARNINGS,
    query=schemas.ForecastQuery(),
    answer=schemas.ForecastOut(),
    limit=REPORTS,
)
def forecast(session: Session, actor: Actor, handle: str, query: dict[str, Any]) -> staying.Forecast | Reply:
    """How many monthly subscribers will renew, and what a new one is worth."""
    group = doors.group_by_handle(session, actor, handle, Permission.SEE_EARNINGS).group
    found = staying.forecast(session, group, moment_of(session, group), query["discount"])
    return tables.forecast_file(group, found) if query["format"] == "csv" else found


@route(
    "GET",
    "/groups/<handle>/insights/engagement",
    permission=Permission.SEE_EARNINGS,
    query=schemas.EngagementQuery(),
    answer=schemas.EngagementOut(),
    limit=REPORTS,
)
def liveliness(session: Session, actor: Actor, handle: str, query: dict[str, Any]) -> dict[str, Any] | Reply:
    """How alive the group is, how present its creator, and which paying members may leave."""
    group = doors.group_by_handle(session, actor, handle, Permission.SEE_EARNINGS).group
    found = engagement.engagement(session, group, moment_of(session, group), query["days"])
    if query["format"] == "csv":
        return tables.engagement_file(group, found)
    faces = people(session, [row.user_id for row in found.at_risk])
    shown = [{"user": faces[row.user_id], "score": row.score, "reasons": row.reasons} for row in found.at_risk]
    names = [name for name in engagement.Engagement.__slots__ if name != "at_risk"]
    return {name: getattr(found, name) for name in names} | {"at_risk": shown}


@route(
    "GET",
    "/groups/<handle>/insights/voting",
    permission=Permission.SEE_EARNINGS,
    query=schemas.VotingQuery(),
    answer=schemas.VotingOut(),
    limit=REPORTS,
)
def voting(session: Session, actor: Actor, handle: str, query: dict[str, Any]) -> dict[str, Any] | Reply:
    """Vote by vote: how many took part, and whether weights changed the result."""
    group = doors.group_by_handle(session, actor, handle, Permission.SEE_EARNINGS).group
    rows = votes.votes(session, group, query["limit"])
    return tables.voting_file(group, rows) if query["format"] == "csv" else {"rows": rows}


@route(
    "GET",
    "/groups/<handle>/insights/lift",
    permission=Permission.SEE_EARNINGS,
    query=ReportQuery(),
    answer=schemas.LiftOut(),
    limit=REPORTS,
)
def lift(session: Session, actor: Actor, handle: str, query: dict[str, Any]) -> dict[str, Any] | Reply:
    """What inviting people did, by randomised holdouts; or that there is not enough data to say."""
    group = doors.group_by_handle(session, actor, handle, Permission.SEE_EARNINGS).group
    rows = holdouts.lifts(session, group, moment_of(session, group))
    return tables.lift_file(group, rows) if query["format"] == "csv" else {"rows": rows}


@route(
    "POST",
    "/groups/<handle>/holdouts",
    permission=Permission.MANAGE_GROUP,
    body=schemas.HoldoutIn(),
    answer=schemas.HoldoutOut(),
    status=201,
    limit="10/hour",
)
def begin_holdout(session: Session, actor: Actor, handle: str, body: dict[str, Any]) -> Holdout:
    """Invite a random part of a list of people, so that the others show what would have happened anyway."""
    group = doors.group_by_handle(session, actor, handle, Permission.MANAGE_GROUP).group
    body["held_back_percent"] = body.pop("held_back")
    return holdouts.begin(session, actor, group, **body)
