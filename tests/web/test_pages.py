"""Every page opens for those it is for, and the others are told what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.client import Browser

Open = Callable[[], Browser]


@pytest.fixture
def mei(browser: Open) -> Browser:
    """Mei, signed in, with her group."""
    mei = browser()
    mei.sign_up("mei")
    kitchen = {"handle": "mei", "name": "Mei's kitchen", "about": "", "currency": "USD"}
    assert mei.post("/groups", kitchen).status_code == 201
    return mei


@pytest.mark.parametrize("path", ["/", "/sign-in", "/sign-up", "/forgot-password", "/api/docs", "/g/mei"])
def test_a_stranger_may_open(path: str, browser: Open, mei: Browser) -> None:
    answer = browser().page(path)
    assert answer.status_code == 200
    assert "<h1" in answer.get_data(as_text=True)


@pytest.mark.parametrize("path", ["/", "/account", "/g/mei", "/g/mei/settings", "/groups/new"])
def test_mei_may_open(path: str, mei: Browser) -> None:
    answer = mei.page(path)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("path", "status"), [("/account", 401), ("/g/mei/settings", 401), ("/g/nobody", 404)])
def test_a_stranger_is_told_what_to_do(path: str, status: int, browser: Open, mei: Browser) -> None:
    answer = browser().page(path)
    assert answer.status_code == status
    assert "<h1" in answer.get_data(as_text=True)


def test_no_page_carries_an_inline_script_or_style(browser: Open, mei: Browser) -> None:
    for path in ("/", "/account", "/g/mei", "/g/mei/settings", "/groups/new"):
        page = mei.page(path).get_data(as_text=True)
        assert "<style" not in page
        assert " style=" not in page
        assert " onclick=" not in page


def test_a_link_to_another_site_is_not_followed_after_sign_in(browser: Open) -> None:
    page = browser().page("/sign-in?next=https://evil.test/").get_data(as_text=True)
    assert "evil.test" not in page


def test_a_foreign_route_answers_with_a_problem(browser: Open) -> None:
    answer = browser().get("/no/such/thing")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert answer.json["code"] == "not_found"


def test_a_body_of_50_megabytes_is_refused_unread(browser: Open, mei: Browser) -> None:
    huge = {"name": "x" * 50_000_000, "handle": "big", "about": "", "currency": "USD"}
    assert mei.post("/groups", huge).status_code == 413


def test_the_api_describes_itself(browser: Open) -> None:
    described = browser().get("/openapi.json").json
    assert described["openapi"].startswith("3.1")
    assert "/api/v1/groups/{handle}/join" in described["paths"]
