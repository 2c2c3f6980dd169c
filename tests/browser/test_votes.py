"""A Q&A and a story in real browsers: asked in one, seen and answered in another, read as a book."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.hub import Fan, Web, eventually

Open = Callable[..., Page]
# A busy machine may take its time; what is waited for comes or does not.


@pytest.fixture
def show(visit: Callable[..., BrowserContext]) -> Iterator[Open]:
    """Opens a page as somebody who is signed in; no script on any of them may fail."""
    errors: list[str] = []

    def open_page(web: Web, who: Fan, path: str, **options: object) -> Page:
        context = visit(web, **options)
        context.add_cookies([{"name": c.name, "value": c.value or "", "url": web.url} for c in who.http.cookies])
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path)
        return page

    yield open_page
    assert errors == []


def world(webs: tuple[Web, Web]) -> tuple[Fan, Fan, str]:
    first, _ = webs
    mei, ana = (Fan(handle).sign_up(first) for handle in ("mei", "ana"))
    mei.post(first, "/groups", handle="mei", name="Mei's kitchen", about="", currency="USD")
    ana.post(first, "/groups/mei/join")
    channels: Any = requests.get(first.url + "/api/v1/groups/mei/channels", cookies=mei.http.cookies, timeout=10).json()
    return mei, ana, channels["items"][0]["id"]


def test_a_question_travels_from_a_fans_browser_to_the_stage_and_back(webs: tuple[Web, Web], show: Open) -> None:
    mei, ana, channel = world(webs)
    qa = mei.post(webs[0], f"/channels/{channel}/qa", title="Ask me anything", anonymous_allowed=True)
    fan = show(webs[0], ana, f"/qa/{qa['id']}")
    stage = show(webs[1], mei, f"/qa/{qa['id']}/present")
    fan.get_by_label("Your question").fill("Which <b>flour</b>?")
    fan.get_by_label("Ask without my name").check()
    fan.get_by_role("button", name="Ask", exact=True).click()
    expect(fan.locator(".question__text")).to_have_text("Which <b>flour</b>?")
    fan.get_by_role("button", name=re.compile("Vote for this question")).click()
    expect(fan.locator(".question__vote strong")).to_have_text("1")
    expect(stage.locator("[data-up-next]")).to_contain_text("Which <b>flour</b>?")
    stage.keyboard.press("n")
    expect(stage.locator("[data-now]")).to_have_text("Which <b>flour</b>?")
    expect(stage.locator("[data-meta]")).to_contain_text("Anonymous")
    expect(fan.locator(".question--live")).to_be_visible()
    stage.keyboard.press("a")
    stage.locator("#present-answer").fill("Rye, always.")
    stage.keyboard.press("Control+Enter")
    expect(fan.locator(".question__answer")).to_contain_text("Rye, always.")
    expect(stage.locator("[data-now]")).to_have_text("Nobody waits for an answer.")
    mei.post(webs[0], f"/qa/{qa['id']}/close")
    expect(fan.locator(".badge", has_text="closed")).to_be_visible()
    expect(fan.locator(".question__answer")).to_contain_text("Rye, always.")


def test_a_story_is_written_at_the_desk_read_as_a_book_and_walked_as_a_tree(webs: tuple[Web, Web], show: Open) -> None:
    mei, ana, channel = world(webs)
    first = webs[0]
    story = {"channel_id": channel, "title": "The lighthouse", "premise": "A light goes out.", "rules": {}}
    chain = mei.post(first, "/groups/mei/chains", **story)
    found = mei.post(first, f"/chains/{chain['id']}/rounds")
    desk = show(first, ana, f"/rounds/{found['id']}/write")
    desk.get_by_label("Title").fill("The storm")
    desk.get_by_label("Episode", exact=True).fill("It began at night.\n\nBy morning it was over.")
    expect(desk.locator("[data-kept]")).to_have_text("Kept on this device.")
    desk.reload()
    expect(desk.get_by_label("Title")).to_have_value("The storm")
    desk.locator("[data-preview] summary").click()
    expect(desk.locator("[data-preview-body] p")).to_have_count(2)
    expect(desk.locator("[data-countdown]")).to_have_text(re.compile(r"\d+ h \d+ min"))
    desk.get_by_label("I wrote this").check()
    desk.get_by_role("button", name="Propose").click()
    desk.wait_for_url("**/chains/*")
    proposals = mei.http.get(f"{first.url}/api/v1/rounds/{found['id']}", timeout=10).json()["proposals"]
    mei.post(first, f"/rounds/{found['id']}/proposals", title="The calm", body="Nothing.", accept_licence=True)
    mei.post(first, f"/rounds/{found['id']}/advance")
    ana.send(first, "PUT", f"/rounds/{found['id']}/ballot", choices=[proposals[0]["id"]])
    mei.post(first, f"/rounds/{found['id']}/advance")
    book = show(first, ana, f"/chains/{chain['id']}/read", viewport={"width": 360, "height": 740})
    book.keyboard.press("End")
    remembered = lambda: "Go on where you stopped" in ana.http.get(book.url, timeout=10).text  # noqa: E731
    eventually(remembered, "the page is remembered")
    book.reload()
    expect(book.get_by_role("link", name="Go on where you stopped")).to_be_visible()
    assert book.evaluate("document.documentElement.scrollWidth") <= 360
    tree = show(first, ana, f"/chains/{chain['id']}/tree")
    tree.get_by_role("link", name=re.compile("^The storm")).focus()
    tree.keyboard.press("ArrowDown")
    expect(tree.get_by_role("link", name=re.compile("^The calm"))).to_be_focused()
    tree.keyboard.press("Enter")
    expect(tree.get_by_role("heading", name="The calm")).to_be_visible()
