"""JSON routes of corrections: one person of finance proposes, another approves."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import route
from creator_hub.core.paging import Page, PageRequest
from creator_hub.core.schemas import ListQuery, WireSchema, page_of
from creator_hub.money import adjustments, finance_queries, finance_schemas
from creator_hub.money.finance_queries import AdjustmentView


@route(
    "POST",
    "/finance/adjustments",
    permission=Permission.OPERATE_PAYOUTS,
    body=finance_schemas.AdjustmentIn(),
    answer=finance_schemas.AdjustmentOut(),
    status=201,
)
def propose_adjustment(session: Session, actor: Actor, body: dict[str, Any]) -> AdjustmentView:
    """Ask for one ledger entry to be reversed; somebody else approves."""
    made = adjustments.propose(session, actor, body["entry_id"], body["reason"])
    return finance_queries.adjustment(session, made)


@route(
    "GET",
    "/finance/adjustments",
    permission=Permission.SEE_FINANCE,
    query=ListQuery(),
    answer=page_of(finance_schemas.AdjustmentOut),
)
def list_adjustments(session: Session, actor: Actor, query: PageRequest) -> Page[AdjustmentView]:
    """Corrections of the ledger, newest first."""
    return finance_queries.adjustments(session, query)


@route(
    "POST",
    "/finance/adjustments/<uuid:adjustment_id>/approve",
    permission=Permission.OPERATE_PAYOUTS,
    by_session=True,
    body=WireSchema(),
    body_optional=True,
    answer=finance_schemas.AdjustmentOut(),
)
def approve_adjustment(
    session: Session, actor: Actor, adjustment_id: uuid.UUID, body: dict[str, Any]
) -> AdjustmentView:
    """Approve what somebody else proposed; the reversing entry is posted at once."""
    return finance_queries.adjustment(session, adjustments.approve(session, actor, adjustment_id))


@route(
    "POST",
    "/finance/adjustments/<uuid:adjustment_id>/withdraw",
    permission=Permission.OPERATE_PAYOUTS,
    body=WireSchema(),
    body_optional=True,
    answer=finance_schemas.AdjustmentOut(),
)
def withdraw_adjustment(
    session: Session, actor: Actor, adjustment_id: uuid.UUID, body: dict[str, Any]
) -> AdjustmentView:
    """Take a proposal back before it is approved."""
    return finance_queries.adjustment(session, adjustments.withdraw(session, adjustment_id))
