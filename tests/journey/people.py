"""A person in a browser of their own: everything they do is typed or clicked, everything they know is on the page."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, WebSocket, expect

from tests.browser.conftest import PATIENCE_MS
from tests.support.client import PASSWORD
from tests.support.hub import Web


class Person:
    """One browser with one open page; `tab` opens another of the same browser.

    `heard` is what the live socket of the open page received, as (event, payload): what a page does not show it may
    still have been told.
    """

    def __init__(self, name: str, context: BrowserContext, web: Web) -> None:
        self.name, self.handle, self.context, self.web = name, name.lower(), context, web
        self.heard: list[tuple[str, Any]] = []
        context.set_default_timeout(PATIENCE_MS)
        self.page = context.new_page()
        self.page.on("websocket", self._listen)
        # Whoever is asked "are you sure?" is.
        context.on("dialog", lambda box: box.accept())

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._hear)

    def _hear(self, frame: str | bytes) -> None:
        if isinstance(frame, str) and frame.startswith("42"):
            name, *payload = json.loads(frame[2:])
            self.heard.append((name, payload[0] if payload else None))

    def tab(self) -> Page:
        return self.context.new_page()

    # Coming in

    def sign_up(self, page: Page | None = None) -> None:
        """Fill in the form that is on the page, or go to it."""
        page = page or self.page
        if "/sign-up" not in page.url:
            page.goto("/sign-up")
        page.get_by_label("Name", exact=True).fill(self.name)
        page.get_by_label("Handle").fill(self.handle)
        page.get_by_label("E-mail").fill(f"{self.handle}@example.test")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Create account").click()
        expect(page.get_by_text("Your menu")).to_be_attached()

    def sign_in(self, path: str) -> None:
        """Ask for a page, be asked who one is, and get there."""
        self.page.goto(f"/sign-in?next={path}")
        self.page.get_by_label("E-mail").fill(f"{self.handle}@example.test")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        # The sign-in page's own address ends with the path, too.
        self.page.wait_for_url(lambda url: url.endswith(path) and "/sign-in?" not in url)

    def proves_herself(self) -> None:
        """Give the password again where the page asks for it; it leads back to where one was."""
        self.page.wait_for_url("**/confirm-password**")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Confirm").click()
        self.page.wait_for_url(lambda url: "confirm-password" not in url)

    # Talking

    def enter(self, channel: str) -> None:
        self.page.get_by_role("link", name=channel).click()
        expect(self.page.locator("[data-channel-name]")).to_have_text(channel)
        expect(self.page.locator("[data-log-wrap]:not([aria-busy])")).to_be_attached()

    def say(self, words: str) -> None:
        box = self.page.get_by_role("textbox", name="Message")
        box.fill(words)
        box.press("Enter")

    def reads(self, words: str) -> None:
        """Once, acknowledged, and in sight."""
        expect(self.page.locator(".msg:not(.msg--pending) .msg__text", has_text=whole(words))).to_have_count(1)

    def conversation(self) -> list[str]:
        """The words on the page, from top to bottom."""
        return self.page.locator("[data-log] .msg__text").all_inner_texts()

    def message(self, words: str) -> Locator:
        return self.page.locator("[data-log] .msg", has=self.page.locator(".msg__text", has_text=whole(words)))

    def was_told(self, words: str) -> bool:
        """Whether the open page's socket ever received a message of these words."""
        return any(
            name == "event" and said["kind"] == "message.created" and said["data"]["text"] == words
            for name, said in self.heard
        )

    # Cards in the stream

    def card(self, title: str) -> Locator:
        heading = self.page.get_by_role("heading", name=title, exact=True)
        return self.page.locator(".votecard", has=heading)


def whole(words: str) -> re.Pattern[str]:
    return re.compile(rf"^{re.escape(words)}$")
