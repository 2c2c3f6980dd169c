"""Asks Stripe for events that no webhook brought: a lost one costs minutes. Stripe keeps events for 30 days."""

from __future__ import annotations

from typing import Any

import stripe
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from creator_hub.core import clock, outbox
from creator_hub.core.db import unit_of_work
from creator_hub.money import gateway, inbox
from creator_hub.money.billing_models import StripeCursor
from creator_hub.money.payout_models import PayoutAccount

TOPIC = "money.poll_stripe"
OVERLAP_S = 600  # events are not listed strictly in the order in which they were made
PAGE = 100


def ask_for_poll(session: Session) -> None:
    """Have a worker poll: the schedule itself may not wait for the network. Asking again in a minute is asking once."""
    outbox.record(session, TOPIC, {}, key=f"{clock.now():%Y-%m-%dT%H:%M}")


def poll() -> int:
    """Read the events of the platform and of every connected account from their cursors; how many were new."""
    with unit_of_work() as session:
        accounts = session.scalars(
            select(PayoutAccount.stripe_account_id).where(PayoutAccount.stripe_account_id.is_not(None))
        ).all()
    return sum(_poll(account or "") for account in ["", *accounts])


def _poll(account: str) -> int:
    with unit_of_work() as session:
        cursor = session.get(StripeCursor, account)
    events = _since(account, cursor.created - OVERLAP_S if cursor else 0)
    if not events:
        return 0
    with unit_of_work() as session:
        new = sum(inbox.store(session, event) for event in reversed(events))
        latest = max(event["created"] for event in events)
        statement = insert(StripeCursor).values(account=account, created=latest)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["account"],
                set_={"created": func.greatest(StripeCursor.created, statement.excluded.created)},
            )
        )
    return new


def _since(account: str, created: int) -> list[dict[str, Any]]:
    """Newest first, as Stripe lists them."""
    options: stripe.RequestOptions = {"stripe_account": account} if account else {}
    found: list[dict[str, Any]] = []
    while True:
        params: stripe.params.EventListParams = {"created": {"gte": created}, "limit": PAGE}
        if found:
            params["starting_after"] = found[-1]["id"]
        page = gateway.ask(lambda at, params=params: at.v1.events.list(params, options))  # type: ignore[misc]
        found += page["data"]
        if not page["has_more"]:
            return found
