"""Tiers: what a creator sells. A new price is for new members; nobody's running price ever changes."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from creator_hub.core import clock, outbox
from creator_hub.core.access import Actor
from creator_hub.core.errors import Conflict, Invalid
from creator_hub.core.ids import new_id
from creator_hub.core.money import Money
from creator_hub.groups import audit
from creator_hub.groups.access_changes import lock_group
from creator_hub.groups.models import Group, Tier


def create_tier(
    session: Session,
    actor: Actor,
    group: Group,
    *,
    name: str,
    price: Money,
    interval: str,
    benefits: list[str],
    rank: int,
    seat_limit: int | None,
) -> Tier:
    """Offer a paid tier. Its price is in the group's currency and more than zero; rank 0 is the free tier's alone."""
    _check_price(group, price)
    tier = Tier(
        id=new_id(),
        group_id=group.id,
        name=name,
        price_minor=price.minor,
        currency=price.currency,
        interval=interval,
        benefits=benefits,
        rank=rank,
        seat_limit=seat_limit,
        created_at=clock.now(),
        archived_at=None,
    )
    session.add(tier)
    audit.note(session, group, actor, "tier.created", subject_id=tier.id, reason=f"{name}, {price}")
    _tell_money(session, tier)
    return tier


def change_tier(session: Session, actor: Actor, group: Group, tier: Tier, changes: dict[str, Any]) -> Tier:
    """Change name, price, benefits or seats. Seats are counted under the group's lock, so it is taken here too."""
    lock_group(session, group.id)
    price = changes.pop("price", None)
    if price is not None:
        if tier.is_free:
            raise Conflict("The free tier stays free. Add a paid tier instead.", code="free_tier")
        _check_price(group, price)
        tier.price_minor = price.minor
    for field, value in changes.items():
        setattr(tier, field, value)
    what = sorted(changes) + ([f"price {price}"] if price else [])
    audit.note(session, group, actor, "tier.changed", subject_id=tier.id, reason=", ".join(what))
    _tell_money(session, tier)
    return tier


def archive_tier(session: Session, actor: Actor, group: Group, tier: Tier) -> None:
    """Take a tier off sale; whoever holds it keeps it. The free tier stays, or nobody could join."""
    if tier.is_free:
        raise Conflict("The free tier cannot be removed: people join through it.", code="free_tier")
    if tier.archived_at is not None:
        return
    tier.archived_at = clock.now()
    audit.note(session, group, actor, "tier.archived", subject_id=tier.id)
    _tell_money(session, tier)


def _check_price(group: Group, price: Money) -> None:
    if price.currency != group.currency:
        raise Invalid(errors={"price": [f"Prices of this group are in {group.currency}."]})


def _tell_money(session: Session, tier: Tier) -> None:
    """Money keeps the counterparts at the payment provider; the free tier has none."""
    if not tier.is_free:
        outbox.record(session, "money.tier_changed", {"tier_id": str(tier.id)})
