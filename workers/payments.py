"""Jobs that talk to Stripe. Each opens its own units of work between the calls."""

from __future__ import annotations

import uuid
from typing import Any

from creator_hub.core.edge import job
from creator_hub.groups.entitlements import LEFT_TOPIC
from creator_hub.money import catalogue, events, inbox, pauses, poller, subscriptions


@job(inbox.TOPIC, transaction=False)
def stripe_event(payload: dict[str, Any]) -> None:
    events.follow(payload["event_id"])


@job("money.tier_changed", transaction=False)
def tier_changed(payload: dict[str, Any]) -> None:
    catalogue.tier_changed(uuid.UUID(payload["tier_id"]))


@job(subscriptions.CANCEL_TOPIC, transaction=False)
def cancel_subscription(payload: dict[str, Any]) -> None:
    subscriptions.stop_charging(uuid.UUID(payload["subscription_id"]))


@job(subscriptions.RESUMED_TOPIC, transaction=False)
def pause_ended(payload: dict[str, Any]) -> None:
    pauses.give_back_time(uuid.UUID(payload["subscription_id"]))


@job(LEFT_TOPIC, transaction=False)
def person_left(payload: dict[str, Any]) -> None:
    subscriptions.stop_renewing(uuid.UUID(payload["group_id"]), uuid.UUID(payload["user_id"]))


@job(poller.TOPIC, transaction=False)
def poll_stripe(payload: dict[str, Any]) -> None:
    poller.poll()
