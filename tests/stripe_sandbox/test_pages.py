"""The pages a person meets: Checkout with a code, the invoice, the portal, and the sandbox's own console."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
import requests
import stripe

from tests.stripe_sandbox.conftest import DAY, Till, moment

APRIL = moment("2027-04-01T00:00")
MAY = moment("2027-05-01T00:00")


class Visitor:
    """A browser without JavaScript."""

    def __init__(self, till: Till) -> None:
        self.till = till
        self.http = requests.Session()
        self.page = ""
        self.status = 0
        self.path = ""

    def _keep(self, answer: requests.Response) -> Visitor:
        self.page, self.status, self.path = answer.text, answer.status_code, urlsplit(answer.url).path
        return self

    def open(self, path: str) -> Visitor:
        return self._keep(self.http.get(self.till.url + path, timeout=20))

    def send(self, path: str, **form: str) -> Visitor:
        return self._keep(self.http.post(self.till.url + path, form, timeout=20))

    def press(self, command: str, back: str = "/", **form: str) -> Visitor:
        """A button of the console, with the token of the page that shows it."""
        token = re.search(r'name="token" value="([^"]+)"', self.page)
        assert token, self.page
        return self.send(f"/do/{command}", token=token[1], back=back, **form)

    def card(self, number: str = "4242 4242 4242 4242") -> dict[str, str]:
        return {"card": number, "expiry": "12/34", "cvc": "123", "name": "Ana", "country": "DE"}


@pytest.fixture
def ana(till: Till) -> Visitor:
    return Visitor(till)


def overdue(till: Till) -> tuple[str, str]:
    """A renewal that failed: (subscription, invoice)."""
    fan = till.frozen(APRIL, till.price(1000))
    till.control("decline_next", code="insufficient_funds")
    fan.to(MAY + 2 * 3600)
    assert fan.now().status == "past_due"
    return fan.id, str(fan.invoices()[0].id)


def test_a_code_typed_at_checkout_lowers_what_is_paid(till: Till, ana: Visitor) -> None:
    till.api.coupons.create({"id": "HALF", "percent_off": 50, "duration": "once"})
    code = till.api.promotion_codes.create({"promotion": {"type": "coupon", "coupon": "HALF"}, "code": "WELCOME"})
    session = till.checkout(till.price(), allow_promotion_codes=True)
    path = urlsplit(str(session.url)).path
    assert "not valid" in ana.send(path, use_code="1", code="NONSENSE").page
    assert ana.status == 422
    assert "6.00 USD" in ana.send(path, use_code="1", code="WELCOME").page
    assert till.api.promotion_codes.retrieve(code.id).times_redeemed == 0
    ana.http.post(f"{till.url}{path}", {**ana.card(), "email": "ana@fans.test"}, allow_redirects=False, timeout=20)
    done = till.api.checkout.sessions.retrieve(session.id)
    assert (done.payment_status, done.amount_total, done.discounts[0].promotion_code) == ("paid", 600, code.id)
    assert till.api.promotion_codes.retrieve(code.id).times_redeemed == 1


def test_a_code_used_up_by_somebody_else_leaves_no_half_subscription(till: Till, ana: Visitor) -> None:
    till.api.coupons.create({"id": "ONE", "percent_off": 50, "duration": "once", "max_redemptions": 1})
    sessions = [till.checkout(till.price(), discounts=[{"coupon": "ONE"}], customer_email="a@x.test") for _ in "ab"]
    till.control(f"checkout/{sessions[0].id}/pay", card="4242424242424242")
    assert "used up" in ana.send(urlsplit(str(sessions[1].url)).path, **ana.card()).page
    assert len(till.api.subscriptions.list({"status": "all"}).data) == 1
    assert len(till.api.customers.list().data) == 1


def test_an_overdue_invoice_is_paid_with_another_card_which_is_kept(till: Till, ana: Visitor) -> None:
    subscription, invoice = overdue(till)
    assert "10.00 USD to be paid" in ana.open(f"/c/invoice/{invoice}").page
    assert "insufficient funds" in ana.send(f"/c/invoice/{invoice}", **ana.card("4000000000009995")).page
    assert "Paid on" in ana.send(f"/c/invoice/{invoice}", **ana.card("5555555555554444")).page
    found = till.api.subscriptions.retrieve(subscription, {"expand": ["default_payment_method"]})
    assert (found.status, found.default_payment_method.card.last4) == ("active", "4444")
    assert "Paid on" in ana.send(f"/c/invoice/{invoice}", **ana.card()).page
    assert len(till.api.charges.list({"customer": str(found.customer)}).data) == 4


def test_a_renewal_that_needs_the_bank_is_approved_on_the_invoice_page(till: Till, ana: Visitor) -> None:
    subscription, invoice = _asked(till)
    assert ana.send(f"/c/invoice/{invoice}", saved="1").path.startswith("/c/3ds/")
    assert ana.send(ana.path, answer="fail").path == f"/c/invoice/{invoice}"
    assert till.api.invoices.retrieve(invoice).status == "open"
    ana.send(f"/c/invoice/{invoice}", saved="1")
    assert "Paid on" in ana.send(ana.path, answer="approve").page
    assert till.api.subscriptions.retrieve(subscription).status == "active"


def _asked(till: Till) -> tuple[str, str]:
    """A fan whose bank wants to be asked each time; the renewal could not ask."""
    session = till.checkout(till.price(1000), customer_email="ana@fans.test")
    paid = till.control(f"checkout/{session.id}/pay", card="4000002760003184")
    till.advance(32 * DAY)
    subscription = till.api.subscriptions.retrieve(paid["subscription"])
    assert subscription.status == "past_due"
    return str(subscription.id), str(subscription.latest_invoice)


def test_a_card_the_bank_approved_once_renews_unasked(till: Till) -> None:
    session = till.checkout(till.price(1000), customer_email="ana@fans.test")
    paid = till.control(f"checkout/{session.id}/pay", card="4000002500003155")
    till.advance(32 * DAY)
    assert till.api.subscriptions.retrieve(paid["subscription"]).status == "active"


def test_an_intent_confirmed_over_the_api_settles_its_invoice(till: Till) -> None:
    subscription, invoice = overdue(till)
    payment = till.api.invoices.retrieve(invoice, {"expand": ["payments"]}).payments.data[0].payment.payment_intent
    till.api.payment_intents.confirm(str(payment), {"payment_method": "pm_card_mastercard"})
    assert till.api.invoices.retrieve(invoice).status == "paid"
    assert till.api.subscriptions.retrieve(subscription).status == "active"


def test_in_the_portal_a_fan_cancels_stays_and_changes_the_card(till: Till, ana: Visitor) -> None:
    fan = till.frozen(APRIL, till.price(1000))
    session = till.api.billing_portal.sessions.create({"customer": fan.customer, "return_url": "https://hub.test/me"})
    path = urlsplit(session.url).path
    assert "Gold tier" in ana.open(path).page
    assert "Ends on 01 May 2027" in ana.send(path, action="cancel", subscription=fan.id).page
    assert "Renews on 01 May 2027" in ana.send(path, action="keep", subscription=fan.id).page
    assert not fan.now().cancel_at_period_end
    assert "was declined" in ana.send(path, action="card", **ana.card("4000000000000002")).page
    assert "Mastercard ending 4444" in ana.send(path, action="card", **ana.card("5555555555554444")).page
    bo = till.frozen(APRIL, till.price(1000))
    ana.send(path, action="cancel", subscription=bo.id)
    assert not bo.now().cancel_at_period_end


def test_the_console_shows_what_exists_and_links_through(till: Till, ana: Visitor) -> None:
    fan = till.frozen(APRIL, till.price(1000))
    assert f'href="/object/{fan.id}"' in ana.open("/events").page
    assert "subscription" in ana.open("/").page
    assert fan.id in ana.open("/objects/subscription").page
    page = ana.open(f"/object/{fan.id}").page
    assert f'href="/object/{fan.customer}"' in page
    assert "customer.subscription.created" in page
    assert "_debit" not in page
    assert ana.open("/object/nobody").status == 404
    assert ana.open("/nonsense").status == 404


def test_the_console_works_the_control_plane_without_a_script(till: Till, ana: Visitor) -> None:
    before = till.raw("/_control/health")["now"]
    assert "Done: advance." in ana.open("/").press("advance", days="3").page
    assert till.raw("/_control/health")["now"] >= before + 3 * DAY
    assert "no whole number" in ana.press("advance", days="soon").page
    ana.press("dunning", retry_days="2, 5", then="unpaid")
    assert 'value="2, 5"' in ana.page
    till.subscriber(till.price())
    till.advance(5)
    charge = till.api.charges.list().data[0].id
    ana.open(f"/object/{charge}").press("dispute", f"/object/{charge}", charge=charge, action="open", reason="general")
    assert "charge.dispute.created" not in ana.page
    dispute = till.api.disputes.list().data[0]
    ana.open(f"/object/{dispute.id}").press("dispute", f"/object/{dispute.id}", dispute=dispute.id, action="win")
    assert till.api.disputes.retrieve(dispute.id).status == "won"
    event = till.api.events.list({"type": "charge.dispute.closed"}).data[0]
    count = till.delivered().count("charge.dispute.closed")
    ana.open(f"/object/{event.id}").press("resend", event=event.id)
    assert till.delivered().count("charge.dispute.closed") == count + 1


def test_a_button_needs_the_pages_own_token_and_the_loopback_name(till: Till, ana: Visitor) -> None:
    before = till.raw("/_control/health")["now"]
    assert ana.send("/do/advance", seconds="86400", token="guessed").status == 403
    assert till.raw("/_control/health")["now"] < before + DAY
    led_here = ana.http.get(till.url, headers={"Host": "evil.test"}, timeout=20)
    assert led_here.status_code == 403
    ana.open("/").press("advance", back="//evil.test/", days="1")
    assert ana.path == "/"


def test_pages_cannot_be_made_to_run_anything(till: Till, ana: Visitor) -> None:
    till.api.products.create({"name": "<script>alert(1)</script>"})
    page = ana.open("/objects/product").page
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    policy = ana.http.get(till.url, timeout=20).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_a_setup_checkout_leaves_a_setup_intent_and_a_card(till: Till) -> None:
    session = till.api.checkout.sessions.create(
        {"mode": "setup", "currency": "usd", "success_url": "https://hub.test", "customer_creation": "always"}
    )
    done = till.control(f"checkout/{session.id}/pay", card="4242424242424242", email="ana@fans.test")
    setup = till.api.setup_intents.retrieve(done["setup_intent"])
    assert (setup.status, setup.customer) == ("succeeded", done["customer"])
    with pytest.raises(stripe.InvalidRequestError):
        till.checkout(till.price(), allow_promotion_codes=True, discounts=[{"coupon": "ANY"}])


def gift(till: Till, **more: object) -> stripe.checkout.Session:
    data = {"currency": "usd", "unit_amount": 1000, "product_data": {"name": "Gift"}}
    items = [{"price_data": data, "quantity": 1}]
    return till.api.checkout.sessions.create(
        {"mode": "payment", "success_url": "https://hub.test", "line_items": items, **more}  # type: ignore[typeddict-item]
    )


@pytest.mark.parametrize(("card", "outcome"), [("4242424242424242", "succeeded"), ("4000000000000341", "failed")])
def test_a_delayed_payment_is_answered_days_later(till: Till, card: str, outcome: str) -> None:
    session = gift(till)
    done = till.control(f"checkout/{session.id}/pay", card=card, delayed=True)
    assert (done["status"], done["payment_status"]) == ("complete", "unpaid")
    assert till.api.payment_intents.retrieve(done["payment_intent"]).status == "processing"
    till.advance(4 * DAY)
    paid = till.api.checkout.sessions.retrieve(session.id).payment_status
    assert paid == ("paid" if outcome == "succeeded" else "unpaid")
    assert f"checkout.session.async_payment_{outcome}" in till.delivered()


def test_a_code_used_up_between_typing_and_paying_charges_nothing(till: Till) -> None:
    till.api.coupons.create({"id": "ONE", "percent_off": 50, "duration": "once", "max_redemptions": 1})
    first, second = (gift(till, discounts=[{"coupon": "ONE"}]) for _ in range(2))
    assert till.control(f"checkout/{first.id}/pay", card="4242424242424242")["payment_status"] == "paid"
    refused = till.control(f"checkout/{second.id}/pay", card="4242424242424242")
    assert (refused["_status"], refused["error"]["code"]) == (400, "coupon_expired")
    assert [charge.amount for charge in till.api.charges.list().data] == [500]


def test_a_gift_that_costs_nothing_needs_no_payment(till: Till) -> None:
    till.api.coupons.create({"id": "ALL", "percent_off": 100, "duration": "once"})
    done = till.control(f"checkout/{gift(till, discounts=[{'coupon': 'ALL'}]).id}/pay", card="4242424242424242")
    assert (done["payment_status"], done["payment_intent"]) == ("no_payment_required", None)
