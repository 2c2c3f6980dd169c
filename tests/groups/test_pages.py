"""The pages of a group: what each person finds on them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from creator_hub.core import db
from tests.support.client import Browser

GROUP = {"handle": "mei", "name": "Mei's room", "currency": "USD"}
SILVER = {"name": "Silver", "price": {"amount_minor": 500, "currency": "USD"}, "interval": "month", "rank": 1}


@pytest.fixture
def mei(browser: Callable[[], Browser]) -> Browser:
    mei = browser()
    mei.sign_up("mei")
    assert mei.post("/groups", GROUP).status_code == 201
    return mei


@pytest.fixture
def ana(browser: Callable[[], Browser]) -> Browser:
    ana = browser()
    ana.sign_up("ana")
    return ana


def text(browser: Browser, path: str, status: int = 200) -> str:
    answer = browser.page(path)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def test_a_signed_in_person_can_start_a_group(mei: Browser) -> None:
    assert 'data-api="POST /api/v1/groups"' in text(mei, "/groups/new")


def test_the_creator_finds_tiers_channels_invites_and_the_audit_log(mei: Browser, ana: Browser) -> None:
    mei.post("/groups/mei/tiers", SILVER)
    passcode = mei.post("/groups/mei/invites", {"campaign": "tour poster"}).json["passcode"]
    fan = ana.post(f"/invites/{passcode}/redeem").json["user"]["id"]
    mei.put(f"/groups/mei/moderators/{fan}")
    mei.delete(f"/groups/mei/moderators/{fan}")
    mei.post("/groups/mei/bans", {"handle": "ana", "reason": "Spam"})
    shown = text(mei, "/g/mei/settings")
    for part in ("Silver", "5.00", "# general", passcode, f"/join/{passcode}", "tour poster", "ban.made", "Spam"):
        assert part in shown


def test_a_moderator_keeps_order_but_does_not_see_the_creators_forms(mei: Browser, ana: Browser) -> None:
    fan = ana.post("/groups/mei/join").json["user"]["id"]
    assert text(ana, "/g/mei/settings", 403)
    mei.put(f"/groups/mei/moderators/{fan}")
    shown = text(ana, "/g/mei/settings")
    assert "Ban a person" in shown
    assert "Add a tier" not in shown


def test_a_passcode_page_says_what_it_opens_and_sends_strangers_to_sign_up_and_back(
    mei: Browser, ana: Browser, browser: Callable[[], Browser]
) -> None:
    tier = mei.post("/groups/mei/tiers", SILVER).json["id"]
    passcode = mei.post("/groups/mei/invites", {"tier_id": tier, "max_uses": 2}).json["passcode"]
    stranger = text(browser(), f"/join/{passcode}")
    assert f"/sign-up?next=/join/{passcode}" in stranger
    assert "Silver" in stranger
    assert "2 places are left" in stranger
    assert f"POST /api/v1/invites/{passcode}/redeem" in text(ana, f"/join/{passcode}")
    ana.post(f"/invites/{passcode}/redeem")
    assert "You are in" in text(ana, f"/join/{passcode}")


def test_a_passcode_that_opens_nothing_says_what_to_do(mei: Browser, ana: Browser) -> None:
    invite = mei.post("/groups/mei/invites").json
    mei.delete(f"/invites/{invite['id']}")
    assert "Ask for a new one" in text(ana, f"/join/{invite['passcode']}", 410)
    assert text(ana, "/join/ABCDE-FGHJK-MNPQR", 404)


def test_an_error_page_knows_who_is_signed_in_and_keeps_no_connection(mei: Browser, ana: Browser) -> None:
    assert "@ana" in text(ana, "/g/mei/settings", 403)
    assert "@ana" in text(ana, "/join/ABCDE-FGHJK-MNPQR", 404)
    assert db.engine().pool.checkedout() == 0


def test_the_front_page_shows_public_groups_and_never_hidden_ones(mei: Browser, ana: Browser) -> None:
    assert 'href="/g/mei"' in text(ana, "/")
    mei.patch("/groups/mei", {"hidden": True})
    assert 'href="/g/mei"' not in text(ana, "/")
    assert 'href="/g/mei"' in text(mei, "/")
