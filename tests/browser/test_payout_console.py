"""In real browsers: Mei sets up payouts on Stripe's page, Fay opens a run, Finn approves it, Mei sees it sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from creator_hub import settings
from tests.browser.conftest import PATIENCE_MS
from tests.browser.test_journey import violations
from tests.support.client import PASSWORD
from tests.support.client import Browser as Client
from tests.support.till import Till, open_till

SCREEN = {"width": 390, "height": 844}
Desk = Callable[[str, str], Page]


@pytest.fixture
def till(database: str, redis_url: str, tmp_path: Path) -> Iterator[Till]:
    env = {"DATABASE_URL": database, "REDIS_URL": redis_url, "HUB_DATA_DIR": str(tmp_path)}
    with open_till({**env, "HUB_PAYOUT_HOLD_DAYS": "0"}, tmp_path / "stripe") as opened:
        yield opened


@pytest.fixture
def desk(till: Till, chromium: Browser) -> Iterator[Desk]:
    """Signs somebody in by the page and opens an address, on a phone's screen."""
    contexts = []

    def open_page(handle: str, path: str) -> Page:
        context = chromium.new_context(base_url=settings.current().public_url, viewport=SCREEN)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"/sign-in?next={path}")
        page.get_by_label("E-mail").fill(f"{handle}@example.test")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{settings.current().public_url}{path}")  # the sign-in page's address ends with it too
        return page

    yield open_page
    for context in contexts:
        context.close()


def finance(till: Till, handle: str) -> None:
    Client(till.app).sign_up_with_roles(handle, ["finance"])


def test_two_people_of_finance_pay_mei(till: Till, desk: Desk) -> None:
    client = till.browser("mei")
    client.post("/groups", {"handle": "mei", "name": "Mei", "about": "", "currency": "USD"})
    price = {"amount_minor": 1200, "currency": "USD"}
    tier = client.post("/groups/mei/tiers", {"name": "Silver", "price": price, "interval": "month", "rank": 1}).json
    visit = till.browser("ana").post(f"/tiers/{tier['id']}/checkout").json
    till.pay(visit["session_id"])
    till.settle()
    till.days_pass(0.001)
    finance(till, "fay")
    finance(till, "finn")

    mei = desk("mei", "/g/mei/payouts")
    assert violations(mei) == []
    mei.get_by_role("button", name="Set up payouts").click()
    mei.wait_for_url("**/connect/onboard/**")
    mei.get_by_label("Legal name").fill("Mei Example")
    mei.get_by_label("I agree").check()
    mei.get_by_role("button", name="Agree and finish").click()
    mei.wait_for_url("**/g/mei/payouts")
    till.settle()
    mei.reload()
    expect(mei.get_by_text("Your payout account is ready.")).to_be_visible()

    fay = desk("fay", "/finance")
    fay.get_by_role("button", name="Open a payout run").click()
    fay.get_by_role("button", name="Open", exact=True).click()
    expect(fay.get_by_text("a colleague of finance has to approve it")).to_be_visible()
    assert violations(fay) == []

    finn = desk("finn", "/finance")
    finn.on("dialog", lambda box: box.accept())
    finn.get_by_role("button", name="Approve and send").click()
    expect(finn.get_by_text("Approved by Finn.")).to_be_visible()
    till.settle()
    mei.reload()
    expect(mei.get_by_role("cell", name="Sent", exact=True)).to_be_visible()
    assert violations(mei) == []
