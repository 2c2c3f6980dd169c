"""A sandbox of its own per test, the official client, and a receiver that checks every signature."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import stripe

from creator_hub.settings import SANDBOX_CONNECT_WEBHOOK_SECRET, SANDBOX_SECRET_KEY, SANDBOX_WEBHOOK_SECRET
from creator_hub.stripe_sandbox.server import Options, started

DAY = 86_400


def moment(text: str) -> int:
    """Unix seconds of an ISO time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


class Receiver:
    """Stands for the hub's two webhook endpoints; `answers` are the statuses still to be given before 200, `holds` the
    ids of objects whose events are answered only when their gate opens."""

    def __init__(self, port: int = 0) -> None:
        self.events: list[stripe.Event] = []
        self.bodies: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self.holds: dict[str, threading.Event] = {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                secret = SANDBOX_CONNECT_WEBHOOK_SECRET if self.path == "/connect" else SANDBOX_WEBHOOK_SECRET
                event = stripe.Webhook.construct_event(body, self.headers["Stripe-Signature"], secret)
                gate = receiver.holds.get(json.loads(body)["data"]["object"].get("id", ""))
                if gate:
                    gate.wait(15)
                status = receiver.answers.pop(0) if receiver.answers else 200
                if status == 200:
                    receiver.events.append(event)
                    receiver.bodies.append(json.loads(body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.events]


class Till:
    """The sandbox as a test uses it: the client, the control plane, and short verbs."""

    def __init__(self, url: str, receiver: Receiver | None = None) -> None:
        self.url = url
        self.receiver = receiver
        self.client = stripe.StripeClient(SANDBOX_SECRET_KEY, base_addresses={"api": url}, max_network_retries=0)
        self.api = self.client.v1

    def control(self, path: str, **body: Any) -> dict[str, Any]:
        """The answer's JSON, with its HTTP status as `_status`."""
        request = urllib.request.Request(
            f"{self.url}/_control/{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return {**json.load(answer), "_status": answer.status}
        except urllib.error.HTTPError as error:
            with error:
                return {**json.load(error), "_status": error.code}

    def raw(self, path: str, **headers: str) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.url}{path}",
            headers={
                "Authorization": f"Bearer {SANDBOX_SECRET_KEY}",
                **headers,
            },
        )
        with urllib.request.urlopen(request) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def send(self, method: str, path: str, query: str) -> tuple[int, dict[str, Any]]:
        """Any request with these raw parameters: (status, JSON)."""
        body = query.encode() if method == "POST" else None
        url = f"{self.url}{path}" if body else f"{self.url}{path}?{query}"
        key = {"Authorization": f"Bearer {SANDBOX_SECRET_KEY}"}
        request = urllib.request.Request(url, body, key, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def advance(self, seconds: int = 0, *, to: int | None = None) -> None:
        answer = self.control("advance", **({"seconds": seconds} if to is None else {"to": to}))
        assert answer["_status"] == 200, answer

    def price(self, amount: int = 1200, interval: str = "month", currency: str = "usd") -> stripe.Price:
        product = self.api.products.create({"name": "Gold tier"})
        return self.api.prices.create(
            {"product": product.id, "currency": currency, "unit_amount": amount, "recurring": {"interval": interval}}
        )

    def checkout(self, price: stripe.Price, **more: Any) -> stripe.checkout.Session:
        return self.api.checkout.sessions.create(
            {
                "mode": "subscription",
                "success_url": "https://hub.test/done?s={CHECKOUT_SESSION_ID}",
                "cancel_url": "https://hub.test/no",
                "line_items": [{"price": price.id, "quantity": 1}],
                **more,
            }
        )

    def subscriber(self, price: stripe.Price, card: str = "4242424242424242", **more: Any) -> stripe.Subscription:
        """Ana subscribes on the hosted page's terms and her subscription is returned."""
        session = self.checkout(price, customer_email="ana@fans.test", **more)
        paid = self.control(f"checkout/{session.id}/pay", card=card)
        assert paid["_status"] == 200, paid
        return self.api.subscriptions.retrieve(paid["subscription"])

    def frozen(self, at: int, price: stripe.Price, card: str = "pm_card_visa", **more: Any) -> Frozen:
        """A customer on a test clock who subscribes at `at`: every second is the test's own."""
        clock = self.api.test_helpers.test_clocks.create({"frozen_time": at})
        customer = self.api.customers.create({"test_clock": clock.id, "email": "ana@fans.test"})
        method = self.api.payment_methods.attach(card, {"customer": customer.id})
        subscription = self.api.subscriptions.create(
            {
                "customer": customer.id,
                "default_payment_method": method.id,
                "items": [{"price": price.id}],
                **more,
            }
        )
        return Frozen(self, clock.id, customer.id, subscription.id)

    def creator(self) -> stripe.Account:
        account = self.api.accounts.create(
            {
                "type": "express",
                "country": "US",
                "email": "mei@creators.test",
                "capabilities": {"transfers": {"requested": True}},
            }
        )
        self.control(f"onboard/{account.id}")
        return self.api.accounts.retrieve(account.id)

    def delivered(self, wanted: Callable[[], bool] | None = None) -> list[str]:
        """Wait until no webhook is pending (or the condition holds); the types that arrived, in order."""
        assert self.receiver is not None
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            done = wanted() if wanted else self.raw("/_control/webhooks")["pending"] == 0
            if done:
                return self.receiver.types
            threading.Event().wait(0.02)
        raise AssertionError(f"webhooks did not arrive: {self.receiver.types}")


@dataclass
class Frozen:
    """One subscription on a test clock."""

    till: Till
    clock: str
    customer: str
    id: str

    def now(self) -> stripe.Subscription:
        return self.till.api.subscriptions.retrieve(self.id)

    def to(self, moment: int) -> stripe.Subscription:
        self.till.api.test_helpers.test_clocks.advance(self.clock, {"frozen_time": moment})
        return self.now()

    def change(self, price: stripe.Price, **more: Any) -> stripe.Subscription:
        return self.till.api.subscriptions.update(self.id, {**self.to_price(price), **more})

    def preview(self, **details: Any) -> stripe.Invoice:
        wanted = {"subscription": self.id, "subscription_details": details} if details else {"subscription": self.id}
        return self.till.api.invoices.create_preview(wanted)

    def to_price(self, price: stripe.Price) -> dict[str, Any]:
        return {"items": [{"id": self.now().items.data[0].id, "price": price.id}]}

    def invoices(self) -> list[stripe.Invoice]:
        """Newest first."""
        return self.till.api.invoices.list({"subscription": self.id, "limit": 100}).data

    def lines(self, index: int = 0) -> list[tuple[str, int]]:
        """(description, amount) of an invoice."""
        return [(str(line.description), line.amount) for line in self.invoices()[index].lines.data]

    def balance(self) -> int:
        return int(self.till.api.customers.retrieve(self.customer).balance)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def till(receiver: Receiver, tmp_path: Path) -> Iterator[Till]:
    """A sandbox that persists in the test's folder and delivers to the receiver."""
    sandbox, server = started(Options(tmp_path, f"{receiver.url}/platform", f"{receiver.url}/connect"))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield Till(f"http://127.0.0.1:{server.port}", receiver)
    server.shutdown()
    thread.join()
    server.server_close()
    sandbox.close()
