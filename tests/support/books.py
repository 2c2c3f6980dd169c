"""Stripe's documents as it would show them, and the books that they are written into: no network, all the rules."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub.accounts.models import User
from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from creator_hub.core.ids import new_id
from creator_hub.core.money import Money
from creator_hub.groups.models import Group, Tier
from creator_hub.money import disputes, ledger, payments, refunds
from creator_hub.money.anchors import months_after
from creator_hub.money.billing_models import Payment, Subscription
from creator_hub.money.payments import PaidBill
from creator_hub.money.payout_models import PayoutAccount
from tests.support.subscribers import subscribe
from tests.support.world import a_group, a_tier

USD = "USD"
_numbers = itertools.count(1)


def stripe_id(kind: str) -> str:
    return f"{kind}_{next(_numbers):06d}"


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def line(amount: int, start: datetime, end: datetime, *, discount: int = 0, proration: bool = False) -> dict[str, Any]:
    details = {"proration": proration}
    return {
        "amount": amount,
        "description": "Membership",
        "discount_amounts": [{"amount": discount, "discount": "di_1"}] if discount else [],
        "parent": {"type": "subscription_item_details", "subscription_item_details": details},
        "period": {"start": seconds(start), "end": seconds(end)},
        "pricing": None,
    }


def invoice(at: datetime, lines: list[dict[str, Any]], *, credit: int = 0) -> dict[str, Any]:
    """A paid invoice; of its total `credit` was paid from the customer's balance."""
    total = sum(row["amount"] - sum(cut["amount"] for cut in row["discount_amounts"]) for row in lines)
    return {
        "id": stripe_id("in"),
        "amount_due": max(0, total - credit),
        "created": seconds(at),
        "currency": "usd",
        "customer_address": {"country": "DE"},
        "lines": {"data": lines},
        "status": "paid",
        "status_transitions": {"paid_at": seconds(at)},
        "total": total,
    }


def charge(at: datetime, fee: int) -> dict[str, Any]:
    return {
        "id": stripe_id("ch"),
        "payment_method_details": {"card": {"country": "DE"}},
        "balance_transaction": {"created": seconds(at), "currency": "usd", "fee": fee},
    }


