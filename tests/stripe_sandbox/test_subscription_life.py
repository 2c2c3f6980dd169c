"""What befalls a subscription over months: schedules, pauses, dunning, coupons, codes and credit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.conftest import DAY, Frozen, Till, moment

APRIL = moment("2027-04-01T00:00")
MAY = moment("2027-05-01T00:00")
JUNE = moment("2027-06-01T00:00")
LATER = 3601


def downgrade_at_period_end(till: Till, ana: Frozen, price: stripe.Price, **more: Any) -> stripe.SubscriptionSchedule:
    plan = till.api.subscription_schedules.create({"from_subscription": ana.id})
    first = plan.phases[0]
    return till.api.subscription_schedules.update(
        plan.id,
        {
            "end_behavior": "release",
            "phases": [
                {
                    "items": [{"price": str(first.items[0].price), "quantity": 1}],
                    "start_date": first.start_date,
                    "end_date": first.end_date,
                },
                {"items": [{"price": price.id}], **more},
            ],
        },
    )


def test_a_downgrade_waits_for_the_period_to_end_and_prorates_nothing(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(3000))
    ana.to(APRIL + 10 * DAY)
    plan = downgrade_at_period_end(till, ana, till.price(1000))
    assert (plan.status, plan.subscription, plan.current_phase.end_date) == ("active", ana.id, MAY)
    assert ana.now().items.data[0].price.unit_amount == 3000
    assert [line.amount for line in ana.preview().lines.data] == [1000]
    with pytest.raises(stripe.InvalidRequestError, match="schedule"):
        till.api.subscriptions.update(ana.id, {"cancel_at_period_end": True})
    ana.to(MAY + LATER)
    assert [amount for _, amount in ana.lines()] == [1000]
    assert (ana.invoices()[0].amount_paid, ana.now().billing_cycle_anchor) == (1000, APRIL)
    ana.to(JUNE + LATER)
    done = till.api.subscription_schedules.retrieve(plan.id)
    assert (done.status, done.released_subscription, ana.now().schedule) == ("released", ana.id, None)
    assert [amount for _, amount in ana.lines()] == [1000]
    assert {"subscription_schedule.created", "subscription_schedule.updated", "subscription_schedule.released"} <= set(
        till.delivered()
    )


def test_a_change_to_yearly_at_period_end_begins_its_year_then(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(3000))
    downgrade_at_period_end(till, ana, till.price(9000, "year"))
    ana.to(MAY + LATER)
    assert [amount for _, amount in ana.lines()] == [9000]
    assert ana.now().items.data[0].current_period_end == moment("2028-05-01T00:00")


def test_a_released_schedule_changes_nothing_any_more(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(3000))
    plan = downgrade_at_period_end(till, ana, till.price(1000))
    released = till.api.subscription_schedules.release(plan.id)
    assert (released.status, ana.now().schedule) == ("released", None)
    ana.to(MAY + LATER)
    assert [amount for _, amount in ana.lines()] == [3000]
    with pytest.raises(stripe.InvalidRequestError, match="released"):
        till.api.subscription_schedules.release(plan.id)


def test_a_phase_that_ends_inside_a_period_is_prorated_and_the_last_may_end_the_subscription(till: Till) -> None:
    clock = till.api.test_helpers.test_clocks.create({"frozen_time": APRIL})
    card = {"payment_method": "pm_card_visa", "test_clock": clock.id}
    chen = till.api.customers.create(card)
    method = till.api.customers.payment_methods.list(chen.id).data[0]
    till.api.customers.update(chen.id, {"invoice_settings": {"default_payment_method": method.id}})
    plan = till.api.subscription_schedules.create(
        {
            "customer": chen.id,
            "start_date": APRIL + 5 * DAY,
            "end_behavior": "cancel",
            "phases": [
                {"items": [{"price": till.price(1000).id}], "duration": {"interval": "day", "interval_count": 15}},
                {
                    "items": [{"price": till.price(3000).id}],
                    "end_date": APRIL + 30 * DAY,
                    "proration_behavior": "always_invoice",
                },
            ],
        }
    )
    assert (plan.status, plan.subscription) == ("not_started", None)
    till.api.test_helpers.test_clocks.advance(clock.id, {"frozen_time": APRIL + 6 * DAY})
    begun = till.api.subscription_schedules.retrieve(plan.id)
    chens = Frozen(till, clock.id, chen.id, str(begun.subscription))
    assert (begun.status, chens.invoices()[0].amount_paid) == ("active", 1000)
    chens.to(APRIL + 21 * DAY)
    assert [amount for _, amount in chens.lines()] == [-500, 1500]
    assert chens.to(APRIL + 31 * DAY).status == "canceled"
    assert till.api.subscription_schedules.retrieve(plan.id).status == "completed"


def test_a_paused_subscription_costs_nothing_until_it_is_resumed(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    ana.to(APRIL + 15 * DAY)
    paused = till.api.subscriptions.pause(ana.id, {"invoicing_behavior": "invoice"})
    assert (paused.status, ana.balance()) == ("paused", -500)
    ana.to(JUNE)
    assert len(ana.invoices()) == 2
    resumed = till.api.subscriptions.resume(ana.id)
    assert (resumed.status, resumed.billing_cycle_anchor) == ("active", JUNE)
    assert (ana.invoices()[0].total, ana.invoices()[0].amount_paid) == (1000, 500)
    assert {"customer.subscription.paused", "customer.subscription.resumed"} <= set(till.delivered())


def test_a_pause_that_ends_in_its_period_charges_the_rest_of_it(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    ana.to(APRIL + 10 * DAY)
    till.api.subscriptions.pause(ana.id)
    ana.to(APRIL + 15 * DAY)
    till.api.subscriptions.resume(
        ana.id, {"billing_cycle_anchor": {"type": "unchanged"}, "proration_behavior": "always_invoice"}
    )
    assert [amount for _, amount in ana.lines()] == [-667, 500]
    assert (ana.balance(), ana.now().items.data[0].current_period_end) == (-167, MAY)


def test_a_voided_renewal_under_paused_collection_leaves_the_credit_alone(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    till.api.customers.balance_transactions.create(ana.customer, {"amount": -700, "currency": "usd"})
    till.api.subscriptions.update(ana.id, {"pause_collection": {"behavior": "void", "resumes_at": MAY + 5 * DAY}})
    ana.to(MAY + LATER)
    assert (ana.invoices()[0].status, ana.balance()) == ("void", -700)
    assert ana.to(MAY + 6 * DAY).pause_collection is None
    ana.to(JUNE + LATER)
    assert (ana.invoices()[0].amount_paid, ana.balance()) == (300, 0)


def test_kept_drafts_of_a_pause_can_be_collected_later(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    till.api.subscriptions.update(ana.id, {"pause_collection": {"behavior": "keep_as_draft"}})
    ana.to(MAY + LATER)
    draft = ana.invoices()[0]
    assert (draft.status, draft.auto_advance) == ("draft", False)
    assert till.api.invoices.finalize_invoice(draft.id, {"auto_advance": True}).status == "paid"


@pytest.mark.parametrize(
    ("then", "status", "next_status"),
    [("cancel", "canceled", None), ("past_due", "past_due", "open"), ("unpaid", "unpaid", "draft")],
)
def test_after_the_last_retry_the_settings_decide(till: Till, then: str, status: str, next_status: str | None) -> None:
    assert till.control("dunning", retry_days=[1, 2], then=then)["_status"] == 200
    ana = till.frozen(APRIL, till.price(1000))
    till.control("decline_next", count=99)
    ana.to(MAY + LATER)
    assert (ana.now().status, till.api.customers.retrieve(ana.customer).delinquent) == ("past_due", True)
    ana.to(MAY + 4 * DAY)
    failed = ana.invoices()[0]
    assert (ana.now().status, failed.attempt_count, failed.next_payment_attempt) == (status, 3, None)
    ana.to(JUNE + LATER)
    assert (ana.invoices()[0].status if len(ana.invoices()) > 2 else None) == next_status


def test_an_unpaid_subscription_is_active_again_when_its_latest_invoice_is_paid(till: Till) -> None:
    till.control("dunning", retry_days=[], then="unpaid")
    ana = till.frozen(APRIL, till.price(1000))
    till.control("decline_next")
    ana.to(MAY + LATER)
    assert ana.now().status == "unpaid"
    till.api.invoices.pay(ana.invoices()[0].id)
    assert ana.now().status == "active"
    assert not till.api.customers.retrieve(ana.customer).delinquent


def test_a_lost_card_is_not_asked_again_until_there_is_another(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    till.control("decline_next", code="lost_card")
    ana.to(MAY + LATER)
    ana.to(MAY + 2 * DAY)
    assert (ana.invoices()[0].attempt_count, len(till.api.charges.list({"customer": ana.customer}).data)) == (2, 2)
    other = till.api.payment_methods.attach("pm_card_mastercard", {"customer": ana.customer})
    till.api.subscriptions.update(ana.id, {"default_payment_method": other.id})
    ana.to(MAY + 5 * DAY)
    assert (ana.invoices()[0].status, ana.now().status) == ("paid", "active")


def test_what_is_too_small_to_charge_waits_on_the_balance(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    till.api.customers.balance_transactions.create(ana.customer, {"amount": -970, "currency": "usd"})
    ana.to(MAY + LATER)
    assert (ana.invoices()[0].status, ana.invoices()[0].amount_due, ana.balance()) == ("paid", 0, 30)
    rows = till.api.customers.balance_transactions.list(ana.customer).data
    assert rows[0].type == "invoice_too_small"
    ana.to(JUNE + LATER)
    assert (ana.invoices()[0].amount_paid, ana.balance()) == (1030, 0)


def test_credit_given_while_a_renewal_is_a_draft_still_counts(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    ana.to(MAY + 60)
    till.api.customers.balance_transactions.create(ana.customer, {"amount": -400, "currency": "usd"})
    ana.to(MAY + LATER)
    assert (ana.invoices()[0].amount_paid, ana.balance()) == (600, 0)


def test_a_voided_invoice_gives_its_credit_back(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    till.api.customers.balance_transactions.create(ana.customer, {"amount": -400, "currency": "usd"})
    till.control("decline_next")
    ana.to(MAY + LATER)
    assert (ana.invoices()[0].amount_due, ana.balance()) == (600, 0)
    till.api.invoices.void_invoice(ana.invoices()[0].id)
    assert ana.balance() == -400


def test_coupons_last_as_long_as_they_say(till: Till) -> None:
    api = till.api
    api.coupons.create({"id": "ONCE", "amount_off": 300, "currency": "usd", "duration": "once"})
    api.coupons.create({"id": "TWICE", "percent_off": 25, "duration": "repeating", "duration_in_months": 2})
    api.coupons.create({"id": "ALWAYS", "percent_off": 10, "duration": "forever"})
    fans = {
        name: till.frozen(APRIL, till.price(1000), discounts=[{"coupon": name}]) for name in ("ONCE", "TWICE", "ALWAYS")
    }
    for fan in fans.values():
        fan.to(JUNE + LATER)
    paid = {name: [row.amount_paid for row in reversed(fan.invoices())] for name, fan in fans.items()}
    assert paid == {"ONCE": [700, 1000, 1000], "TWICE": [750, 750, 1000], "ALWAYS": [900, 900, 900]}
    assert {"customer.discount.created", "customer.discount.deleted"} <= set(till.delivered())


def test_an_amount_off_is_spread_over_the_lines_to_the_cent(till: Till) -> None:
    till.api.coupons.create({"id": "TEN", "amount_off": 1000, "currency": "usd", "duration": "once"})
    items = [{"price": till.price(amount).id} for amount in (1000, 1000, 1000)]
    ana = till.frozen(APRIL, till.price(1000), items=items, discounts=[{"coupon": "TEN"}])
    parts = [line.discount_amounts[0].amount for line in ana.invoices()[0].lines.data]
    assert (parts, ana.invoices()[0].total) == ([334, 333, 333], 2000)


def test_a_coupon_for_some_products_leaves_the_others_alone(till: Till) -> None:
    gold, silver = till.price(1000), till.price(500)
    till.api.coupons.create(
        {"id": "GOLD", "percent_off": 50, "duration": "once", "applies_to": {"products": [str(gold.product)]}}
    )
    items = [{"price": gold.id}, {"price": silver.id}]
    ana = till.frozen(APRIL, gold, items=items, discounts=[{"coupon": "GOLD"}])
    assert ana.invoices()[0].total == 1000


def test_codes_are_refused_when_used_up_expired_foreign_or_too_small(till: Till) -> None:
    api = till.api
    api.coupons.create({"id": "HALF", "percent_off": 50, "duration": "once"})
    api.coupons.create({"id": "EURO", "amount_off": 100, "currency": "eur"})
    api.coupons.create({"id": "LATE", "percent_off": 50, "duration": "once", "redeem_by": APRIL + DAY})

    def code(**more: Any) -> dict[str, str]:
        promotion = {"type": "coupon", "coupon": "HALF"}
        return {"promotion_code": api.promotion_codes.create({"promotion": promotion, **more}).id}

    def refused(discount: dict[str, str], at: int = APRIL) -> str:
        with pytest.raises(stripe.InvalidRequestError) as error:
            till.frozen(at, till.price(1000), discounts=[discount])
        return str(error.value)

    single = code(max_redemptions=1)
    assert till.frozen(APRIL, till.price(1000), discounts=[single]).invoices()[0].total == 500
    assert "used up" in refused(single)
    assert "used up or has expired" in refused({"coupon": "LATE"}, APRIL + 2 * DAY)
    assert "cannot be applied to USD" in refused({"coupon": "EURO"})
    minimum = {"minimum_amount": 5000, "minimum_amount_currency": "usd"}
    assert "at least $50.00" in refused(code(restrictions=minimum))
    somebody = api.customers.create({"email": "bo@fans.test"})
    assert "another customer" in refused(code(customer=somebody.id))
    first_only = code(restrictions={"first_time_transaction": True})
    ana = till.frozen(APRIL, till.price(1000), discounts=[first_only])
    with pytest.raises(stripe.InvalidRequestError, match="prior transactions"):
        api.subscriptions.update(ana.id, {"discounts": [first_only]})


def test_a_discount_can_be_taken_away_again(till: Till) -> None:
    till.api.coupons.create({"id": "HALF", "percent_off": 50, "duration": "forever"})
    ana = till.frozen(APRIL, till.price(1000), discounts=[{"coupon": "HALF"}])
    till.api.subscriptions.delete_discount(ana.id)
    ana.to(MAY + LATER)
    assert ana.invoices()[0].total == 1000


def test_a_price_change_spares_who_is_already_there(till: Till) -> None:
    price = till.price(1000)
    ana = till.frozen(APRIL, price)
    till.api.prices.update(price.id, {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        till.frozen(APRIL, price)
    ana.to(MAY + LATER)
    assert ana.invoices()[0].amount_paid == 1000


def test_thirty_at_once_redeem_a_coupon_no_oftener_than_it_allows(till: Till) -> None:
    till.api.coupons.create({"id": "FIVE", "percent_off": 50, "duration": "once", "max_redemptions": 5})
    fans = [till.frozen(APRIL, till.price(1000)) for _ in range(2)]
    wish: Any = {"discounts": [{"coupon": "FIVE"}]}

    def redeem(turn: int) -> bool:
        try:
            till.api.subscriptions.update(fans[turn % 2].id, wish)
        except stripe.InvalidRequestError:
            return False
        return True

    with ThreadPoolExecutor(30) as crowd:
        assert sum(crowd.map(redeem, range(30))) == 5
    coupon = till.api.coupons.retrieve("FIVE")
    assert (coupon.times_redeemed, coupon.valid) == (5, False)


def test_a_balance_is_kept_in_one_currency(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    with pytest.raises(stripe.InvalidRequestError, match="kept in usd"):
        till.api.customers.balance_transactions.create(ana.customer, {"amount": -100, "currency": "eur"})
