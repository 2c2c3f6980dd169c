"""Mei opens a group, Ana comes in by passcode, they talk through drops and restarts, and Mei shows her the door."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.client import PASSWORD
from tests.support.hub import Web

AXE = (Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js").read_text()
# A colour on its way from light to dark has neither's contrast: axe looks when all that moves and ends has ended.
SETTLED = """async () => {
  await new Promise(requestAnimationFrame)
  const ends = (a) => Number.isFinite(a.effect.getComputedTiming().endTime)
  await Promise.allSettled(document.getAnimations().filter(ends).map((a) => a.finished))
}"""
Visit = Callable[..., BrowserContext]


def sign_up(page: Page, name: str, at: str = "/sign-up") -> None:
    page.goto(at)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Handle").fill(name.lower())
    page.get_by_label("E-mail").fill(f"{name.lower()}@example.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()


def say(page: Page, words: str) -> None:
    box = page.get_by_role("textbox", name="Message")
    box.fill(words)
    box.press("Enter")


def log_of(page: Page) -> list[str]:
    """The words on the page, from top to bottom."""
    return page.locator("[data-log] .msg__text").all_inner_texts()


def start_group(page: Page) -> str:
    """Mei's group with a paid tier, a channel for it and a passcode; returns the passcode."""
    page.goto("/groups/new")
    page.get_by_label("Name", exact=True).fill("Mei's kitchen")
    page.get_by_label("Handle").fill("mei")
    page.get_by_role("button", name="Start the group").click()
    page.wait_for_url("**/g/mei/settings")
    page.locator('[data-dialog="tier-new"]').first.click()
    page.locator("#tier-new-name").fill("Baker")
    page.locator("#tier-new-price").fill("5.00")
    page.locator("#tier-new button[type=submit]").click()
    expect(page.get_by_role("cell", name="Baker").or_(page.get_by_text("Baker")).first).to_be_visible()
    page.locator('[data-dialog="channel-new"]').first.click()
    page.locator("#channel-new-name").fill("bakers-table")
    page.locator("#channel-new-rank").select_option("1")
    page.locator("#channel-new button[type=submit]").click()
    expect(page.get_by_text("bakers-table").first).to_be_visible()
    page.locator('[data-dialog="invite-new"]').first.click()
    page.get_by_label("Campaign").first.fill("spring video")
    page.locator("#invite-new button[type=submit]").click()
    link = page.locator("[data-copy*='/join/']").first.get_attribute("data-copy") or ""
    return re.sub(r".*/join/", "", link)


def test_two_people_talk_and_nothing_is_lost_or_doubled(webs: tuple[Web, Web], visit: Visit) -> None:
    first, second = webs
    mei = visit(first).new_page()
    sign_up(mei, "Mei")
    mei.wait_for_url(re.compile(r"/$"))
    passcode = start_group(mei)

    context = visit(second, viewport={"width": 360, "height": 740})
    ana = context.new_page()
    ana.goto(f"/join/{passcode}")
    ana.get_by_role("link", name="Sign up to join").click()
    sign_up(ana, "Ana", at=ana.url)
    ana.get_by_role("button", name="Join as Ana").click()
    ana.wait_for_url("**/g/mei")
    mei.goto("/g/mei")

    said = []
    for n in range(3):
        for page, who in ((mei, "mei"), (ana, "ana")):
            words = f"{who} says {n}"
            said.append(words)
            say(page, words)
            for other in (mei, ana):
                expect(other.get_by_text(words, exact=True)).to_have_count(1)
    assert log_of(mei) == said
    assert log_of(ana) == said

    context.set_offline(True)
    say(ana, "written on the train")
    say(mei, "said meanwhile")
    context.set_offline(False)
    for page in (mei, ana):
        expect(page.get_by_text("written on the train", exact=True)).to_have_count(1)
        expect(page.get_by_text("said meanwhile", exact=True)).to_have_count(1)

    second.kill()
    say(mei, "your server is gone")
    second.start()
    expect(ana.get_by_text("your server is gone", exact=True)).to_have_count(1)
    ana.reload()
    expect(ana.get_by_text("your server is gone", exact=True)).to_have_count(1)
    expect(ana.locator("[data-log] .msg__text")).to_have_count(len(said) + 3)
    assert log_of(ana) == log_of(mei)

    mei.locator("[data-log] > *", has_text="ana says 2").locator(".msg__more").click(force=True)
    mei.get_by_role("menuitem", name="Ban from the group").click()
    mei.get_by_role("dialog").get_by_label("Reason").fill("spam")
    mei.get_by_role("dialog").get_by_role("button", name="Ban", exact=True).click()
    expect(ana.get_by_text("You were banned from this group.").first).to_be_visible()
    say(mei, "is she gone?")
    expect(mei.get_by_text("is she gone?", exact=True)).to_have_count(1)
    expect(ana.get_by_text("is she gone?")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_an_accessibility_violation(webs: tuple[Web, Web], visit: Visit, scheme: str) -> None:
    page = visit(webs[0], color_scheme=scheme, reduced_motion="reduce").new_page()
    guest = visit(
        webs[1], color_scheme=scheme, reduced_motion="reduce", viewport={"width": 360, "height": 740}
    ).new_page()
    sign_up(page, "Mei")
    page.wait_for_url(re.compile(r"/$"))
    passcode = start_group(page)
    page.goto("/g/mei")
    say(page, "hello")
    expect(page.get_by_text("hello", exact=True)).to_have_count(1)
    found = {"/g/mei": violations(page)}
    for path in ("/", "/account", "/groups/new", "/g/mei/settings", "/api/docs"):
        page.goto(path)
        found[path] = violations(page)
    for path in ("/", "/sign-in", "/sign-up", "/forgot-password", "/g/mei", f"/join/{passcode}", "/no/such/page"):
        guest.goto(path)
        found["guest " + path] = violations(guest)
        assert guest.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} scrolls sideways"
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def violations(page: Page) -> list[str]:
    """What axe finds, as `rule: first selector`, once every colour has arrived where it was going."""
    page.evaluate(AXE + "; 0")
    page.evaluate(SETTLED)
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{v['id']}: {v['nodes'][0]['target']}" for v in result["violations"]]
