"""JSON routes of finance: balances, payout runs, payouts, ledger entries, months."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from creator_hub.core import outbox
from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import route
from creator_hub.core.errors import Invalid, NotFound
from creator_hub.core.paging import Page, PageRequest
from creator_hub.core.schemas import ListQuery, WireSchema, page_of
from creator_hub.money import finance_queries, finance_schemas, inbox, payout_queries, payouts, periods
from creator_hub.money.finance_queries import Balances, Entry
from creator_hub.money.payout_queries import PayoutView, RunView


@route("GET", "/finance/balances", permission=Permission.SEE_FINANCE, answer=finance_schemas.BalancesOut())
def get_balances(session: Session, actor: Actor) -> Balances:
    """Every ledger account's balance, what each creator is due, and what is wrong, if anything."""
    return finance_queries.balances(session)


@route(
    "POST",
    "/finance/payout-runs",
    permission=Permission.OPERATE_PAYOUTS,
    body=finance_schemas.RunIn(),
    answer=finance_schemas.RunOut(),
    status=201,
)
def open_payout_run(session: Session, actor: Actor, body: dict[str, Any]) -> RunView:
    """Propose paying creators in one currency; a draft of that currency that still waits is replaced."""
    minimum = body["minimum"]
    if minimum is not None and minimum.currency != body["currency"]:
        raise Invalid(errors={"minimum": ["The minimum must be in the currency of the run."]})
    run = payouts.open_run(
        session,
        actor,
        currency=body["currency"],
        cut_off=body["cut_off"],
        minimum_minor=minimum.minor if minimum else 0,
        method=body["method"],
    )
    return payout_queries.run(session, run)


@route(
    "GET",
    "/finance/payout-runs",
    permission=Permission.SEE_FINANCE,
    query=ListQuery(),
    answer=page_of(finance_schemas.RunOut),
)
def list_payout_runs(session: Session, actor: Actor, query: PageRequest) -> Page[RunView]:
    """Payout runs with their payouts, newest first."""
    return payout_queries.runs(session, query)


@route(
    "POST",
    "/finance/payout-runs/<uuid:run_id>/approve",
    permission=Permission.OPERATE_PAYOUTS,
    by_session=True,
    body=WireSchema(),
    body_optional=True,
    answer=finance_schemas.RunOut(),
)
def approve_payout_run(session: Session, actor: Actor, run_id: uuid.UUID, body: dict[str, Any]) -> RunView:
    """Approve a run that somebody else opened; the transfers are sent at once."""
    return payout_queries.run(session, payouts.approve(session, actor, run_id))


@route(
    "POST",
    "/finance/payout-runs/<uuid:run_id>/executed",
    permission=Permission.OPERATE_PAYOUTS,
    body=WireSchema(),
    body_optional=True,
    answer=finance_schemas.RunOut(),
)
def mark_run_executed(session: Session, actor: Actor, run_id: uuid.UUID, body: dict[str, Any]) -> RunView:
    """Say that the bank has executed the file of an approved run."""
    return payout_queries.run(session, payouts.executed(session, run_id))


@route(
    "GET",
    "/finance/payouts",
    permission=Permission.SEE_FINANCE,
    query=ListQuery(),
    answer=page_of(finance_schemas.PayoutOut),
)
def list_payouts(session: Session, actor: Actor, query: PageRequest) -> Page[PayoutView]:
    """Payouts to creators, newest first."""
    return payout_queries.payouts(session, query)


@route(
    "GET",
    "/finance/entries",
    permission=Permission.SEE_FINANCE,
    query=finance_schemas.EntriesQuery(),
    answer=page_of(finance_schemas.EntryOut),
)
def list_entries(session: Session, actor: Actor, query: dict[str, Any]) -> Page[Entry]:
    """Ledger transactions with their legs, newest first."""
    asked = PageRequest(limit=query.pop("limit"), after=query.pop("after"))
    return finance_queries.entries(session, asked, **query)


@route("GET", "/finance/periods", permission=Permission.SEE_FINANCE, answer=finance_schemas.PeriodList())
def list_periods(session: Session, actor: Actor) -> dict[str, Any]:
    """The ledger's months, open and closed."""
    return {"items": finance_queries.periods(session), "next": None}


@route(
    "POST",
    "/finance/periods/<month>/close",
    permission=Permission.OPERATE_PAYOUTS,
    body=WireSchema(),
    body_optional=True,
    answer=finance_schemas.PeriodOut(),
)
def close_period(session: Session, actor: Actor, month: str, body: dict[str, Any]) -> finance_queries.Period:
    """Close a month (yyyy-mm) that is over: nothing can be posted into it any more."""
    periods.close(session, actor, month)
    return next(period for period in finance_queries.periods(session) if period.month == month)


@route("GET", "/finance/quarantine", permission=Permission.SEE_FINANCE, answer=finance_schemas.StuckEventList())
def list_stuck_events(session: Session, actor: Actor) -> dict[str, Any]:
    """Events of Stripe that wait for a person, the oldest first."""
    return {"items": inbox.stuck(session), "next": None}


@route(
    "POST",
    "/finance/quarantine/<uuid:stuck_id>/retry",
    permission=Permission.OPERATE_PAYOUTS,
    body=WireSchema(),
    body_optional=True,
    status=204,
)
def retry_stuck_event(session: Session, actor: Actor, stuck_id: uuid.UUID, body: dict[str, Any]) -> None:
    """Let an event that waits for a person have its tries again."""
    if stuck_id not in {stuck.id for stuck in inbox.stuck(session)}:
        raise NotFound
    outbox.retry(session, stuck_id)
