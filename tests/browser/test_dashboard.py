"""Mei reads her dashboard: drawn and listed, on a wide screen and on a phone, in light and dark."""

from __future__ import annotations

from playwright.sync_api import expect

from creator_hub.core.db import unit_of_work
from creator_hub.groups import entitlements
from tests.browser.test_journey import Visit, violations
from tests.support.client import PASSWORD
from tests.support.hub import Web
from tests.support.subscribers import Town, catch_up, let_pass, subscribe
from tests.support.world import a_member

PHONE = {"width": 360, "height": 740}


def two_months() -> None:
    """Bo subscribes, later Ana and Chen join, and Ana leaves."""
    with unit_of_work() as session:
        town = Town(session)
        subscribe(session, town.group, town.bo, town.yearly)
    let_pass(40)
    with unit_of_work() as session:
        a_member(session, town.group, town.ana)
        subscribe(session, town.group, town.chen, town.monthly)
    let_pass(9)
    with unit_of_work() as session:
        entitlements.remove_person(session, town.group, town.ana.id, "left")
    let_pass(2)
    catch_up()


def test_the_figures_are_drawn_and_listed(webs: tuple[Web, Web], visit: Visit) -> None:
    two_months()
    page = visit(webs[0]).new_page()
    page.goto("/sign-in?next=/g/mei/dashboard")
    page.get_by_label("E-mail").fill("mei@example.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    expect(page.locator("dl.tiles")).to_contain_text("15.00 USD")
    expect(page.locator("dl.tiles")).to_contain_text("by choice 1")
    expect(page.locator("figure canvas")).to_have_count(5)
    expect(page.locator("#cohort-chart [data-plot] .cohort__cell").first).to_have_text("100 %")
    page.locator("#members-chart summary").click()
    expect(page.locator("#members-chart details tbody tr")).to_have_count(30)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == [], scheme
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert violations(page) == []
