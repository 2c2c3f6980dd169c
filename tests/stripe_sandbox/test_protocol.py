"""Keys, errors, pages, idempotency, webhooks and restarts: what any integration leans on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.conftest import Receiver, Till


def test_a_wrong_key_is_refused(till: Till) -> None:
    stranger = stripe.StripeClient("sk_test_somebody_else", base_addresses={"api": till.url})
    with pytest.raises(stripe.AuthenticationError):
        stranger.v1.customers.list()


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"name": "Gold", "colour": "red"}, "parameter_unknown"),
        ({}, "parameter_missing"),
    ],
)
def test_unknown_and_missing_parameters_are_named(till: Till, params: Any, code: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        till.api.products.create(params)
    assert refused.value.code == code
    assert refused.value.param in ("colour", "name")


def test_an_unknown_id_and_another_accounts_id_are_the_same_404(till: Till) -> None:
    product = till.api.products.create({"name": "Gold"})
    mei = till.creator()
    for identifier, options in (("prod_none", {}), (product.id, {"stripe_account": mei.id})):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            till.api.products.retrieve(identifier, {}, options)
        assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


def test_the_same_key_gives_the_same_object_and_other_parameters_are_an_error(till: Till) -> None:
    first = till.api.customers.create({"email": "ana@fans.test"}, {"idempotency_key": "k1"})
    again = till.api.customers.create({"email": "ana@fans.test"}, {"idempotency_key": "k1"})
    assert first.id == again.id
    assert len(till.api.customers.list().data) == 1
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        till.api.customers.create({"email": "bo@fans.test"}, {"idempotency_key": "k1"})


def test_a_replayed_decline_is_the_same_decline_and_charges_nobody_twice(till: Till) -> None:
    params = {"amount": 500, "currency": "usd", "confirm": True, "payment_method": "pm_card_chargeDeclined"}
    seen = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refused:
            till.api.payment_intents.create(params, {"idempotency_key": "k2"})  # type: ignore[arg-type]
        seen.append(refused.value.json_body["error"]["charge"])
    assert len(set(seen)) == 1
    assert len(till.api.charges.list().data) == 1


def test_twenty_threads_with_one_key_make_one_object(till: Till) -> None:
    made: list[str] = []

    def create() -> None:
        made.append(till.api.customers.create({"email": "ana@fans.test"}, {"idempotency_key": "race"}).id)

    threads = [threading.Thread(target=create) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 20
    assert len(set(made)) == 1


def test_lists_page_forwards_and_backwards_without_gap_or_repeat(till: Till) -> None:
    made = [till.api.customers.create({"email": f"fan{n}@fans.test"}).id for n in range(7)]
    newest = made[::-1]
    page = till.api.customers.list({"limit": 3})
    assert [row.id for row in page.data] == newest[:3]
    assert page.has_more
    older = till.api.customers.list({"limit": 3, "starting_after": page.data[-1].id})
    assert [row.id for row in older.data] == newest[3:6]
    back = till.api.customers.list({"limit": 2, "ending_before": older.data[0].id})
    assert [row.id for row in back.data] == newest[1:3]
    assert [row.id for row in till.api.customers.list({"limit": 2}).auto_paging_iter()] == newest


def test_metadata_merges_and_an_empty_value_unsets(till: Till) -> None:
    ana = till.api.customers.create({"metadata": {"a": "1", "b": "2"}})
    assert till.api.customers.update(ana.id, {"metadata": {"b": "", "c": "3"}}).metadata.to_dict() == {
        "a": "1",
        "c": "3",
    }


def test_webhooks_arrive_signed_and_in_order(till: Till) -> None:
    till.subscriber(till.price())
    types = till.delivered()
    order = [
        "invoice.created",
        "customer.subscription.created",
        "invoice.finalized",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.paid",
        "checkout.session.completed",
    ]
    assert [kind for kind in types if kind in order] == order


def test_a_refused_webhook_comes_again_until_it_is_accepted(till: Till) -> None:
    assert till.receiver is not None
    till.receiver.answers = [500, 503]
    till.api.customers.create({"email": "ana@fans.test"})
    assert till.delivered() == ["customer.created"]


def test_dropped_duplicated_and_reordered_webhooks_on_demand(till: Till) -> None:
    till.control("webhooks", mode="drop", count=1)
    till.api.customers.create({"name": "one"})
    assert till.delivered() == []
    till.control("webhooks", mode="duplicate", count=1)
    till.api.customers.create({"name": "two"})
    assert till.delivered(lambda: len(till.receiver.types) == 2 if till.receiver else False)
    till.control("webhooks", mode="reorder", count=2)
    till.api.prices.create({"currency": "usd", "unit_amount": 500, "product_data": {"name": "three and four"}})
    assert till.delivered()[-2:] == ["price.created", "product.created"]
    assert len(till.api.events.list().data) == 4


def test_one_customers_events_wait_for_each_other_and_for_nobody_else(till: Till) -> None:
    assert till.receiver is not None
    ana = till.api.customers.create({"name": "Ana"})
    till.delivered()
    gate = till.receiver.holds[ana.id] = threading.Event()
    till.api.customers.update(ana.id, {"name": "Anna"})
    till.api.payment_methods.attach("pm_card_visa", {"customer": ana.id})
    others = {till.api.customers.create({"name": f"fan {n}"}).id for n in range(16)}
    seen = set[str]()

    def others_came() -> bool:
        assert till.receiver is not None
        seen.update(event.data.object.id for event in till.receiver.events)
        return len(seen & others) >= 8

    till.delivered(others_came)
    assert "payment_method.attached" not in till.receiver.types
    gate.set()
    types = till.delivered()
    assert types.index("customer.updated") < types.index("payment_method.attached")


def test_events_are_listed_by_type_and_after_a_cursor(till: Till) -> None:
    for name in ("one", "two", "three"):
        till.api.customers.create({"name": name})
    till.price()
    found = till.api.events.list({"types": ["customer.created"]}).data
    assert [event.data.object["name"] for event in found] == ["three", "two", "one"]
    older = till.api.events.list({"type": "customer.*", "starting_after": found[0].id}).data
    assert [event.data.object["name"] for event in older] == ["two", "one"]


def _request(url: str, form: dict[str, str] | None = None) -> tuple[int, str, str | None]:
    """(status, body, redirect) of one page, without following it."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    body = urllib.parse.urlencode(form).encode() if form is not None else None
    try:
        with urllib.request.build_opener(Stay).open(url, body) as answer:
            return answer.status, answer.read().decode(), None
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers.get("Location")


