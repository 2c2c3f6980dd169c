"""JSON routes of reports."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import route
from creator_hub.core.paging import PageRequest
from creator_hub.core.schemas import ListQuery
from creator_hub.groups.doors import group_by_handle
from creator_hub.moderation import queries, schemas, service
from creator_hub.moderation.doors import report_by_id
from creator_hub.moderation.models import Report


@route(
    "POST",
    "/reports",
    permission=Permission.READ_CHANNEL,
    body=schemas.ReportIn(),
    answer=schemas.ReportOut(),
    status=201,
    limit="20/hour",
)
def create_report(session: Session, actor: Actor, body: dict[str, Any]) -> Report:
    """Report a message to the moderators of its group."""
    return service.report(session, actor, **body)


@route("GET", "/groups/<handle>/reports", permission=Permission.MODERATE, query=ListQuery(), answer=schemas.CaseList())
def list_reports(session: Session, actor: Actor, handle: str, query: PageRequest) -> dict[str, Any]:
    """Reported messages that wait for a decision, the longest waiting first, with what was said around them."""
    door = group_by_handle(session, actor, handle, Permission.MODERATE)
    cases = queries.open_cases(session, door.group, query.limit)
    return {"items": [case_as_json(case) for case in cases], "next": None}


@route(
    "POST",
    "/reports/<uuid:report_id>/decision",
    permission=Permission.MODERATE,
    body=schemas.DecisionIn(),
    answer=schemas.ReportOut(),
)
def decide(session: Session, actor: Actor, report_id: uuid.UUID, body: dict[str, Any]) -> Report:
    """Remove the reported message, or leave it; settles every open report of it."""
    door = report_by_id(session, actor, report_id)
    return service.decide(
        session, actor, door.group, door.report, remove=body["action"] == "remove", outcome=body["reason"]
    )


def case_as_json(case: queries.Case) -> dict[str, Any]:
    notes = [{"kind": kind, "note": note, "quoted": quoted} for kind, note, quoted in case.notes]
    return {
        "id": case.id,
        "channel": case.channel,
        "author": case.author,
        "message_id": case.message_id,
        "reports": notes,
        "first_at": case.first_at,
        "context": case.context,
    }
