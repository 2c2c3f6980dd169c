"""The Stripe inbox: verify, store, answer; the work is a job. The same event is stored once, whichever way it comes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import stripe
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from creator_hub.core import clock, outbox
from creator_hub.core.errors import BadSignature
from creator_hub.core.ids import new_id
from creator_hub.money import events, gateway
from creator_hub.money.billing_models import StripeEvent

TOPIC = "money.stripe_event"
TOLERANCE_S = 300


@dataclass(frozen=True, slots=True)
class StuckEvent:
    id: uuid.UUID
    event: StripeEvent
    since: datetime | None
    error: str


def receive(session: Session, body: bytes, signature: str, secret: str) -> None:
    """Take one webhook in. Raises BadSignature for a signature that is wrong, or older or newer than five minutes."""
    _verify(body, signature, secret)
    store(session, orjson.loads(body))


def _verify(body: bytes, signature: str, secret: str) -> None:
    """The client library refuses the old but accepts the future, so the age is looked at here both ways. The machine's
    own time counts: Stripe does not follow a development clock."""
    try:
        stripe.WebhookSignature.verify_header(body.decode(), signature, secret, tolerance=None)
        signed_at = int(dict(part.split("=", 1) for part in signature.split(","))["t"])
    except (stripe.SignatureVerificationError, ValueError, KeyError):
        raise BadSignature from None
    machine_time = (clock.now() - clock.offset()).timestamp()
    if abs(machine_time - signed_at) > TOLERANCE_S:
        raise BadSignature("The signature is too old, or from the future.")


def store(session: Session, event: dict[str, Any]) -> bool:
    """Keep an event and ask for its work; False when it was there already."""
    stored = session.scalar(
        insert(StripeEvent)
        .values(
            id=event["id"],
            account=event.get("account") or "",
            type=event["type"],
            object_id=event["data"]["object"].get("id") or "",
            payload=event,
            created_at=gateway.moment(event["created"]),
            received_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["id"])
        .returning(StripeEvent.id)
    )
    if stored is None:
        return False
    if events.concerns(event["type"]):
        outbox.record(session, TOPIC, {"event_id": stored}, key=stored)
    return True


def stored_between(session: Session, since: datetime, until: datetime) -> list[str]:
    """The ids of the events that Stripe made in [since, until) and that mean something here, the oldest first."""
    rows = session.execute(
        select(StripeEvent.id, StripeEvent.type)
        .where(StripeEvent.created_at >= since, StripeEvent.created_at < until)
        .order_by(StripeEvent.created_at, StripeEvent.id)
    ).all()
    return [row.id for row in rows if events.concerns(row.type)]


def stuck(session: Session) -> list[StuckEvent]:
    """Events whose work failed three times: they wait for a person, and hold nobody else up."""
    rows = [row for row in outbox.stuck(session) if row.topic == TOPIC]
    ids = [row.payload["event_id"] for row in rows]
    known = {event.id: event for event in session.scalars(select(StripeEvent).where(StripeEvent.id.in_(ids)))}
    return [StuckEvent(row.id, known[row.payload["event_id"]], row.quarantined_at, row.error or "") for row in rows]


def replay(session: Session, event_id: str) -> None:
    """Ask for a stored event's work again. Raises NoResultFound for an event that never came."""
    session.get_one(StripeEvent, event_id)
    outbox.record(session, TOPIC, {"event_id": event_id}, key=f"{event_id} again {new_id()}")
