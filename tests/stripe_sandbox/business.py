"""Business of every kind, played through the official client, so that every object and every route is met."""

from __future__ import annotations

from typing import Any

import stripe

from tests.stripe_sandbox.conftest import DAY, Till


def play_everything(till: Till) -> None:
    """A year of business, so that every kind of object comes to be in its different states."""
    api = till.api
    rate = api.tax_rates.create({"display_name": "VAT", "inclusive": True, "percentage": 20, "country": "DE"})
    api.coupons.create({"id": "HALF", "percent_off": 50, "duration": "repeating", "duration_in_months": 3})
    api.promotion_codes.create({"promotion": {"type": "coupon", "coupon": "HALF"}, "code": "WELCOME"})
    price, yearly = till.price(), till.price(12_000, "year", "eur")
    gold = till.subscriber(
        price,
        subscription_data={"default_tax_rates": [rate.id], "metadata": {"hub": "1"}},
        discounts=[{"coupon": "HALF"}],
    )
    till.subscriber(yearly, subscription_data={"trial_period_days": 7})
    till.subscriber(price, "4000002760003184")
    declined = till.checkout(price)
    till.control(f"checkout/{declined.id}/pay", card="4000000000000002")
    api.checkout.sessions.expire(declined.id)
    once = api.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "https://hub.test",
            "customer_creation": "always",
            "line_items": [
                {"price_data": {"currency": "jpy", "unit_amount": 500, "product_data": {"name": "Gift"}}, "quantity": 2}
            ],
            "payment_intent_data": {"setup_future_usage": "off_session", "transfer_group": "g"},
        }
    )
    till.control(f"checkout/{once.id}/pay", card="5555555555554444")
    mei = till.creator()
    api.account_links.create(
        {
            "account": mei.id,
            "type": "account_onboarding",
            "return_url": "https://hub.test",
            "refresh_url": "https://hub.test",
        }
    )
    till.advance(10)
    transfer = api.transfers.create({"amount": 300, "currency": "usd", "destination": mei.id})
    api.transfers.reversals.create(transfer.id, {"amount": 100})
    charge = api.charges.list({"limit": 100}).data[-1]
    api.refunds.create(
        {
            "charge": next(
                row.id
                for row in api.charges.list({"limit": 100}).data
                if row.status == "succeeded" and not row.disputed and row.currency == "usd"
            ),
            "amount": 200,
            "reason": "requested_by_customer",
        }
    )
    assert charge.object == "charge"
    till.subscriber(price, "4000000000000259")
    silver = till.price(500)
    item = gold.items.data[0].id
    api.subscriptions.update(
        gold.id, {"items": [{"id": item, "price": silver.id}], "proration_behavior": "always_invoice"}
    )
    api.subscriptions.update(
        gold.id, {"items": [{"id": item, "price": price.id}], "proration_behavior": "always_invoice"}
    )
    customer = api.customers.create({"email": "bo@fans.test", "payment_method": "pm_card_chargeCustomerFail"})
    card = api.customers.payment_methods.list(customer.id).data[0]
    api.customers.update(customer.id, {"invoice_settings": {"default_payment_method": card.id}})
    api.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})
    api.setup_intents.create({"customer": customer.id, "payment_method": "pm_card_visa", "confirm": True})
    api.payment_intents.create(
        {
            "amount": 700,
            "currency": "usd",
            "payment_method": "pm_card_authenticationRequired",
            "confirm": True,
            "return_url": "https://hub.test",
        }
    )
    api.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["customer.deleted"]})
    till.control("payout_failure", account=mei.id)
    till.advance(10)
    dispute = api.disputes.list().data[0]
    api.disputes.update(dispute.id, {"evidence": {"product_description": "A tier"}, "submit": True})
    till.control("dispute", charge=dispute.charge, action="win")
    _play_trouble(till, price)
    _play_direct_charges(till, mei.id)
    _play_plans(till)
    till.advance(12 * DAY)
    till.control("decline_next", code="insufficient_funds", count=4)
    till.advance(60 * DAY)
    clock = api.test_helpers.test_clocks.create({"frozen_time": 1_700_000_000})
    api.test_helpers.test_clocks.advance(clock.id, {"frozen_time": 1_700_100_000})


