"""Makes the README's pictures from a running demo: `make run` in one window, `make screenshots` in another."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

OUT = Path(__file__).parent / "pictures"
HUB = f"http://localhost:{os.environ.get('PORT', '8000')}"
PASSWORD = "demo-demo-demo"  # noqa: S105 - the demo's, public
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}


def main() -> None:
    OUT.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=sandbox)
        mei = sign_in(browser, "mei@demo.test", viewport=WIDE)
        shoot(mei, "/g/mei", "chat", wait="[data-log] .msg__text")
        shoot(mei, "/g/mei/dashboard", "dashboard", wait="h1")
        shoot(
            sign_in(browser, "fan1@demo.test", viewport=PHONE, color_scheme="dark"),
            "/g/mei",
            "phone",
            wait=".msg__text",
        )
        shoot(sign_in(browser, "finance@demo.test", viewport=WIDE), "/finance", "finance", wait="h1")
        browser.close()


def sign_in(browser: Browser, email: str, **options: object) -> Page:
    page = browser.new_context(base_url=HUB, **options).new_page()  # type: ignore[arg-type]
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(HUB + "/")
    return page


def shoot(page: Page, path: str, name: str, *, wait: str) -> None:
    page.goto(path)
    page.locator(wait).first.wait_for()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=OUT / f"{name}.png")
    print(f"  {name}.png")


if __name__ == "__main__":
    main()