@dataclass
class Books:
    """Mei with a monthly and a yearly tier, the fans, and Fay and Finn of finance. Times are whole seconds."""

    mei: User
    fay: User
    finn: User
    fans: list[User]
    group: Group
    monthly: Tier
    yearly: Tier
    refunded: dict[uuid.UUID, str] = field(default_factory=dict)

    def now(self) -> datetime:
        return clock.now().replace(microsecond=0)

    def subscription(self, session: Session, fan: User, tier: Tier) -> Subscription:
        """The fan's living subscription to Mei's group, moved to the tier."""
        alive = select(Subscription).where(Subscription.user_id == fan.id, Subscription.state != "ended")
        found = session.scalars(alive).one_or_none()
        if found is None:
            found = subscribe(session, self.group, fan, tier, paid=False)
        found.tier_id, found.interval = tier.id, tier.interval
        return found

    def pay(self, fan: User, tier: Tier, amount: int, *, fee: int = 0, credit: int = 0, discount: int = 0) -> str:
        """A period is paid for from now; returns the invoice."""
        at = self.now()
        end = months_after(at, 12 if tier.interval == "year" else 1)
        return self.bill(fan, tier, [line(amount, at, end, discount=discount)], fee=fee, credit=credit)

    def bill(self, fan: User, tier: Tier, lines: list[dict[str, Any]], *, fee: int = 0, credit: int = 0) -> str:
        at = self.now()
        paid = invoice(at, lines, credit=credit)
        with unit_of_work() as session:
            subscription = self.subscription(session, fan, tier)
            payments.record(session, subscription, PaidBill(paid, charge(at, fee) if paid["amount_due"] else None))
        return str(paid["id"])

    def refund(self, payment_id: uuid.UUID, amount: int | None) -> str:
        """Ask for a refund, and Stripe says it succeeded; returns Stripe's id of it."""
        with unit_of_work() as session:
            payment = session.get_one(Payment, payment_id, with_for_update=True)
            money = None if amount is None else Money(amount, payment.currency)
            row = refunds.request(session, payment, money, "a reason", self.fay.id)
            found = self._refund(row.id, payment, row.amount_minor, stripe_id("re"), "succeeded")
            session.flush()
            refunds.settle(session, found)
        return str(found["id"])

    def refund_fails(self, payment_id: uuid.UUID, refund_id: str, amount: int) -> None:
        """The bank sends a refund back."""
        with unit_of_work() as session:
            payment = session.get_one(Payment, payment_id)
            refunds.settle(session, self._refund(None, payment, amount, refund_id, "failed"))

    def _refund(
        self, ours: uuid.UUID | None, payment: Payment, amount: int, refund_id: str, status: str
    ) -> dict[str, Any]:
        return {
            "id": refund_id,
            "amount": amount,
            "charge": payment.charge_id,
            "created": seconds(self.now()),
            "metadata": {"hub_refund": str(ours)} if ours else {},
            "status": status,
        }

    def dispute(self, charge_id: str, amount: int, status: str, rows: list[dict[str, Any]], dispute_id: str) -> None:
        """Take over a dispute as Stripe shows it."""
        with unit_of_work() as session:
            disputes.settle(
                session,
                {
                    "id": dispute_id,
                    "amount": amount,
                    "balance_transactions": rows,
                    "charge": charge_id,
                    "created": seconds(self.now()),
                    "currency": "usd",
                    "evidence_details": {"due_by": seconds(self.now() + timedelta(days=7))},
                    "reason": "fraudulent",
                    "status": status,
                },
            )

    def dispute_row(self, amount: int, fee: int) -> dict[str, Any]:
        """A balance transaction of a dispute: negative when the bank takes the money."""
        created = seconds(self.now())
        return {
            "id": stripe_id("txn"),
            "amount": amount,
            "created": created,
            "currency": "usd",
            "fee": fee,
            "net": amount - fee,
        }


def _somebody(session: Session, handle: str, *roles: str) -> User:
    """A person who never signs in: no password has to be hashed."""
    user = User(
        id=new_id(),
        email=f"{handle}@example.test",
        handle=handle,
        display_name=handle.capitalize(),
        password_hash="",
        roles=list(roles),
        created_at=clock.now(),
    )
    session.add(user)
    session.flush()
    return user


def open_books() -> Books:
    """Make the people and the shop; Mei's payout account is ready."""
    with unit_of_work() as session:
        mei = _somebody(session, "mei")
        fay, finn = (_somebody(session, name, "finance") for name in ("fay", "finn"))
        fans = [_somebody(session, name) for name in ("ana", "bo", "chen")]
        group = a_group(session, mei)
        books = Books(
            mei,
            fay,
            finn,
            fans,
            group,
            a_tier(session, group, "Silver", price_minor=1200),
            a_tier(session, group, "Gold", rank=2, price_minor=12_000, interval="year"),
        )
        session.add(
            PayoutAccount(
                id=new_id(),
                user_id=mei.id,
                stripe_account_id="acct_mei",
                details_submitted=True,
                transfers_active=True,
                bank_payouts_enabled=True,
                created_at=clock.now(),
            )
        )
    return books


def balances() -> dict[str, int]:
    """The ledger's balances by account kind, those at nothing left out, after checking that it is clean."""
    with unit_of_work() as session:
        assert ledger.check(session) == []
        found: dict[str, int] = {}
        for ref, amount in ledger.balances(session):
            found[ref.kind] = found.get(ref.kind, 0) + amount
    return {kind: amount for kind, amount in sorted(found.items()) if amount}
