"""Every answer and every accepted parameter, against the installed client's own classes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import stripe

from creator_hub.stripe_sandbox import server  # noqa: F401 - registers every route
from creator_hub.stripe_sandbox.forms import Either, Metadata
from creator_hub.stripe_sandbox.routes import ROUTES, Route
from tests.stripe_sandbox import client_shapes as shapes
from tests.stripe_sandbox.conftest import DAY, Till


def _slot(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def _plain_spec(kind: Any) -> Any:
    """The sandbox's grammar in the words the shapes are checked with."""
    if isinstance(kind, Either):
        return _plain_spec(kind.other) if kind.other is not None else kind.plain
    if isinstance(kind, Metadata):
        return {}
    if isinstance(kind, dict):
        return {name: _plain_spec(item) for name, item in kind.items()}
    return [_plain_spec(kind[0])] if isinstance(kind, list) else kind


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_and_parameter_is_one_the_client_can_send(route: Route) -> None:
    known = shapes.client_routes()
    assert (route.method, _slot(route.path)) in known
    shape = known[route.method, _slot(route.path)].params
    assert shapes.param_mistakes(_plain_spec(route.spec), shape, route.path) == []


def _play_everything(till: Till) -> None:
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


LISTS = [
    "customers",
    "products",
    "prices",
    "tax_rates",
    "coupons",
    "promotion_codes",
    "checkout/sessions",
    "setup_intents",
    "subscriptions?status=all",
    "subscription_schedules",
    "radar/early_fraud_warnings",
    "application_fees",
    "invoices",
    "invoice_payments",
    "payment_intents",
    "charges",
    "refunds",
    "disputes",
    "balance_transactions",
    "transfers",
    "payouts",
    "accounts",
    "webhook_endpoints",
    "test_helpers/test_clocks",
]


def test_every_object_the_sandbox_makes_is_one_the_client_knows(till: Till) -> None:
    _play_everything(till)
    mistakes = set[str]()
    account = till.api.accounts.list().data[0].id
    for path in LISTS:
        joint = "&" if "?" in path else "?"
        found = till.raw(f"/v1/{path}{joint}limit=100")
        assert found["data"], f"{path}: the scenario made none"
        mistakes |= _mistakes(found)
    for path in ("balance", "account", "balance_settings", f"accounts/{account}/capabilities"):
        mistakes |= _mistakes(till.raw(f"/v1/{path}"))
    for headers in ({}, {"Stripe-Account": account}):
        for path in ("events", "balance_transactions", "payouts", "charges"):
            mistakes |= _mistakes(_all(till, path, headers))
    delivered = set(till.delivered())
    assert till.receiver is not None
    mistakes |= _mistakes({"object": "list", "data": till.receiver.bodies})
    assert sorted(mistakes) == []
    assert {"invoice.paid", "charge.updated", "payout.failed", "transfer.reversed"} <= delivered
    assert {"refund.failed", "radar.early_fraud_warning.created", "application_fee.created"} <= delivered


def _all(till: Till, path: str, headers: dict[str, str]) -> dict[str, Any]:
    rows: list[Any] = []
    after = ""
    while True:
        page = till.raw(f"/v1/{path}?limit=100{after}", **headers)
        rows += page["data"]
        if not page["has_more"]:
            return {"object": "list", "data": rows}
        after = f"&starting_after={page['data'][-1]['id']}"


def _mistakes(body: dict[str, Any]) -> set[str]:
    found = shapes.object_mistakes(body)
    for row in body.get("data", []) if body.get("object") == "list" else []:
        if row["object"] == "event":
            found += shapes.object_mistakes(row["data"]["object"], f"{row['type']}>{row['data']['object']['object']}")
    return {re.sub(r"\[\d+\]", "[]", mistake) for mistake in found}


def test_the_checker_itself_notices_an_unknown_field_a_bad_enum_and_a_missing_field(till: Till) -> None:
    body = json.loads(json.dumps(till.raw(f"/v1/prices/{till.price().id}")))
    del body["currency"]
    body |= {"surprise": 1, "billing_scheme": "by_weight"}
    found = " ".join(shapes.object_mistakes(body))
    assert "surprise" in found
    assert "by_weight" in found
    assert "currency: missing" in found


def test_expanded_fields_keep_their_shape(till: Till) -> None:
    subscription = till.subscriber(till.price())
    path = f"/v1/subscriptions/{subscription.id}?expand[]=latest_invoice.payments&expand[]=customer.subscriptions"
    body = till.raw(path)
    assert body["latest_invoice"]["payments"]["data"][0]["status"] == "paid"
    assert body["customer"]["subscriptions"]["data"][0]["id"] == subscription.id
    assert shapes.object_mistakes(body) == []


def test_a_field_that_cannot_be_expanded_is_named(till: Till) -> None:
    subscription = till.subscriber(till.price())
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        till.api.subscriptions.retrieve(subscription.id, {"expand": ["nonsense"]})
