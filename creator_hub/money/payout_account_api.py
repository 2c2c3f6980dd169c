"""JSON routes of a group's payout account."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from creator_hub.accounts import passwords
from creator_hub.accounts.doors import me
from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import route
from creator_hub.core.errors import Invalid
from creator_hub.core.schemas import WireSchema
from creator_hub.groups import doors
from creator_hub.money import bank_details, finance_schemas, payout_accounts
from creator_hub.money.bank_details import Account, BankDetails

NONE_YET = {"state": "none", "details_submitted": False, "transfers_active": False, "bank_payouts_enabled": False}


@route(
    "POST",
    "/groups/<handle>/payout-account",
    permission=Permission.CHANGE_PAYOUT_ACCOUNT,
    proved=True,
    body=WireSchema(),
    body_optional=True,
    answer=finance_schemas.UrlOut(),
    status=201,
    transaction=False,
)
def start_onboarding(actor: Actor, handle: str, body: dict[str, Any]) -> dict[str, str]:
    """Open (the first time) the owner's connected account; answers the address of Stripe's onboarding page."""
    return {"url": payout_accounts.onboarding_url(actor, handle)}


@route(
    "GET",
    "/groups/<handle>/payout-account",
    permission=Permission.SEE_EARNINGS,
    answer=finance_schemas.PayoutAccountOut(),
)
def get_payout_account(session: Session, actor: Actor, handle: str) -> Any:
    """Whether the group's owner can be paid."""
    group = doors.group_by_handle(session, actor, handle, Permission.SEE_EARNINGS).group
    return payout_accounts.of(session, group.owner_id) or NONE_YET


@route(
    "PUT",
    "/groups/<handle>/payout-account/bank",
    permission=Permission.CHANGE_PAYOUT_ACCOUNT,
    body=finance_schemas.BankDetailsIn(),
    answer=finance_schemas.BankDetailsOut(),
    limit="10/hour",
)
def keep_bank_details(session: Session, actor: Actor, handle: str, body: dict[str, Any]) -> BankDetails:
    """Say which bank account is paid when the operator pays by bank; the password is asked for again."""
    doors.group_by_handle(session, actor, handle, Permission.CHANGE_PAYOUT_ACCOUNT)
    owner = me(session, actor)
    if not passwords.verify(owner.password_hash, body.pop("password")):
        raise Invalid(errors={"password": ["That is not your password."]})
    return bank_details.keep(session, owner.id, Account(**body))
