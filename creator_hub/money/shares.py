"""Taking a payment's shares back: tax, then fee and creator, what is still paid ahead first."""

from __future__ import annotations

from sqlalchemy.orm import Session

from creator_hub.money import ledger, recognition
from creator_hub.money.billing_models import Payment
from creator_hub.money.ledger import Leg
from creator_hub.money.splits import Split


def take_back_payment(session: Session, payment: Payment, share: Split) -> list[Leg]:
    """The debits that take `share` of a payment back: after a refund, a lost dispute, a change of plan.

    What the creator's balance does not cover becomes a claim on the creator. The caller holds the payment's row.
    """
    currency = payment.currency
    fee, creator = recognition.take_unearned(payment, share.fee, share.creator)
    payable = ledger.creator_payable(currency, payment.creator_id)
    ledger.lock_account(session, payable)
    earned = share.creator - creator
    covered = min(earned, max(0, -ledger.balance(session, payable)))
    return [
        Leg(ledger.tax_payable(currency, payment.tax_place), share.tax),
        Leg(ledger.deferred_revenue(currency), fee + creator),
        Leg(ledger.platform_fee(currency), share.fee - fee),
        Leg(payable, covered),
        Leg(ledger.creator_receivable(currency, payment.creator_id), earned - covered),
    ]
