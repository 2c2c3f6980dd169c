"""Pausing one's membership: nothing is charged, the paid time that is left is kept, and runs on after the pause.

At Stripe a pause voids the invoices that fall into it while its calendar goes on; when the pause ends, by a click or by
its date, the next charge is moved to the end of the time that was kept.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from creator_hub.core import clock
from creator_hub.core.access import Actor
from creator_hub.core.db import unit_of_work
from creator_hub.core.errors import Conflict, Invalid
from creator_hub.money import gateway, subscriptions
from creator_hub.money.billing_models import Subscription

LONGEST = timedelta(days=366)
SHORTEST_LEFT = timedelta(seconds=10)


def pause(actor: Actor, subscription_id: uuid.UUID, until: datetime | None) -> Subscription:
    """Stop charging from now on, until `until` or until resumed. Raises Conflict `not_running`."""
    at = clock.now()
    if until is not None and not at < until <= at + LONGEST:
        raise Invalid(errors={"until": ["Choose a day within the next year."]})
    with unit_of_work() as session:
        row = subscriptions.own(session, actor, subscription_id)
        if row.state != "active":
            raise Conflict("Only a running membership can be paused.", code="not_running")
    how: Any = {"behavior": "void"}
    if until is not None:
        how["resumes_at"] = int(until.timestamp())
    return _update(actor, row, {"pause_collection": how})


def resume(actor: Actor, subscription_id: uuid.UUID) -> Subscription:
    """End the pause now. Raises Conflict `not_paused`."""
    with unit_of_work() as session:
        row = subscriptions.own(session, actor, subscription_id)
        if row.state != "paused":
            raise Conflict("This membership is not paused.", code="not_paused")
    _update(actor, row, {"pause_collection": ""})
    give_back_time(row.id)
    with unit_of_work() as session:
        return subscriptions.own(session, actor, subscription_id)


def _update(actor: Actor, row: Subscription, params: Any) -> Subscription:
    asked_at = clock.now()
    found = gateway.ask(lambda at: at.v1.subscriptions.update(row.stripe_id, params))
    with unit_of_work() as session:
        subscriptions.apply(session, found, asked_at)
    with unit_of_work() as session:
        return subscriptions.own(session, actor, row.id)


def give_back_time(subscription_id: uuid.UUID) -> None:
    """Move the next charge to the end of the paid time that the pause kept. Doing it twice does it once."""
    with unit_of_work() as session:
        row = session.get_one(Subscription, subscription_id)
    if row.paused_at is None or row.state == "paused" or row.state == "ended":
        return
    ends = clock.now() + max(timedelta(seconds=row.paid_left_s or 0), SHORTEST_LEFT)
    moment = int(ends.timestamp())
    asked_at = clock.now()
    found = gateway.ask(
        lambda at: at.v1.subscriptions.update(
            row.stripe_id,
            {
                "trial_end": moment,
                "proration_behavior": "none",
                "metadata": {subscriptions.KEPT_TIME: str(moment)},
            },
            {"idempotency_key": f"resume-{row.id}-{int(row.paused_at.timestamp()) if row.paused_at else 0}"},
        )
    )
    with unit_of_work() as session:
        stored = session.get_one(Subscription, subscription_id, with_for_update=True)
        stored.paused_at = stored.paid_left_s = None
        session.flush()
        subscriptions.apply(session, found, asked_at)
