"""Taking a payment's shares back: tax, then fee and creator, what is still paid ahead first."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy.orm import Session

from creator_hub.money import ledger, recognition
from creator_hub.money.billing_models import Payment
from creator_hub.money.ledger import Leg
from creator_hub.money.splits import Split


def take_back(
    session: Session,
    share: Split,
    *,
    currency: str,
    creator_id: uuid.UUID,
    tax_place: str,
    ahead: Sequence[Payment],
) -> list[Leg]:
    """The debits that take `share` back. The unearned parts of `ahead` go first; what the creator's balance does not
    cover becomes a claim on the creator. The caller holds the rows of `ahead`."""
    fee, creator = share.fee, share.creator
    for payment in ahead:
        taken = recognition.take_unearned(payment, fee, creator)
        fee, creator = fee - taken[0], creator - taken[1]
    payable = ledger.creator_payable(currency, creator_id)
    ledger.lock_account(session, payable)
    covered = min(creator, max(0, -ledger.balance(session, payable)))
    return [
        Leg(ledger.tax_payable(currency, tax_place), share.tax),
        Leg(ledger.deferred_revenue(currency), share.fee - fee + share.creator - creator),
        Leg(ledger.platform_fee(currency), fee),
        Leg(payable, covered),
        Leg(ledger.creator_receivable(currency, creator_id), creator - covered),
    ]


def take_back_payment(session: Session, payment: Payment, share: Split) -> list[Leg]:
    """The debits of a refund or a lost dispute of one payment."""
    return take_back(
        session,
        share,
        currency=payment.currency,
        creator_id=payment.creator_id,
        tax_place=payment.tax_place,
        ahead=[payment],
    )
