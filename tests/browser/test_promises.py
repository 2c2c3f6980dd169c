"""Mei promises something in the browser; who is invited reads it before joining."""

from __future__ import annotations

from playwright.sync_api import expect

from creator_hub.core.db import unit_of_work
from tests.browser.test_journey import Visit, violations
from tests.support.client import PASSWORD
from tests.support.hub import Web
from tests.support.subscribers import Town

PHONE = {"width": 360, "height": 740}


def test_a_promise_is_made_and_read(webs: tuple[Web, Web], visit: Visit) -> None:
    with unit_of_work() as session:
        Town(session)
    page = visit(webs[0]).new_page()
    page.goto("/sign-in?next=/g/mei/promises")
    page.get_by_label("E-mail").fill("mei@example.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Nothing is promised yet")).to_be_visible()
    page.get_by_role("button", name="Promise", exact=True).click()
    expect(page.get_by_role("heading", name="To write on 3 days every week")).to_be_visible()
    assert violations(page) == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert violations(page) == []
