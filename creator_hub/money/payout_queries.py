"""Reads of payouts and runs, with the people and groups they speak of."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub.accounts.queries import PublicUser, people
from creator_hub.core.money import Money
from creator_hub.core.paging import Page, PageRequest, paginate
from creator_hub.groups.models import Group
from creator_hub.money.payout_models import Payout, PayoutRun


@dataclass(frozen=True, slots=True)
class PayoutView:
    """A payout as finance and its creator see it; `group` is the creator's first group of that currency."""

    id: uuid.UUID
    run_id: uuid.UUID
    creator: PublicUser
    group: Group | None
    amount: Money
    state: str
    reason: str | None
    transfer_id: str | None
    bank_state: str | None
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunView:
    id: uuid.UUID
    currency: str
    cut_off: datetime
    method: str
    state: str
    requested_by: PublicUser
    approved_by: PublicUser | None
    created_at: datetime
    approved_at: datetime | None
    payouts: Sequence[PayoutView]

    @property
    def total(self) -> Money:
        return Money(sum(payout.amount.minor for payout in self.payouts), self.currency)


def runs(session: Session, asked: PageRequest) -> Page[RunView]:
    """Payout runs, newest first."""
    page = paginate(session, select(PayoutRun), PayoutRun.id, asked)
    return Page(_with_payouts(session, page.items), page.next)


def run(session: Session, row: PayoutRun) -> RunView:
    return _with_payouts(session, [row])[0]


def payouts(session: Session, asked: PageRequest, *, creator_id: uuid.UUID | None = None) -> Page[PayoutView]:
    """Payouts, newest first; a creator is shown only what was approved."""
    query = select(Payout)
    if creator_id is not None:
        query = query.join(PayoutRun).where(Payout.creator_id == creator_id, PayoutRun.approved_by.is_not(None))
    page = paginate(session, query, Payout.id, asked)
    return Page(_views(session, page.items), page.next)


def _with_payouts(session: Session, rows: Sequence[PayoutRun]) -> list[RunView]:
    found = session.scalars(select(Payout).where(Payout.run_id.in_([row.id for row in rows])).order_by(Payout.id)).all()
    by_run: dict[uuid.UUID, list[PayoutView]] = {row.id: [] for row in rows}
    for view in _views(session, found):
        by_run[view.run_id].append(view)
    named = people(session, [i for row in rows for i in (row.requested_by, row.approved_by) if i is not None])
    return [
        RunView(
            row.id,
            row.currency,
            row.cut_off,
            row.method,
            row.state,
            named[row.requested_by],
            named[row.approved_by] if row.approved_by else None,
            row.created_at,
            row.approved_at,
            by_run[row.id],
        )
        for row in rows
    ]


def _views(session: Session, rows: Sequence[Payout]) -> list[PayoutView]:
    creators = {row.creator_id for row in rows}
    named = people(session, creators)
    groups = {
        (group.owner_id, group.currency): group
        for group in session.scalars(select(Group).where(Group.owner_id.in_(creators)).order_by(Group.id.desc()))
    }
    return [
        PayoutView(
            row.id,
            row.run_id,
            named[row.creator_id],
            groups.get((row.creator_id, row.currency)),
            Money(row.amount_minor, row.currency),
            row.state,
            row.reason,
            row.transfer_id,
            row.bank_state,
            row.sent_at,
        )
        for row in rows
    ]
