"""A creator's connected Stripe account: opened once, onboarded on Stripe's hosted page, kept up to date by events."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from creator_hub import settings
from creator_hub.accounts.models import User
from creator_hub.core import clock
from creator_hub.core.access import Actor, Permission
from creator_hub.core.db import unit_of_work
from creator_hub.core.ids import new_id
from creator_hub.groups import doors
from creator_hub.money import gateway
from creator_hub.money.payout_models import PayoutAccount


def of(session: Session, user_id: uuid.UUID) -> PayoutAccount | None:
    return session.scalars(select(PayoutAccount).where(PayoutAccount.user_id == user_id)).one_or_none()


def onboarding_url(actor: Actor, handle: str) -> str:
    """The address of Stripe's onboarding page for the group's owner; opens the connected account the first time."""
    with unit_of_work() as session:
        group = doors.group_by_handle(session, actor, handle, Permission.CHANGE_PAYOUT_ACCOUNT).group
        row = _row(session, group.owner_id)
        email = session.get_one(User, group.owner_id).email
    account_id = row.stripe_account_id or _open(row, email)
    back = f"{settings.current().public_url}/g/{handle}/payouts"
    link = gateway.ask(
        lambda client: client.v1.account_links.create(
            {"account": account_id, "type": "account_onboarding", "return_url": back, "refresh_url": back}
        )
    )
    return str(link["url"])


def _row(session: Session, user_id: uuid.UUID) -> PayoutAccount:
    """The creator's row, made before Stripe is asked, so that its id can be the idempotency key."""
    session.execute(
        insert(PayoutAccount)
        .values(
            id=new_id(),
            user_id=user_id,
            details_submitted=False,
            transfers_active=False,
            bank_payouts_enabled=False,
            created_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=["user_id"])
    )
    return session.scalars(select(PayoutAccount).where(PayoutAccount.user_id == user_id)).one()


def _open(row: PayoutAccount, email: str) -> str:
    account = gateway.ask(
        lambda client: client.v1.accounts.create(
            {
                "type": "express",
                "email": email,
                "capabilities": {"transfers": {"requested": True}},
                "metadata": {"payout_account_id": str(row.id), "user_id": str(row.user_id)},
            },
            {"idempotency_key": f"payout-account-{row.id}"},
        )
    )
    with unit_of_work() as session:
        session.get_one(PayoutAccount, row.id, with_for_update=True).stripe_account_id = account["id"]
    return str(account["id"])


def refresh(account_id: str) -> None:
    """Take over what Stripe knows of a connected account. Accounts that are none of ours are ignored."""
    account = gateway.ask(lambda client: client.v1.accounts.retrieve(account_id))
    with unit_of_work() as session:
        account_updated(session, account)


def account_updated(session: Session, account: dict[str, Any]) -> None:
    """Apply an account as Stripe has just shown it."""
    row = session.scalars(
        select(PayoutAccount).where(PayoutAccount.stripe_account_id == account["id"]).with_for_update()
    ).one_or_none()
    if row is None:
        return
    row.details_submitted = bool(account.get("details_submitted"))
    row.transfers_active = (account.get("capabilities") or {}).get("transfers") == "active"
    row.bank_payouts_enabled = bool(account.get("payouts_enabled"))