def _play_trouble(till: Till, price: stripe.Price) -> None:
    """Warnings, inquiries, refunds that are late or fail."""
    for card in ("4000000000005423", "4000000000001976", "4000000000002685", "4000000000007726", "4000000000005126"):
        till.subscriber(price, card)
    till.advance(5)
    for charge in till.api.charges.list({"limit": 5}).data:
        if not charge.disputed:
            till.api.refunds.create({"charge": charge.id, "amount": 300})
    inquiry = next(row for row in till.api.disputes.list().data if row.status == "warning_needs_response")
    till.control("dispute", charge=inquiry.charge, action="escalate")


def _play_direct_charges(till: Till, account: str) -> None:
    """The creator is merchant of record; the platform takes its fee."""
    own = {"stripe_account": account}
    for amount in (5000, 3000):
        till.api.payment_intents.create(
            {
                "amount": amount,
                "currency": "usd",
                "payment_method": "pm_card_visa",
                "confirm": True,
                "application_fee_amount": amount // 10,
            },
            own,
        )
    till.advance(5)
    charge = till.api.charges.list({}, own).data[0]
    till.api.refunds.create({"charge": charge.id, "amount": 1000, "refund_application_fee": True}, own)


def _play_plans(till: Till) -> None:
    """Schedules, pauses, pending changes and itemised prorations."""
    start = 1_800_000_000
    itemised = {"type": "flexible", "flexible": {"proration_discounts": "itemized"}}
    till.api.coupons.create({"id": "TENTH", "percent_off": 10, "duration": "forever"})
    ana = till.frozen(start, till.price(1000), billing_mode=itemised, discounts=[{"coupon": "TENTH"}])
    ana.to(start + DAY)
    till.control("decline_next")
    wish = {"proration_behavior": "always_invoice", "payment_behavior": "pending_if_incomplete"}
    ana.change(till.price(3000), **wish)
    ana.to(start + 3 * DAY)
    ana.change(till.price(2000), proration_behavior="always_invoice")
    plan = till.api.subscription_schedules.create({"from_subscription": ana.id})
    till.api.subscription_schedules.update(
        plan.id,
        {
            "phases": [
                {"items": [{"price": str(plan.phases[0].items[0].price)}], "end_date": plan.phases[0].end_date},
                {"items": [{"price": till.price(700).id}], "duration": {"interval": "month", "interval_count": 2}},
            ]
        },
    )
    ana.to(start + 40 * DAY)
    bo = till.frozen(start, till.price(1000))
    till.api.subscriptions.pause(bo.id, {"invoicing_behavior": "invoice"})
    till.api.subscription_schedules.create(
        {
            "customer": bo.customer,
            "start_date": start + DAY,
            "phases": [{"items": [{"price": till.price(500).id}], "discounts": [{"coupon": "TENTH"}]}],
        }
    )


def tour(till: Till) -> None:
    """Every route that business alone does not meet: the changes first, then what only reads."""
    _change_the_catalogue(till)
    _change_people_and_money(till)
    _change_subscriptions_and_invoices(till)


def _change_the_catalogue(till: Till) -> None:
    api, mark = till.api, {"metadata": {"tour": "1"}}
    product = api.products.create({"name": "Short-lived"})
    api.products.update(product.id, mark)
    api.products.delete(product.id)
    price = till.price(900)
    api.prices.update(price.id, mark)
    api.tax_rates.update(api.tax_rates.list().data[0].id, mark)
    coupon = api.coupons.create({"percent_off": 5, "duration": "once"})
    api.coupons.update(coupon.id, mark)
    api.coupons.delete(coupon.id)
    api.promotion_codes.update(api.promotion_codes.list().data[0].id, mark)
    endpoint = api.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["customer.deleted"]})
    api.webhook_endpoints.update(endpoint.id, mark)
    api.webhook_endpoints.retrieve(endpoint.id)
    api.webhook_endpoints.delete(endpoint.id)
    clock = api.test_helpers.test_clocks.create({"frozen_time": 1_700_000_000})
    api.test_helpers.test_clocks.retrieve(clock.id)
    api.test_helpers.test_clocks.delete(clock.id)


