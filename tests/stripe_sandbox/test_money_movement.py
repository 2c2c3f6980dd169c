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
    assert till.api.accounts.retrieve(mei.id).external_accounts.data[0].status == "errored"
    till.control(f"onboard/{mei.id}")
    assert till.api.accounts.retrieve(mei.id).external_accounts.data[0].status == "new"
    till.advance(2 * DAY)
    assert till.api.payouts.list({}, {"stripe_account": mei.id}).data[0].status == "paid"


def test_settled_later_money_is_pending_first(till: Till) -> None:
    charge = charged(till)
    row = till.api.balance_transactions.retrieve(str(charge.balance_transaction))
    assert (row.status, row.available_on) == ("available", row.created)


def test_a_manual_payout_is_not_paid_a_second_time(till: Till) -> None:
    charged(till)
    till.api.payouts.create({"amount": 500, "currency": "usd"})
    till.advance(2 * DAY)
    automatic, manual = till.api.payouts.list().data
    assert (automatic.automatic, automatic.amount, manual.amount) == (True, 635, 500)
    rows = till.api.balance_transactions.list({"payout": automatic.id}).data
    assert sum(row.net for row in rows if row.source != automatic.id) == 635
    assert available(till) == 0


def test_a_failed_refund_brings_the_money_back_and_can_be_made_again(till: Till) -> None:
    charge = charged(till, "4000000000005126")
    refund = till.api.refunds.create({"charge": charge.id, "amount": 500})
    assert (refund.status, available(till)) == ("succeeded", 1135 - 500)
    till.api.balance_settings.update({"payments": {"payouts": {"schedule": {"interval": "manual"}}}})
    till.advance(4 * DAY)
    failed = till.api.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert failed.failure_balance_transaction.reporting_category == "refund_failure"
    assert (available(till), till.api.charges.retrieve(charge.id).amount_refunded) == (1135, 0)
    assert {"refund.failed", "refund.updated", "charge.refund.updated"} <= set(till.delivered())


def test_the_control_plane_fails_a_refund_now_or_the_next_one(till: Till) -> None:
    charge = charged(till)
    refund = till.api.refunds.create({"charge": charge.id, "amount": 100})
    assert till.control("refund_failure", refund=refund.id, reason="declined")["failure_reason"] == "declined"
    till.control("refund_failure")
    later = till.api.refunds.create({"charge": charge.id, "amount": 100})
    till.advance(4 * DAY)
    assert till.api.refunds.retrieve(later.id).status == "failed"


def test_a_pending_refund_arrives_days_later(till: Till) -> None:
    charge = charged(till, "4000000000007726")
    refund = till.api.refunds.create({"charge": charge.id})
    assert refund.status == "pending"
    till.advance(4 * DAY)
    assert till.api.refunds.retrieve(refund.id).status == "succeeded"


def test_an_early_fraud_warning_can_be_acted_on_until_the_refund(till: Till) -> None:
    charge = charged(till, "4000000000005423")
    till.advance(5)
    warning = till.api.radar.early_fraud_warnings.list({"charge": charge.id}).data[0]
    assert warning.actionable
    till.api.refunds.create({"charge": charge.id})
    assert not till.api.radar.early_fraud_warnings.retrieve(warning.id).actionable
    other = charged(till)
    assert till.control("fraud_warning", charge=other.id, fraud_type="made_with_stolen_card")["actionable"]
    assert till.delivered().count("radar.early_fraud_warning.created") == 2


def test_an_inquiry_moves_no_money_until_it_becomes_a_chargeback(till: Till) -> None:
    charge = charged(till, "4000000000001976")
    till.advance(5)
    asked = till.api.disputes.list({"charge": charge.id}).data[0]
    assert (asked.status, available(till)) == ("warning_needs_response", 1135)
    till.control("dispute", charge=charge.id, action="escalate")
    assert available(till) == 1135 - 1200 - 1500
    lost = till.api.disputes.update(asked.id, {"evidence": {"uncategorized_text": "losing_evidence"}})
    assert (lost.status, available(till)) == ("lost", 1135 - 1200 - 1500)


def test_evidence_that_wins_and_a_deadline_that_passes(till: Till) -> None:
    first, second = charged(till), charged(till)
    till.control("dispute", charge=first.id, reason="product_not_received")
    dispute = till.api.disputes.list({"charge": first.id}).data[0]
    assert (
        till.api.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}}).status == "won"
    )
    till.control("dispute", charge=second.id, amount=700)
    till.advance(10 * DAY)
    late = till.api.disputes.list({"charge": second.id}).data[0]
    assert (late.status, late.amount, late.evidence_details.past_due) == ("lost", 700, True)


def test_a_direct_charge_pays_the_creator_and_the_platform_its_fee(till: Till) -> None:
    mei = till.creator()
    own: stripe.RequestOptions = {"stripe_account": mei.id}
    intent = till.api.payment_intents.create(
        {
            "amount": 1200,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "application_fee_amount": 120,
        },
        own,
    )
    till.advance(5)
    assert (available(till), available(till, mei.id)) == (120, 1200 - 65 - 120)
    fee = till.api.application_fees.list().data[0]
    assert (fee.account, fee.charge, fee.amount) == (mei.id, intent.latest_charge, 120)
    row = till.api.balance_transactions.list({}, own).data[0]
    assert sorted((part.type, part.amount) for part in row.fee_details) == [
        ("application_fee", 120),
        ("stripe_fee", 65),
    ]
    for amount in (400, 400, 400):
        till.api.refunds.create({"payment_intent": intent.id, "amount": amount, "refund_application_fee": True}, own)
    assert (available(till), available(till, mei.id)) == (0, -65)
    assert {"application_fee.created", "application_fee.refunded"} <= set(till.delivered())
    with pytest.raises(stripe.InvalidRequestError, match="application_fee_amount"):
        till.api.payment_intents.create({"amount": 1200, "currency": "usd", "application_fee_amount": 120})


def test_a_subscription_on_the_creators_account_shares_every_invoice(till: Till) -> None:
    mei = till.creator()
    own: stripe.RequestOptions = {"stripe_account": mei.id}
    product = till.api.products.create({"name": "Gold"}, own)
    price = till.api.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 1000, "recurring": {"interval": "month"}}, own
    )
    session = till.api.checkout.sessions.create(
        {
            "mode": "subscription",
            "success_url": "https://hub.test",
            "line_items": [{"price": price.id, "quantity": 1}],
            "subscription_data": {"application_fee_percent": 10},
        },
        own,
    )
    paid = till.control(f"checkout/{session.id}/pay", card="4242424242424242", account=mei.id, email="ana@fans.test")
    assert paid["payment_status"] == "paid", paid
    till.advance(32 * DAY)
    assert [fee.amount for fee in till.api.application_fees.list().data] == [100, 100]


def test_a_creator_who_disconnects_is_out_of_reach(till: Till) -> None:
    charged(till)
    mei = till.creator()
    till.control("deauthorize", account=mei.id)
    assert "account.application.deauthorized" in till.delivered()
    with pytest.raises(stripe.PermissionError):
        till.api.balance.retrieve({}, {"stripe_account": mei.id})
    with pytest.raises(stripe.PermissionError):
        till.api.accounts.retrieve(mei.id)
    with pytest.raises(stripe.InvalidRequestError):
        till.api.transfers.create({"amount": 100, "currency": "usd", "destination": mei.id})
    assert till.api.accounts.list().data == []
