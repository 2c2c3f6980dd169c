"""Where a creator's money goes when it is paid by bank transfer instead of through Stripe. Sealed at rest: what is
shown anywhere but in the file for the bank is the last four signs."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import orjson
from schwifty import IBAN
from schwifty.exceptions import SchwiftyException
from sqlalchemy import ForeignKey, LargeBinary, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from creator_hub import settings
from creator_hub.core import clock, sealing
from creator_hub.core.base import Base
from creator_hub.core.errors import Invalid

PURPOSE = "bank details"
_ROUTING = re.compile(r"[0-9]{9}\Z")
_ACCOUNT = re.compile(r"[A-Za-z0-9 -]{1,17}\Z")


class BankDetails(Base):
    """One account per person; changed details wait `held_until` before money goes there."""

    __tablename__ = "bank_details"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    last4: Mapped[str]
    changed_at: Mapped[datetime]
    held_until: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Account:
    """A holder with an IBAN, or with a US routing and account number."""

    holder: str
    iban: str = ""
    routing_number: str = ""
    account_number: str = ""


def keep(session: Session, user_id: uuid.UUID, account: Account) -> BankDetails:
    """Store or replace a person's account. Money waits before it goes to changed details. Raises Invalid by field."""
    errors = problems_by_field(account)
    if errors:
        raise Invalid(errors=errors)
    config, at = settings.current(), clock.now()
    row = session.get(BankDetails, user_id, with_for_update=True)
    hold = timedelta(days=config.payout_account_hold_days) if row is not None else timedelta(0)
    if row is None:
        row = BankDetails(user_id=user_id)
        session.add(row)
    row.sealed = sealing.seal(config.secret_key, PURPOSE, orjson.dumps(asdict(account)), bound_to=user_id.bytes)
    row.last4 = (account.iban or account.account_number).replace(" ", "")[-4:]
    row.changed_at, row.held_until = at, at + hold
    session.flush()
    return row


def accounts_of(session: Session, users: Iterable[uuid.UUID]) -> dict[uuid.UUID, Account]:
    """The accounts in clear, for the file that goes to the bank."""
    secret = settings.current().secret_key
    rows = session.scalars(select(BankDetails).where(BankDetails.user_id.in_(list(users))))
    return {
        row.user_id: Account(**orjson.loads(sealing.unseal(secret, PURPOSE, row.sealed, bound_to=row.user_id.bytes)))
        for row in rows
    }


def payable_to(session: Session) -> set[uuid.UUID]:
    """Who has bank details that have waited long enough."""
    return set(session.scalars(select(BankDetails.user_id).where(BankDetails.held_until <= clock.now())))


def problems_by_field(account: Account) -> dict[str, list[str]]:
    if account.iban:
        problem = iban_problem(account.iban)
        return {"iban": [problem]} if problem else {}
    errors = {}
    if not routing_is_valid(account.routing_number):
        errors["routing_number"] = ["Give nine digits with a right check digit, or an IBAN."]
    if not _ACCOUNT.match(account.account_number):
        errors["account_number"] = ["Give one to seventeen letters and digits."]
    return errors


def iban_problem(iban: str) -> str | None:
    """What is wrong with an IBAN: its form, its check digits, or its bank's place in it."""
    try:
        IBAN(iban)
    except SchwiftyException as wrong:
        return f"{wrong}."
    return None


def routing_is_valid(number: str) -> bool:
    """Nine digits with the weights 3, 7, 1 to a multiple of ten (ABA)."""
    if not _ROUTING.match(number):
        return False
    return sum(int(digit) * (3, 7, 1)[place % 3] for place, digit in enumerate(number)) % 10 == 0
