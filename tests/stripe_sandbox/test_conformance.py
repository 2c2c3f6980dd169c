"""Every answer and every accepted parameter, against the installed client's own classes."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import stripe

from creator_hub.settings import SANDBOX_SECRET_KEY
from creator_hub.stripe_sandbox import server  # noqa: F401 - registers every route
from creator_hub.stripe_sandbox.forms import Either, Metadata
from creator_hub.stripe_sandbox.routes import ROUTES, Route
from tests.stripe_sandbox import client_shapes as shapes
from tests.stripe_sandbox.business import play_everything, tour
from tests.stripe_sandbox.conftest import Till


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
    play_everything(till)
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


class Recorder(stripe.RequestsClient):
    """Keeps every answer of the sandbox beside the route that gave it."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[tuple[str, str, dict[str, Any]]] = []

    def request(self, method: str, url: str, headers: Any, post_data: Any = None) -> Any:
        content, status, answered = super().request(method, url, headers, post_data)
        if status == 200:
            self.answers.append((method.upper(), urlsplit(url).path, json.loads(content)))
        return content, status, answered


def _route_of(method: str, path: str) -> Route | None:
    """Literal paths before those with a slot, as the server looks."""
    for route in sorted(ROUTES, key=lambda route: route.path.count("{")):
        if route.method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route.path), path):
            return route
    return None


def _read_everything(till: Till, recorder: Recorder) -> None:
    """Every list, and the first object of each; below an object the lists it has."""
    reads = [route.path for route in ROUTES if route.method == "GET"]
    for path in sorted(reads, key=len):
        holder = path.partition("/{")[0]
        rows = till.raw(f"/v1/{holder.removeprefix('/v1/')}?limit=100").get("data", []) if "{" in path else []
        if path.count("{") > 1:
            continue
        if "{" in path:
            assert rows, f"nothing to read at {path}"
            path = re.sub(r"\{\w+\}", rows[0]["id"], path)
        recorder.answers.append(("GET", path, till.raw(path)))


def test_every_route_answers_in_the_shape_the_client_expects_of_it(till: Till) -> None:
    recorder = Recorder()
    till.client = stripe.StripeClient(SANDBOX_SECRET_KEY, base_addresses={"api": till.url}, http_client=recorder)
    till.api = till.client.v1
    play_everything(till)
    tour(till)
    _read_everything(till, recorder)
    recorder.close()
    mistakes, met = set[str](), set[str]()
    for method, path, body in recorder.answers:
        route = _route_of(method, path)
        assert route is not None
        met.add(f"{route.method} {route.path}")
        expected = shapes.client_routes()[route.method, _slot(route.path)].returns
        mistakes |= {re.sub(r"\[\d+\]", "[]", row) for row in shapes.answer_mistakes(body, expected, route.path)}
    assert sorted(mistakes) == []
    assert {f"{route.method} {route.path}" for route in ROUTES} - met == set()


def test_every_route_refuses_what_stripe_does_not_know(till: Till) -> None:
    for route in ROUTES:
        path = re.sub(r"\{\w+\}", "any", route.path)
        status, body = till.send(route.method, path, "surprise=1")
        assert (status, body["error"].get("code"), body["error"].get("param")) == (
            400,
            "parameter_unknown",
            "surprise",
        ), f"{route.method} {route.path}"


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
