"""Many subscribers at once, without the cost of signing each of them up."""

from __future__ import annotations

from sqlalchemy.orm import Session

from creator_hub.accounts.models import User
from creator_hub.core import clock
from creator_hub.core.ids import new_id
from creator_hub.groups.models import Tier
from creator_hub.money.billing_models import Subscription
from tests.support.subscribers import Town, subscribe


def people(session: Session, count: int, prefix: str) -> list[User]:
    rows = [
        User(
            id=new_id(),
            email=f"{prefix}{n}@example.test",
            handle=f"{prefix}{n}",
            display_name=f"{prefix} {n}",
            password_hash="none",
            created_at=clock.now(),
        )
        for n in range(count)
    ]
    session.add_all(rows)
    session.flush()
    return rows


def subscribers(session: Session, town: Town, count: int, prefix: str, tier: Tier | None = None) -> list[Subscription]:
    return [subscribe(session, town.group, user, tier or town.monthly) for user in people(session, count, prefix)]
