"""The tiers' counterparts at Stripe: one product per tier, one price per price it ever had."""

from __future__ import annotations

import uuid

import stripe
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from creator_hub.core.ids import new_id
from creator_hub.groups.models import Tier
from creator_hub.money import gateway
from creator_hub.money.billing_models import StripePrice


def ensure_price(tier_id: uuid.UUID) -> StripePrice:
    """The tier's present price, made at Stripe if it is not there yet. Safe to run twice, at once too."""
    with unit_of_work() as session:
        tier = session.get_one(Tier, tier_id)
        row = _row(session, tier)
    if row.stripe_id is not None:
        return row
    _keep_product(tier)
    made = gateway.ask(lambda at: at.v1.prices.create(_as_params(row), {"idempotency_key": f"price-{row.id}"}))
    with unit_of_work() as session:
        stored = session.get_one(StripePrice, row.id)
        stored.stripe_id = made["id"]
    return stored


def tier_changed(tier_id: uuid.UUID) -> None:
    """Carry a tier's name, price and archiving over to Stripe."""
    ensure_price(tier_id)
    with unit_of_work() as session:
        tier = session.get_one(Tier, tier_id)
    _keep_product(tier)


def _row(session: Session, tier: Tier) -> StripePrice:
    """Our row comes first: its id is the idempotency key of the call."""
    terms = {
        "tier_id": tier.id,
        "amount_minor": tier.price_minor,
        "currency": tier.currency,
        "interval": tier.interval,
    }
    session.execute(insert(StripePrice).values(id=new_id(), created_at=clock.now(), **terms).on_conflict_do_nothing())
    return session.scalars(select(StripePrice).filter_by(**terms)).one()


def _keep_product(tier: Tier) -> None:
    """Update the tier's product, or make it. We choose its id, so there is never a second one."""
    try:
        gateway.ask(
            lambda at: at.v1.products.update(
                _product_id(tier.id), {"name": tier.name, "active": tier.archived_at is None}
            )
        )
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":
            raise
        gateway.ask(
            lambda at: at.v1.products.create(
                {"id": _product_id(tier.id), "name": tier.name, "metadata": {"hub_tier": str(tier.id)}}
            )
        )


def _product_id(tier_id: uuid.UUID) -> str:
    return f"hub_tier_{tier_id.hex}"


def _as_params(row: StripePrice) -> stripe.params.PriceCreateParams:
    return {
        "currency": row.currency.lower(),
        "unit_amount": row.amount_minor,
        "recurring": {"interval": "year" if row.interval == "year" else "month"},
        "product": _product_id(row.tier_id),
        "metadata": {"hub_tier": str(row.tier_id), "hub_price": str(row.id)},
    }
