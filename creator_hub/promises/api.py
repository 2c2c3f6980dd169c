"""JSON routes of promises."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import route
from creator_hub.core.paging import Page, PageRequest
from creator_hub.core.schemas import ListQuery, page_of
from creator_hub.groups.doors import group_by_handle
from creator_hub.promises import doors, queries, schemas, service
from creator_hub.promises.models import Promise


@route(
    "POST",
    "/groups/<handle>/promises",
    permission=Permission.MANAGE_GROUP,
    body=schemas.PromiseIn(),
    answer=schemas.PromiseOut(),
    status=201,
)
def make_promise(session: Session, actor: Actor, handle: str, body: dict[str, Any]) -> Promise:
    """Promise something; the same kind again is the next version, and earlier buyers keep theirs."""
    group = group_by_handle(session, actor, handle, Permission.MANAGE_GROUP).group
    return service.make(session, group, **body)


@route(
    "GET",
    "/groups/<handle>/promises",
    permission=Permission.SEE_PUBLIC,
    query=ListQuery(),
    answer=page_of(schemas.PromiseOut),
)
def list_promises(session: Session, actor: Actor, handle: str, query: PageRequest) -> Page[Promise]:
    """Everything the group ever promised, the newest first."""
    group = group_by_handle(session, actor, handle, Permission.SEE_PUBLIC).group
    return queries.promises_of(session, group, query)


@route(
    "GET",
    "/promises/<uuid:promise_id>/periods",
    permission=Permission.SEE_PUBLIC,
    query=ListQuery(),
    answer=page_of(schemas.PeriodOut),
)
def list_periods(session: Session, actor: Actor, promise_id: uuid.UUID, query: PageRequest) -> Page[queries.PeriodView]:
    """What became of each period, with its evidence, and what the caller got for it."""
    door = doors.promise_by_id(session, actor, promise_id, Permission.SEE_PUBLIC)
    return queries.periods_of(session, door.promise, query, actor.user_id)


@route(
    "POST",
    "/promises/<uuid:promise_id>/periods/<int:n>/excuse",
    permission=Permission.MANAGE_GROUP,
    body=schemas.ExcuseIn(),
    answer=schemas.PeriodOut(),
)
def excuse_period(
    session: Session, actor: Actor, promise_id: uuid.UUID, n: int, body: dict[str, Any]
) -> queries.PeriodView:
    """Say in time why a period will not be kept; twice a year at most, and everybody sees the reason."""
    door = doors.promise_by_id(session, actor, promise_id, Permission.MANAGE_GROUP)
    period = doors.period_of(session, door.promise, n)
    return queries.view(service.excuse(session, door.promise, period, body["reason"]))


@route(
    "GET",
    "/groups/<handle>/reliability",
    permission=Permission.SEE_PUBLIC,
    answer=schemas.ReliabilityOut(),
)
def show_reliability(session: Session, actor: Actor, handle: str) -> queries.Reliability:
    """How often the creator's promises were kept, with their history."""
    group = group_by_handle(session, actor, handle, Permission.SEE_PUBLIC).group
    return queries.reliability(session, group)