CARD = {"card": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123", "name": "Ana", "country": "DE"}


def test_the_hosted_page_says_what_to_do_about_a_declined_card_and_takes_the_next(till: Till) -> None:
    session = till.checkout(till.price(), customer_email="ana@fans.test")
    status, body, _ = _request(str(session.url))
    assert status == 200
    assert "12.00 USD" in body
    assert "ana@fans.test" in body
    assert "https://hub.test/no" in body
    status, body, _ = _request(str(session.url), {**CARD, "card": "4000000000000002"})
    assert status == 402
    assert "Try another card" in body
    assert 'role="alert"' in body
    status, body, _ = _request(str(session.url), {**CARD, "card": "1234"})
    assert status == 422
    assert "no test card" in body
    status, _, to = _request(str(session.url), CARD)
    assert (status, to) == (303, f"https://hub.test/done?s={session.id}")
    done = till.api.checkout.sessions.retrieve(session.id)
    assert done.customer_details
    assert done.customer_details.address.country == "DE"


def test_the_hosted_page_sends_a_3ds_card_by_the_banks_page(till: Till) -> None:
    session = till.checkout(till.price(), customer_email="ana@fans.test")
    status, _, to = _request(str(session.url), {**CARD, "card": "4000002760003184"})
    assert (status, to) == (303, f"/c/3ds/{session.id}")
    assert "12.00 USD" in _request(till.url + str(to))[1]
    status, _, back = _request(till.url + str(to), {"answer": "approve"})
    assert (status, back) == (303, f"https://hub.test/done?s={session.id}")


def test_the_onboarding_page_makes_a_creator_payable_and_its_link_works_once(till: Till) -> None:
    mei = till.api.accounts.create(
        {"type": "express", "capabilities": {"transfers": {"requested": True}}, "metadata": {"hub_group": "g1"}}
    )
    link = till.api.account_links.create(
        {
            "account": mei.id,
            "type": "account_onboarding",
            "return_url": "https://hub.test/back",
            "refresh_url": "https://hub.test/new",
        }
    )
    assert _request(link.url, {"name": "", "bank": "1"})[0] == 422
    sent = {"name": "Mei Lin", "bank": "000123456789", "terms": "on"}
    assert _request(link.url, sent)[2] == "https://hub.test/back"
    account = till.api.accounts.retrieve(mei.id)
    assert account.details_submitted
    assert account.payouts_enabled
    assert account.metadata["hub_group"] == "g1"
    assert _request(link.url, sent)[2] == "https://hub.test/new"


def test_the_control_plane_refuses_forms_and_foreign_hosts(till: Till) -> None:
    assert _request(f"{till.url}/_control/advance", {"seconds": "1"})[0] == 415
    request = urllib.request.Request(f"{till.url}/_control/health", headers={"Host": "evil.test"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    refused.value.close()
    assert refused.value.code == 403


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _launch(port: int, folder: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "creator_hub.stripe_sandbox", "--port", str(port), "--data", str(folder), *more]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_control/health", timeout=1) as answer:
                assert answer.status == 200
                return process
        except OSError:
            threading.Event().wait(0.05)
    process.kill()
    raise AssertionError("the sandbox did not start")


def test_a_killed_sandbox_finds_everything_it_acknowledged(tmp_path: Path) -> None:
    port = _free_port()
    process = _launch(port, tmp_path)
    till = Till(f"http://127.0.0.1:{port}")
    subscription = till.subscriber(till.price())
    till.advance(3600)
    before = till.raw("/_control/health")["now"]
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process = _launch(port, tmp_path)
    try:
        assert till.api.subscriptions.retrieve(subscription.id).status == "active"
        assert till.raw("/_control/health")["now"] >= before
        assert "checkout.session.completed" in [event.type for event in till.api.events.list({"limit": 100}).data]
    finally:
        process.terminate()
        assert process.wait(timeout=10) == 0


def test_webhooks_that_nobody_took_survive_a_kill_and_come_when_somebody_is_there(tmp_path: Path) -> None:
    port, away = _free_port(), _free_port()
    hook = ("--webhook-url", f"http://127.0.0.1:{away}/platform")
    process = _launch(port, tmp_path, *hook)
    till = Till(f"http://127.0.0.1:{port}")
    till.subscriber(till.price())
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    receiver = Receiver(away)
    process = _launch(port, tmp_path, *hook)
    try:
        types = Till(till.url, receiver).delivered()
        assert {"price.created", "invoice.paid", "checkout.session.completed"} <= set(types)
        assert types.index("invoice.paid") < types.index("checkout.session.completed")
    finally:
        process.terminate()
        assert process.wait(timeout=10) == 0
        receiver.close()
