"""Changing a running subscription: what is credited, what is charged, when, and that the preview said so."""

from __future__ import annotations

import random
from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.conftest import DAY, Till, moment

APRIL = moment("2027-04-01T00:00")  # thirty days
MAY = moment("2027-05-01T00:00")
LATER = 3601  # a renewal is finalised an hour after it began


def test_an_upgrade_now_credits_and_charges_to_the_second(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    ana.to(APRIL + 10 * DAY + 1)
    ana.change(till.price(3000), proration_behavior="always_invoice")
    assert ana.lines() == [
        ("Unused time on Gold tier after 11 Apr 2027", -667),
        ("Remaining time on Gold tier after 11 Apr 2027", 2000),
    ]
    left = 20 * DAY - 1
    assert [round(full * left / (30 * DAY)) for full in (1000, 3000)] == [667, 2000]
    credit, charge = ana.invoices()[0].lines.data
    details = credit.parent.subscription_item_details
    assert details.proration
    assert details.proration_details.credited_items.invoice == ana.invoices()[1].id
    assert details.proration_details.credited_items.invoice_line_items == [ana.invoices()[1].lines.data[0].id]
    assert (charge.period.start, charge.period.end) == (APRIL + 10 * DAY + 1, MAY)
    assert ana.now().billing_cycle_anchor == APRIL


def test_prorations_wait_for_the_renewal_unless_asked_for_now(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    ana.to(APRIL + 15 * DAY)
    gold = till.price(3000)
    ana.change(gold)
    assert len(ana.invoices()) == 1
    ana.to(MAY + LATER)
    assert [amount for _, amount in ana.lines()] == [-500, 1500, 3000]
    assert ana.lines()[2][0] == "1 × Gold tier (at $30.00 / month)"
    assert ana.invoices()[0].amount_paid == 4000


def test_without_proration_only_the_next_period_costs_the_new_price(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    ana.to(APRIL + 15 * DAY)
    ana.change(till.price(3000), proration_behavior="none")
    ana.to(MAY + LATER)
    assert [amount for _, amount in ana.lines()] == [3000]


def test_a_second_change_credits_what_the_first_one_charged(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    for day, amount in ((10, 3000), (20, 2000)):
        ana.to(APRIL + day * DAY)
        ana.change(till.price(amount), proration_behavior="always_invoice")
    assert [amount for _, amount in ana.lines()] == [-1000, 667]
    assert ana.balance() == -333
    ana.to(MAY + LATER)
    assert (ana.invoices()[0].amount_due, ana.balance()) == (2000 - 333, 0)


@pytest.mark.parametrize(("mode", "credit"), [("flexible", -250), ("classic", -500)])
def test_flexible_mode_credits_what_was_paid_and_classic_mode_the_price_now(till: Till, mode: str, credit: int) -> None:
    till.api.coupons.create({"id": "HALF", "percent_off": 50, "duration": "once"})
    ana = till.frozen(APRIL, till.price(1000), discounts=[{"coupon": "HALF"}], billing_mode={"type": mode})
    assert ana.invoices()[0].total == 500
    ana.to(APRIL + 15 * DAY)
    ana.change(till.price(3000), proration_behavior="always_invoice")
    assert [amount for _, amount in ana.lines()] == [credit, 1500]


def test_a_running_coupon_lowers_both_sides_and_can_be_itemised(till: Till) -> None:
    till.api.coupons.create({"id": "FIFTH", "percent_off": 20, "duration": "forever"})
    gold = till.price(3000)
    terms = {"discounts": [{"coupon": "FIFTH"}]}
    ana = till.frozen(APRIL, till.price(1000), **terms)
    itemised = {"type": "flexible", "flexible": {"proration_discounts": "itemized"}}
    bo = till.frozen(APRIL, till.price(1000), **terms, billing_mode=itemised)
    for fan in (ana, bo):
        fan.to(APRIL + 15 * DAY)
        fan.change(gold, proration_behavior="always_invoice")
    assert [amount for _, amount in ana.lines()] == [-400, 1200]
    assert [amount for _, amount in bo.lines()] == [-500, 1500]
    taken = [line.discount_amounts[0].amount for line in bo.invoices()[0].lines.data]
    assert taken == [-100, 300]
    assert ana.invoices()[0].total == bo.invoices()[0].total == 800


def test_another_interval_moves_the_anchor_and_is_billed_at_once(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    at = APRIL + 15 * DAY
    ana.to(at)
    changed = ana.change(till.price(10_000, "year"))
    assert changed.billing_cycle_anchor == at
    assert changed.items.data[0].current_period_end == moment("2028-04-16T00:00")
    assert [amount for _, amount in ana.lines()] == [-500, 10_000]
    assert ana.invoices()[0].amount_paid == 9500


def test_another_interval_without_proration_gives_nothing_back(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    ana.to(APRIL + 15 * DAY)
    ana.change(till.price(10_000, "year"), proration_behavior="none")
    assert [amount for _, amount in ana.lines()] == [10_000]


def test_resetting_the_anchor_credits_the_running_period_and_begins_a_new_one(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    ana.to(APRIL + 15 * DAY)
    till.api.subscriptions.update(ana.id, {"billing_cycle_anchor": {"type": "now"}})
    assert [amount for _, amount in ana.lines()] == [-500, 1000]
    assert ana.now().items.data[0].current_period_end == moment("2027-05-16T00:00")


def test_naming_the_same_price_again_costs_nothing(till: Till) -> None:
    price = till.price(1000)
    ana = till.frozen(APRIL, price)
    ana.to(APRIL + 15 * DAY)
    ana.change(price, proration_behavior="always_invoice", metadata={"seen": "1"})
    assert len(ana.invoices()) == 1


def test_a_trial_on_a_running_subscription_gives_the_unused_time_back(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    ana.to(APRIL + 15 * DAY)
    until = APRIL + 40 * DAY
    waiting = till.api.subscriptions.update(ana.id, {"trial_end": until, "proration_behavior": "none"})
    assert (waiting.status, waiting.billing_cycle_anchor) == ("trialing", until)
    assert ana.lines() == [("Trial period for Gold tier", 0)]
    ana.to(until + LATER)
    assert ana.now().status == "active"
    assert ana.invoices()[0].amount_paid == 1000
    bo = till.frozen(APRIL, till.price(1000))
    bo.to(APRIL + 15 * DAY)
    till.api.subscriptions.update(bo.id, {"trial_end": until})
    assert bo.balance() == -500


def test_a_trial_can_end_early_and_is_then_charged(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000), trial_period_days=20)
    ana.to(APRIL + 5 * DAY)
    till.api.subscriptions.update(ana.id, {"trial_end": "now"})
    assert ana.now().status == "active"
    assert (ana.invoices()[0].amount_paid, ana.now().billing_cycle_anchor) == (1000, APRIL + 5 * DAY)


def test_an_end_inside_the_period_gives_the_rest_back_and_a_withdrawn_end_takes_it(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    ana.to(APRIL + 5 * DAY)
    soon = APRIL + 20 * DAY
    leaving = till.api.subscriptions.update(ana.id, {"cancel_at": soon, "proration_behavior": "always_invoice"})
    assert leaving.items.data[0].current_period_end == soon
    assert ana.balance() == -333
    till.api.subscriptions.update(ana.id, {"cancel_at": "", "proration_behavior": "always_invoice"})
    assert (ana.balance(), ana.now().items.data[0].current_period_end) == (0, MAY)
    till.api.subscriptions.update(ana.id, {"cancel_at": MAY + 10 * DAY})
    ana.to(MAY + LATER)
    assert [amount for _, amount in ana.lines()] == [round(1000 * 10 / 31)]
    assert ana.to(MAY + 11 * DAY).status == "canceled"


def test_leaving_at_once_can_be_credited_and_billed(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    ana.to(APRIL + 15 * DAY)
    till.api.subscriptions.cancel(ana.id, {"prorate": True, "invoice_now": True})
    assert ana.lines() == [("Unused time on Gold tier after 16 Apr 2027", -500)]
    assert ana.balance() == -500


def test_a_refused_card_undoes_the_upgrade_when_the_caller_wants_all_or_nothing(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    ana.to(APRIL + 15 * DAY)
    till.control("decline_next", code="insufficient_funds")
    with pytest.raises(stripe.CardError):
        ana.change(till.price(3000), proration_behavior="always_invoice", payment_behavior="error_if_incomplete")
    assert ana.now().items.data[0].price.unit_amount == 1000
    assert len(ana.invoices()) == 1


def test_a_pending_update_waits_for_its_payment_and_expires_without_it(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    ana.to(APRIL + 15 * DAY)
    gold = till.price(3000)
    wish: dict[str, Any] = {"proration_behavior": "always_invoice", "payment_behavior": "pending_if_incomplete"}
    till.control("decline_next", code="insufficient_funds")
    waiting = ana.change(gold, **wish)
    assert waiting.items.data[0].price.unit_amount == 1000
    assert waiting.status == "active"
    assert waiting.pending_update.subscription_items[0].price.id == gold.id
    till.api.invoices.pay(waiting.latest_invoice, {"payment_method": "pm_card_mastercard"})
    assert ana.now().items.data[0].price.id == gold.id
    assert ana.now().pending_update is None
    till.control("decline_next", code="insufficient_funds")
    ana.change(till.price(5000), **wish)
    expired = ana.to(APRIL + 17 * DAY)
    assert (expired.items.data[0].price.id, expired.pending_update) == (gold.id, None)
    assert ana.invoices()[0].status == "void"
    assert {
        "customer.subscription.pending_update_applied",
        "customer.subscription.pending_update_expired",
    } <= set(till.delivered())


def test_a_first_period_cut_short_by_an_anchor_costs_its_share_or_nothing(till: Till) -> None:
    anchor = APRIL + 15 * DAY
    ana = till.frozen(APRIL, till.price(3000), billing_cycle_anchor=anchor)
    assert ana.invoices()[0].total == round(3000 * 15 / 31)  # of the grid's period from 16 March
    bo = till.frozen(APRIL, till.price(3000), billing_cycle_anchor=anchor, proration_behavior="none")
    assert bo.invoices()[0].total == 0
    for fan in (ana, bo):
        fan.to(anchor + LATER)
        assert (fan.invoices()[0].total, fan.now().billing_cycle_anchor) == (3000, anchor)


def test_a_change_under_paused_collection_is_not_collected(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    till.api.subscriptions.update(ana.id, {"pause_collection": {"behavior": "keep_as_draft"}})
    ana.to(APRIL + 15 * DAY)
    ana.change(till.price(3000), proration_behavior="always_invoice")
    assert (ana.invoices()[0].status, ana.invoices()[0].total) == ("draft", 1000)


def test_a_currency_cannot_change_and_a_foreign_item_is_named(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    with pytest.raises(stripe.InvalidRequestError, match="currency"):
        ana.change(till.price(1000, currency="eur"))
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription item"):
        till.api.subscriptions.update(ana.id, {"items": [{"id": "si_nobody", "quantity": 2}]})
    with pytest.raises(stripe.InvalidRequestError, match="proration date"):
        ana.change(till.price(2000), proration_date=MAY + DAY)


def test_a_preview_of_the_next_invoice_is_the_next_invoice(till: Till) -> None:
    ana = till.frozen(APRIL, till.price(1000))
    ana.to(APRIL + 15 * DAY)
    ana.change(till.price(3000))
    preview = ana.preview()
    assert len(ana.invoices()) == 1
    ana.to(MAY + LATER)
    billed = ana.invoices()[0]
    assert [line.amount for line in billed.lines.data] == [line.amount for line in preview.lines.data]
    assert (preview.total, preview.amount_due) == (billed.total, billed.amount_due)
    leaving = till.api.subscriptions.update(ana.id, {"cancel_at_period_end": True})
    assert leaving.cancel_at_period_end
    with pytest.raises(stripe.InvalidRequestError) as none:
        ana.preview()
    assert none.value.code == "invoice_upcoming_none"


@pytest.mark.parametrize("seed", range(4))
def test_over_random_changes_the_preview_is_what_is_charged(till: Till, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - repeatable on purpose
    till.api.coupons.create({"id": "THIRD", "percent_off": 33.3, "duration": "repeating", "duration_in_months": 2})
    rate = till.api.tax_rates.create({"display_name": "VAT", "inclusive": True, "percentage": 19})
    currency = dice.choice(["usd", "jpy"])
    prices = [till.price(dice.randint(100, 9000), every, currency) for every in ("month", "month", "month", "year")]
    ana = till.frozen(
        APRIL + dice.randrange(DAY), prices[0], default_tax_rates=[rate.id], discounts=[{"coupon": "THIRD"}]
    )
    now = APRIL + DAY
    for _ in range(6):
        now += dice.randrange(3600, 25 * DAY)
        ana.to(now)
        change = {
            **ana.to_price(dice.choice(prices)),
            "proration_behavior": dice.choice(["always_invoice", "none", "create_prorations"]),
        }
        change["items"][0]["quantity"] = dice.randint(1, 3)
        before, preview = len(ana.invoices()), ana.preview(**change)
        till.api.subscriptions.update(ana.id, change)
        if len(ana.invoices()) == before:
            now = ana.now().items.data[0].current_period_end + LATER
            ana.to(now)
        billed = ana.invoices()[0]
        said = [(line.description, line.amount, line.period.end) for line in preview.lines.data]
        assert [(line.description, line.amount, line.period.end) for line in billed.lines.data] == said
        assert (billed.total, billed.amount_due) == (preview.total, preview.amount_due)
        assert billed.total_taxes[0].amount == preview.total_taxes[0].amount