def _change_people_and_money(till: Till) -> None:
    api, mark = till.api, {"metadata": {"tour": "1"}}
    customer = api.customers.create({"email": "tour@fans.test"})
    api.customers.update(customer.id, mark)
    given = api.customers.balance_transactions.create(customer.id, {"amount": -100, "currency": "usd"})
    api.customers.balance_transactions.update(customer.id, given.id, mark)
    api.customers.balance_transactions.retrieve(customer.id, given.id)
    card = api.payment_methods.create({"type": "card", "card": {"number": "4242424242424242", "exp_month": 1}})
    api.payment_methods.update(card.id, mark)
    api.payment_methods.attach(card.id, {"customer": customer.id})
    api.payment_methods.detach(card.id)
    setup = api.setup_intents.create({"customer": customer.id})
    api.setup_intents.confirm(setup.id, {"payment_method": "pm_card_visa"})
    api.setup_intents.cancel(api.setup_intents.create({}).id)
    intent = api.payment_intents.create({"amount": 900, "currency": "usd"})
    api.payment_intents.update(intent.id, mark)
    api.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    api.payment_intents.cancel(api.payment_intents.create({"amount": 900, "currency": "usd"}).id)
    till.advance(5)
    charge = api.charges.list().data[0]
    api.charges.update(charge.id, mark)
    api.refunds.update(api.refunds.create({"charge": charge.id, "amount": 100}).id, mark)
    till.control("dispute", charge=charge.id)
    api.disputes.close(api.disputes.list().data[0].id)
    api.payment_intents.create({"amount": 90_000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True})
    till.advance(5)
    account = api.accounts.list().data[0].id
    transfer = api.transfers.create({"amount": 500, "currency": "usd", "destination": account})
    api.transfers.update(transfer.id, mark)
    reversal = api.transfers.reversals.create(transfer.id, {"amount": 50})
    api.transfers.reversals.retrieve(transfer.id, reversal.id)
    payout = api.payouts.create({"amount": 300, "currency": "usd"})
    api.payouts.update(payout.id, mark)
    api.payouts.cancel(payout.id)
    api.balance_settings.update({"payments": {"payouts": {"schedule": {"interval": "daily"}}}})
    fee = next(row for row in api.application_fees.list().data if not row.refunded)
    returned = api.application_fees.refunds.create(fee.id, {"amount": 10})
    api.application_fees.refunds.update(fee.id, returned.id, mark)
    api.application_fees.refunds.retrieve(fee.id, returned.id)
    api.accounts.update(account, mark)
    api.accounts.login_links.create(account)
    api.accounts.delete(api.accounts.create({"type": "express"}).id)


def _change_subscriptions_and_invoices(till: Till) -> None:
    api, price = till.api, till.price(900)
    ana = till.frozen(1_800_000_000, price, discounts=[{"coupon": "TENTH"}])
    api.billing_portal.sessions.create({"customer": ana.customer})
    ana.preview()
    api.subscriptions.delete_discount(ana.id)
    api.subscriptions.pause(ana.id)
    api.subscriptions.resume(ana.id)
    plan = api.subscription_schedules.create({"from_subscription": ana.id})
    api.subscription_schedules.release(plan.id)
    ends: list[Any] = [api.invoices.void_invoice, api.invoices.mark_uncollectible, api.invoices.pay]
    for end in ends:
        till.control("decline_next")
        period_end = ana.now().items.data[0].current_period_end
        ana.to(period_end + 60)
        draft = ana.invoices()[0]
        api.invoices.update(draft.id, {"metadata": {"tour": "1"}})
        api.invoices.finalize_invoice(draft.id, {"auto_advance": False})
        if end == api.invoices.pay:
            till.control("decline_next", count=0)
        end(draft.id)
    api.subscription_schedules.cancel(api.subscription_schedules.create({"from_subscription": ana.id}).id)
    bo = till.frozen(1_800_000_000, price)
    api.subscriptions.cancel(bo.id)
    api.customers.delete(bo.customer)
