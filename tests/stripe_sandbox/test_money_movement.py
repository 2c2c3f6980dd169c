"""Balance, refunds, disputes, transfers to creators and payouts to banks."""

from __future__ import annotations

import pytest
import stripe

from tests.stripe_sandbox.conftest import DAY, Till


def available(till: Till, account: str | None = None) -> int:
    options = {"stripe_account": account} if account else {}
    return int(till.api.balance.retrieve({}, options).available[0].amount)


def charged(till: Till, card: str = "4242424242424242") -> stripe.Charge:
    """A settled charge of 12.00."""
    till.subscriber(till.price(), card)
    till.advance(1)
    return till.api.charges.list().data[0]


def test_a_refund_takes_the_amount_and_keeps_the_fee(till: Till) -> None:
    charge = charged(till)
    till.api.refunds.create({"charge": charge.id, "amount": 500, "metadata": {"hub": "r1"}})
    assert available(till) == 1135 - 500
    till.api.refunds.create({"payment_intent": charge.payment_intent})
    assert till.api.charges.retrieve(charge.id).refunded
    with pytest.raises(stripe.InvalidRequestError) as refused:
        till.api.refunds.create({"charge": charge.id})
    assert refused.value.code == "charge_already_refunded"


def test_a_dispute_takes_amount_and_fee_and_a_win_returns_the_amount(till: Till) -> None:
    charge = charged(till, "4000000000000259")
    till.advance(10)
    dispute = till.api.disputes.list({"charge": charge.id}).data[0]
    assert available(till) == 1135 - 1200 - 1500
    won = till.control("dispute", charge=charge.id, action="win")
    assert won["status"] == "won"
    assert available(till) == 1135 - 1500
    rows = till.api.balance_transactions.list({"source": dispute.id}).data
    assert {row.reporting_category for row in rows} == {"dispute", "dispute_reversal"}
    assert [kind for kind in till.delivered() if "dispute" in kind] == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
    ]


def test_a_transfer_needs_an_onboarded_creator_and_available_money(till: Till) -> None:
    stranger = till.api.accounts.create({"type": "express", "capabilities": {"transfers": {"requested": True}}})
    charged(till)
    with pytest.raises(stripe.InvalidRequestError) as early:
        till.api.transfers.create({"amount": 900, "currency": "usd", "destination": stranger.id})
    assert early.value.code == "insufficient_capabilities_for_transfer"
    mei = till.creator()
    with pytest.raises(stripe.InvalidRequestError) as poor:
        till.api.transfers.create({"amount": 9000, "currency": "usd", "destination": mei.id})
    assert poor.value.code == "balance_insufficient"
    sent = till.api.transfers.create(
        {
            "amount": 900,
            "currency": "usd",
            "destination": mei.id,
            "metadata": {"hub_payout": "p1"},
            "transfer_group": "run-1",
        }
    )
    assert sent.metadata["hub_payout"] == "p1"
    assert sent.transfer_group == "run-1"
    assert (available(till), available(till, mei.id)) == (235, 900)


def test_a_reversed_transfer_comes_back_once(till: Till) -> None:
    charged(till)
    mei = till.creator()
    sent = till.api.transfers.create({"amount": 900, "currency": "usd", "destination": mei.id})
    till.api.transfers.reversals.create(sent.id, {"amount": 400})
    till.api.transfers.reversals.create(sent.id)
    assert till.api.transfers.retrieve(sent.id).reversed
    assert (available(till), available(till, mei.id)) == (1135, 0)
    with pytest.raises(stripe.InvalidRequestError):
        till.api.transfers.reversals.create(sent.id)


def test_the_nightly_payout_is_the_sum_of_its_rows(till: Till) -> None:
    charge = charged(till)
    charged(till)
    mei = till.creator()
    till.api.transfers.create({"amount": 900, "currency": "usd", "destination": mei.id})
    till.api.refunds.create({"charge": charge.id, "amount": 100})
    till.advance(2 * DAY)
    payout = till.api.payouts.list().data[0]
    rows = till.api.balance_transactions.list({"payout": payout.id, "limit": 100}).data
    assert (payout.amount, payout.status, payout.reconciliation_status) == (1270, "paid", "completed")
    assert sum(row.net for row in rows if row.type != "payout") == payout.amount
    assert sorted(row.type for row in rows) == ["charge", "charge", "payout", "refund", "transfer"]
    assert available(till) == 0


def test_a_minimum_balance_stays_behind_and_still_adds_up(till: Till) -> None:
    charged(till)
    till.api.balance_settings.update({"payments": {"payouts": {"minimum_balance_by_currency": {"usd": 1000}}}})
    till.advance(2 * DAY)
    payout = till.api.payouts.list().data[0]
    rows = till.api.balance_transactions.list({"payout": payout.id}).data
    assert payout.amount == 135 == sum(row.net for row in rows if row.type != "payout")
    assert available(till) == 1000


def test_mei_is_paid_by_her_own_bank_and_told_on_the_connect_endpoint(till: Till) -> None:
    charged(till)
    mei = till.creator()
    till.api.transfers.create({"amount": 900, "currency": "usd", "destination": mei.id})
    till.advance(2 * DAY)
    payout = till.api.payouts.list({}, {"stripe_account": mei.id}).data[0]
    assert (payout.amount, payout.status) == (900, "paid")
    assert till.receiver is not None
    till.delivered()
    own = [event for event in till.receiver.events if getattr(event, "account", None) == mei.id]
    assert {"account.updated", "capability.updated", "payout.created", "payout.paid"} <= {e.type for e in own}
    listed = till.api.events.list({"type": "payout.*"}, {"stripe_account": mei.id}).data
    assert {event.account for event in listed} == {mei.id}


def test_a_failed_bank_payout_returns_the_money_and_says_why(till: Till) -> None:
    charged(till)
    mei = till.creator()
    till.api.transfers.create({"amount": 900, "currency": "usd", "destination": mei.id})
    till.control("payout_failure", account=mei.id, code="account_closed")
    till.api.payouts.create({"amount": 900, "currency": "usd"}, {"stripe_account": mei.id})
    till.advance(DAY)
    failed = till.api.payouts.list({}, {"stripe_account": mei.id}).data[-1]
    assert (failed.status, failed.failure_code) == ("failed", "account_closed")
    assert "payout.failed" in till.delivered()


def test_settled_later_money_is_pending_first(till: Till) -> None:
    charge = charged(till)
    row = till.api.balance_transactions.retrieve(str(charge.balance_transaction))
    assert (row.status, row.available_on) == ("available", row.created)
