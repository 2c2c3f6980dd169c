"""The sandbox's pages before axe, in light and dark, wide and narrow, without JavaScript of their own."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.stripe_sandbox.conftest import Till, moment

AXE = (Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js").read_text()
APRIL = moment("2027-04-01T00:00")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_on_any_page(till: Till, chromium: Browser, scheme: str, width: int) -> None:
    fan = till.frozen(APRIL, till.price(1000))
    till.control("decline_next")
    fan.to(moment("2027-05-01T02:00"))
    mei = till.api.accounts.create({"type": "express", "capabilities": {"transfers": {"requested": True}}})
    onboarding = till.api.account_links.create(
        {
            "account": mei.id,
            "type": "account_onboarding",
            "return_url": "https://hub.test",
            "refresh_url": "https://hub.test",
        }
    )
    charge = next(row for row in till.api.charges.list().data if row.status == "succeeded")
    addresses = [
        "/",
        "/events",
        "/objects/invoice",
        f"/object/{charge.id}",
        f"/c/invoice/{fan.invoices()[0].id}",
        urlsplit(str(till.checkout(till.price(), allow_promotion_codes=True).url)).path,
        urlsplit(till.api.billing_portal.sessions.create({"customer": fan.customer}).url).path,
        urlsplit(onboarding.url).path,
    ]
    context = chromium.new_context(
        base_url=till.url, color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True
    )
    page = context.new_page()
    found = {}
    for address in addresses:
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{address} scrolls sideways"
        page.evaluate(AXE)
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found[address] = [f"{row['id']}: {row['nodes'][0]['target']}" for row in result["violations"]]
    context.close()
    assert {address: rows for address, rows in found.items() if rows} == {}
