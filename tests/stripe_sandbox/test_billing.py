"""Checkout, renewals, dunning, changes and discounts, through the official client over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import stripe

from creator_hub.stripe_sandbox import billing, fees
from tests.stripe_sandbox.conftest import DAY, Till, moment


def date(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def period_of(subscription: stripe.Subscription) -> tuple[str, str]:
    item = subscription.items.data[0]
    return date(item.current_period_start), date(item.current_period_end)


def test_periods_keep_the_anchor_day_across_short_months_and_leap_years() -> None:
    anchor = moment("2027-01-31T10:00")
    assert [date(billing.boundary(anchor, "month", 1, n)) for n in range(4)] == [
        "2027-01-31",
        "2027-02-28",
        "2027-03-31",
        "2027-04-30",
    ]
    assert date(billing.boundary(moment("2028-02-29"), "year", 1, 1)) == "2029-02-28"
    assert date(billing.boundary(moment("2028-02-29"), "year", 1, 4)) == "2032-02-29"


def test_fees_follow_the_currencys_own_decimals() -> None:
    assert fees.processing_fee(1200, "usd") == 65
    assert fees.processing_fee(1200, "jpy") == 65
    assert fees.processing_fee(12_000, "kwd") == 648
    assert fees.processing_fee(10, "usd") == 10


def test_ana_subscribes_by_checkout_and_everything_hangs_together(till: Till) -> None:
    session = till.checkout(
        till.price(),
        client_reference_id="membership-7",
        metadata={"hub": "m7"},
        subscription_data={"metadata": {"hub_subscription": "s7"}},
    )
    paid = till.control(f"checkout/{session.id}/pay", card="4242 4242 4242 4242", email="ana@fans.test")
    assert (paid["status"], paid["payment_status"]) == ("complete", "paid")
    assert paid["redirect_url"] == f"https://hub.test/done?s={session.id}"
    assert (paid["client_reference_id"], paid["metadata"]) == ("membership-7", {"hub": "m7"})
    subscription = till.api.subscriptions.retrieve(paid["subscription"], {"expand": ["latest_invoice.payments"]})
    assert subscription.status == "active"
    assert subscription.metadata["hub_subscription"] == "s7"
    invoice = subscription.latest_invoice
    assert invoice.parent.subscription_details.subscription == subscription.id
    assert invoice.parent.subscription_details.metadata["hub_subscription"] == "s7"
    intent = till.api.payment_intents.retrieve(invoice.payments.data[0].payment.payment_intent)
    assert till.api.charges.retrieve(intent.latest_charge).amount == 1200


def test_the_fee_is_unknown_at_first_and_told_by_charge_updated(till: Till) -> None:
    till.subscriber(till.price())
    charge = till.api.charges.list().data[0]
    assert charge.balance_transaction is None
    till.advance(5)
    settled = till.api.charges.retrieve(charge.id, {"expand": ["balance_transaction"]})
    assert (settled.balance_transaction.fee, settled.balance_transaction.net) == (65, 1135)
    assert "charge.updated" in till.delivered()


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ("4000000000000002", "generic_decline"),
        ("4000000000009995", "insufficient_funds"),
        ("4000000000000069", "expired_card"),
        ("4000000000000341", "generic_decline"),
    ],
)
def test_a_declined_card_leaves_the_checkout_open_and_no_subscription(till: Till, card: str, reason: str) -> None:
    session = till.checkout(till.price(), customer_email="bo@fans.test")
    refused = till.control(f"checkout/{session.id}/pay", card=card)
    assert (refused["_status"], refused["error"]["decline_code"]) == (402, reason)
    assert till.api.checkout.sessions.retrieve(session.id).status == "open"
    assert till.api.subscriptions.list({"status": "all"}).data == []
    assert till.api.charges.list().data[0].status == "failed"
    again = till.control(f"checkout/{session.id}/pay", card="4242424242424242")
    assert again["payment_status"] == "paid"
    assert till.delivered()[-1] in ("checkout.session.completed", "charge.updated")


def test_renewals_fall_on_31_january_28_february_and_31_march(till: Till) -> None:
    till.advance(to=moment("2027-01-31T12:00"))
    subscription = till.subscriber(till.price())
    seen = [period_of(subscription)]
    for until in ("2027-02-28T18:00", "2027-03-31T18:00"):
        till.advance(to=moment(until))
        seen.append(period_of(till.api.subscriptions.retrieve(subscription.id)))
    assert seen == [("2027-01-31", "2027-02-28"), ("2027-02-28", "2027-03-31"), ("2027-03-31", "2027-04-30")]
    invoices = till.api.invoices.list({"subscription": subscription.id}).data
    assert [invoice.status for invoice in invoices] == ["paid"] * 3
    assert till.delivered().count("invoice.paid") == 3


def test_a_renewal_is_a_draft_for_an_hour_before_it_is_collected(till: Till) -> None:
    subscription = till.subscriber(till.price())
    till.advance(to=subscription.items.data[0].current_period_end + 60)
    assert till.api.invoices.list({"subscription": subscription.id}).data[0].status == "draft"
    till.advance(3600)
    assert till.api.invoices.list({"subscription": subscription.id}).data[0].status == "paid"


def test_a_failed_renewal_is_past_due_retried_and_recovers_with_a_new_card(till: Till) -> None:
    subscription = till.subscriber(till.price())
    till.control("decline_next", code="insufficient_funds", count=2)
    till.advance(to=subscription.items.data[0].current_period_end + 2 * 3600)
    failed = till.api.invoices.list({"subscription": subscription.id}).data[0]
    assert till.api.subscriptions.retrieve(subscription.id).status == "past_due"
    assert (failed.status, failed.attempt_count) == ("open", 1)
    assert failed.next_payment_attempt
    till.advance(to=failed.next_payment_attempt + 60)
    assert till.api.invoices.retrieve(failed.id).attempt_count == 2
    till.api.invoices.pay(failed.id, {"payment_method": "pm_card_mastercard"})
    assert till.api.subscriptions.retrieve(subscription.id).status == "active"
    assert till.delivered().count("invoice.payment_failed") == 2


def test_after_two_weeks_of_failed_retries_the_subscription_is_cancelled(till: Till) -> None:
    subscription = till.subscriber(till.price())
    till.control("decline_next", count=20)
    end = subscription.items.data[0].current_period_end
    till.advance(to=end + 13 * DAY)
    assert till.api.subscriptions.retrieve(subscription.id).status == "past_due"
    till.advance(to=end + 15 * DAY)
    gone = till.api.subscriptions.retrieve(subscription.id)
    assert (gone.status, gone.cancellation_details.reason) == ("canceled", "payment_failed")
    assert "customer.subscription.deleted" in till.delivered()


def test_an_unpaid_first_invoice_expires_after_23_hours(till: Till) -> None:
    bo = till.api.customers.create({"payment_method": "pm_card_chargeCustomerFail"})
    card = till.api.customers.payment_methods.list(bo.id).data[0]
    subscription = till.api.subscriptions.create(
        {"customer": bo.id, "default_payment_method": card.id, "items": [{"price": till.price().id}]}
    )
    assert subscription.status == "incomplete"
    till.advance(24 * 3600)
    assert till.api.subscriptions.retrieve(subscription.id).status == "incomplete_expired"
    assert till.api.invoices.retrieve(subscription.latest_invoice).status == "void"


def test_cancelling_at_period_end_keeps_the_paid_time(till: Till) -> None:
    subscription = till.subscriber(till.price())
    leaving = till.api.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    assert leaving.status == "active"
    assert leaving.cancel_at == subscription.items.data[0].current_period_end
    till.advance(to=leaving.cancel_at + 10)
    assert till.api.subscriptions.retrieve(subscription.id).status == "canceled"
    assert len(till.api.invoices.list({"subscription": subscription.id}).data) == 1


def test_a_trial_costs_nothing_until_it_ends(till: Till) -> None:
    session = till.checkout(till.price(), customer_email="chen@fans.test", subscription_data={"trial_period_days": 7})
    assert session.amount_total == 0
    done = till.control(f"checkout/{session.id}/pay", card="4242424242424242")
    assert done["payment_status"] == "no_payment_required"
    assert till.api.subscriptions.retrieve(done["subscription"]).status == "trialing"
    till.advance(7 * DAY + 2 * 3600)
    assert till.api.subscriptions.retrieve(done["subscription"]).status == "active"
    assert [row.amount_paid for row in till.api.invoices.list().data] == [1200, 0]
    assert "customer.subscription.trial_will_end" in till.delivered()


def test_an_upgrade_is_billed_as_its_preview_said(till: Till) -> None:
    subscription = till.subscriber(till.price(1000))
    higher = till.price(3000)
    till.advance(10 * DAY)
    at = till.raw("/_control/health")["now"]
    change = {
        "items": [{"id": subscription.items.data[0].id, "price": higher.id}],
        "proration_behavior": "always_invoice",
        "proration_date": at,
    }
    preview = till.api.invoices.create_preview({"subscription": subscription.id, "subscription_details": change})
    assert till.api.subscriptions.retrieve(subscription.id).items.data[0].price.unit_amount == 1000
    till.api.subscriptions.update(subscription.id, change)
    billed = till.api.invoices.list({"subscription": subscription.id}).data[0]
    assert [line.amount for line in billed.lines.data] == [line.amount for line in preview.lines.data]
    assert billed.total == preview.total == sum(line.amount for line in billed.lines.data) > 0
    assert {line.parent.subscription_item_details.proration for line in billed.lines.data} == {True}


def test_a_downgrade_leaves_credit_that_the_next_invoice_spends(till: Till) -> None:
    subscription = till.subscriber(till.price(3000))
    till.api.subscriptions.update(
        subscription.id,
        {
            "items": [{"id": subscription.items.data[0].id, "price": till.price(1000).id}],
            "proration_behavior": "always_invoice",
        },
    )
    credit = -till.api.customers.retrieve(subscription.customer).balance
    assert 1900 <= credit <= 2000
    till.advance(33 * DAY)
    renewal = till.api.invoices.list({"subscription": subscription.id}).data[0]
    assert (renewal.total, renewal.amount_due, renewal.status) == (1000, 0, "paid")


def test_from_monthly_to_yearly_a_new_cycle_begins_now(till: Till) -> None:
    subscription = till.subscriber(till.price(1000))
    changed = till.api.subscriptions.update(
        subscription.id, {"items": [{"id": subscription.items.data[0].id, "price": till.price(10_000, "year").id}]}
    )
    item = changed.items.data[0]
    assert item.current_period_end - item.current_period_start >= 365 * DAY
    billed = till.api.invoices.list({"subscription": subscription.id}).data[0]
    assert sorted(line.amount for line in billed.lines.data)[-1] == 10_000
    assert 8_900 <= billed.amount_paid <= 9_100


def test_a_paused_collection_voids_renewals_until_it_resumes(till: Till) -> None:
    subscription = till.subscriber(till.price())
    till.api.subscriptions.update(subscription.id, {"pause_collection": {"behavior": "void"}})
    till.advance(33 * DAY)
    assert till.api.invoices.list({"subscription": subscription.id}).data[0].status == "void"
    resumed = till.api.subscriptions.update(subscription.id, {"pause_collection": ""})
    assert resumed.pause_collection is None
    till.advance(33 * DAY)
    assert till.api.invoices.list({"subscription": subscription.id}).data[0].status == "paid"


def test_a_coupon_runs_for_its_months_and_tax_is_inside_the_price(till: Till) -> None:
    rate = till.api.tax_rates.create({"display_name": "VAT", "inclusive": True, "percentage": 20})
    till.api.coupons.create({"id": "HALF", "percent_off": 50, "duration": "once", "max_redemptions": 1})
    session = till.checkout(
        till.price(1200),
        discounts=[{"coupon": "HALF"}],
        customer_email="ana@fans.test",
        subscription_data={"default_tax_rates": [rate.id]},
    )
    assert session.amount_total == 600
    done = till.control(f"checkout/{session.id}/pay", card="4242424242424242")
    till.advance(33 * DAY)
    renewal, first = till.api.invoices.list({"subscription": done["subscription"]}).data
    assert (first.amount_paid, first.total_taxes[0].amount, first.total_excluding_tax) == (600, 100, 500)
    assert (renewal.amount_paid, renewal.total_taxes[0].amount) == (1200, 200)
    with pytest.raises(stripe.InvalidRequestError):
        till.api.subscriptions.create(
            {"customer": done["customer"], "items": [{"price": till.price().id}], "discounts": [{"coupon": "HALF"}]}
        )


def test_a_test_clock_moves_only_its_own_customers(till: Till) -> None:
    start = moment("2027-01-31T12:00")
    clock = till.api.test_helpers.test_clocks.create({"frozen_time": start})
    chen = till.api.customers.create({"test_clock": clock.id, "payment_method": "pm_card_visa"})
    card = till.api.customers.payment_methods.list(chen.id).data[0]
    subscription = till.api.subscriptions.create(
        {"customer": chen.id, "default_payment_method": card.id, "items": [{"price": till.price().id}]}
    )
    other = till.subscriber(till.price())
    till.api.test_helpers.test_clocks.advance(clock.id, {"frozen_time": moment("2027-03-01T12:00")})
    assert period_of(till.api.subscriptions.retrieve(subscription.id)) == ("2027-02-28", "2027-03-31")
    assert (
        till.api.subscriptions.retrieve(other.id).items.data[0].current_period_end
        == other.items.data[0].current_period_end
    )


def test_three_d_secure_waits_for_the_cardholder(till: Till) -> None:
    session = till.checkout(till.price(), customer_email="ana@fans.test")
    refused = till.control(f"checkout/{session.id}/pay", card="4000002760003184", approve=False)
    assert refused["_status"] == 402
    assert till.api.checkout.sessions.retrieve(session.id).status == "open"
    done = till.control(f"checkout/{session.id}/pay", card="4000002760003184", approve=True)
    assert done["payment_status"] == "paid"
    till.advance(32 * DAY)
    assert till.api.subscriptions.retrieve(done["subscription"]).status == "past_due"
    assert "invoice.payment_action_required" in till.delivered()


def test_a_deleted_customer_is_never_billed_again_and_a_deleted_coupon_still_counts(till: Till) -> None:
    till.api.coupons.create({"id": "HALF", "percent_off": 50, "duration": "forever"})
    ana = till.subscriber(till.price(), discounts=[{"coupon": "HALF"}])
    bo = till.subscriber(till.price())
    till.api.coupons.delete("HALF")
    till.api.customers.delete(str(bo.customer))
    till.advance(33 * DAY)
    assert till.api.subscriptions.retrieve(bo.id).status == "canceled"
    assert [row.amount_paid for row in till.api.invoices.list({"subscription": ana.id}).data] == [600, 600]
