"""Groups over HTTP, as a creator, her moderators and her fans use them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from creator_hub.core import clock
from creator_hub.core.access import Actor
from creator_hub.core.db import unit_of_work
from creator_hub.core.outbox import OutboxMessage
from creator_hub.core.schemas import rfc3339
from creator_hub.groups import invites
from creator_hub.groups.models import Entitlement, Group
from creator_hub.groups.standing import standing_of
from tests.support.client import Browser

GROUP = {"handle": "mei", "name": "Mei's room", "about": "Songs", "currency": "USD"}
SILVER = {"name": "Silver", "price": {"amount_minor": 500, "currency": "USD"}, "interval": "month", "rank": 1}


@pytest.fixture
def person(browser: Callable[[], Browser]) -> Callable[[str], Browser]:
    def sign_up(handle: str) -> Browser:
        opened = browser()
        opened.user = opened.sign_up(handle)  # type: ignore[attr-defined]
        return opened

    return sign_up


@pytest.fixture
def mei(person: Callable[[str], Browser]) -> Browser:
    mei = person("mei")
    assert mei.post("/groups", GROUP).status_code == 201
    return mei


@pytest.fixture
def ana(person: Callable[[str], Browser]) -> Browser:
    return person("ana")


def id_of(browser: Browser) -> str:
    return browser.user["id"]  # type: ignore[attr-defined, no-any-return]


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["code"]


def audited(mei: Browser) -> list[str]:
    return [entry["action"] for entry in mei.get("/groups/mei/audit").json["items"]]


def test_a_new_group_has_a_free_tier_and_a_general_channel(mei: Browser) -> None:
    group = mei.get("/groups/mei").json
    assert group["owner"]["handle"] == "mei"
    assert group["standing"] == {"role": "creator", "rank": 32767, "access_until": None}
    tiers = mei.get("/groups/mei/tiers").json["items"]
    assert [(tier["rank"], tier["price"]) for tier in tiers] == [(0, {"amount_minor": 0, "currency": "USD"})]
    assert [channel["name"] for channel in mei.get("/groups/mei/channels").json["items"]] == ["general"]
    assert audited(mei) == ["channel.created", "group.created"]


def test_a_taken_handle_is_named_by_field(mei: Browser, ana: Browser) -> None:
    assert ana.post("/groups", GROUP).json["errors"].keys() == {"handle"}


def test_tiers_are_priced_in_the_groups_currency_and_money_hears_of_each_change(mei: Browser) -> None:
    euros = SILVER | {"price": {"amount_minor": 500, "currency": "EUR"}}
    assert mei.post("/groups/mei/tiers", euros).json["errors"].keys() == {"price"}
    assert mei.post("/groups/mei/tiers", SILVER | {"rank": 0}).json["errors"].keys() == {"rank"}
    tier = mei.post("/groups/mei/tiers", SILVER | {"benefits": ["Demos"], "seat_limit": 3}).json
    assert (tier["seats_left"], tier["benefits"]) == (3, ["Demos"])
    dearer = {"price": {"amount_minor": 700, "currency": "USD"}}
    assert mei.patch(f"/tiers/{tier['id']}", dearer).json["price"]["amount_minor"] == 700
    assert mei.delete(f"/tiers/{tier['id']}").status_code == 204
    assert [shown["name"] for shown in mei.get("/groups/mei/tiers").json["items"]] == ["Free"]
    with unit_of_work() as session:
        told = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "money.tier_changed")).all()
    assert [message.payload for message in told] == [{"tier_id": tier["id"]}] * 3


def test_the_free_tier_stays_free_and_stays(mei: Browser) -> None:
    free = mei.get("/groups/mei/tiers").json["items"][0]["id"]
    assert code(mei.delete(f"/tiers/{free}")) == (409, "free_tier")
    assert code(mei.patch(f"/tiers/{free}", {"price": SILVER["price"]})) == (409, "free_tier")


def test_a_fan_joins_once_sees_the_members_and_leaves(mei: Browser, ana: Browser) -> None:
    joined = ana.post("/groups/mei/join")
    assert joined.status_code == 201
    assert joined.json | {"id": "", "since": "", "tier": "", "user": ""} == {
        "id": "",
        "group": {"id": joined.json["group"]["id"], "handle": "mei", "name": "Mei's room"},
        "user": "",
        "tier": "",
        "role": "member",
        "since": "",
        "access_until": None,
        "source": "free",
        "campaign": None,
    }
    assert code(ana.post("/groups/mei/join")) == (409, "already_member")
    assert code(mei.post("/groups/mei/join")) == (409, "already_member")
    assert [m["user"]["handle"] for m in ana.get("/groups/mei/members").json["items"]] == ["ana"]
    assert ana.post("/groups/mei/leave").status_code == 204
    assert code(ana.get("/groups/mei/members")) == (403, "not_allowed")
    assert code(mei.post("/groups/mei/leave")) == (403, "not_allowed")
    assert ana.post("/groups/mei/join").json["id"] == joined.json["id"]


def test_a_passcode_remembers_its_campaign_and_is_used_up(
    mei: Browser, ana: Browser, person: Callable[[str], Browser]
) -> None:
    invite = mei.post("/groups/mei/invites", {"max_uses": 1, "campaign": "tour poster"}).json
    assert len(invite["passcode"]) == 17
    membership = ana.post(f"/invites/{invite['passcode'].replace('-', '').lower()}/redeem")
    assert (membership.status_code, membership.json["campaign"]) == (201, "tour poster")
    assert code(ana.post(f"/invites/{invite['passcode']}/redeem")) == (410, "invite_used_up")
    assert code(person("bo").post(f"/invites/{invite['passcode']}/redeem")) == (410, "invite_used_up")
    assert mei.get("/groups/mei/invites").json["items"][0]["uses"] == 1


def test_what_brought_a_fan_first_stays_when_another_campaign_brings_them_back(mei: Browser, ana: Browser) -> None:
    poster = mei.post("/groups/mei/invites", {"campaign": "poster"}).json["passcode"]
    comeback = mei.post("/groups/mei/invites", {"campaign": "comeback"}).json["passcode"]
    assert ana.post(f"/invites/{poster}/redeem").json["campaign"] == "poster"
    ana.post("/groups/mei/leave")
    assert ana.post(f"/invites/{comeback}/redeem").json["campaign"] == "poster"
    with unit_of_work() as session:
        campaigns = session.scalars(select(Entitlement.campaign).order_by(Entitlement.starts_at)).all()
    assert campaigns == ["poster", "comeback"]


def test_redeeming_the_same_invite_into_a_tier_again_leaves_the_old_stay_as_it_was(mei: Browser, ana: Browser) -> None:
    tier = mei.post("/groups/mei/tiers", SILVER).json
    passcode = mei.post("/groups/mei/invites", {"tier_id": tier["id"]}).json["passcode"]
    for _ in range(2):
        assert ana.post(f"/invites/{passcode}/redeem").status_code == 201
        ana.post("/groups/mei/leave")
    with unit_of_work() as session:
        stays = session.scalars(select(Entitlement).order_by(Entitlement.starts_at)).all()
        assert [stay.ended_reason for stay in stays] == ["left", "left"]
        assert stays[0].ends_at is not None
        assert stays[0].ends_at < stays[1].starts_at


def test_an_invitation_for_one_person_opens_for_nobody_else(
    mei: Browser, ana: Browser, browser: Callable[[], Browser]
) -> None:
    with unit_of_work() as session:
        group = session.scalars(select(Group)).one()
        actor = Actor(user_id=group.owner_id)
        invite = invites.create_invite(
            session,
            actor,
            group,
            standing_of(session, group, actor),
            max_uses=1,
            expires_at=None,
            tier_id=None,
            campaign="come back",
            for_user_id=uuid.UUID(id_of(ana)),
        )
        passcode = invite.passcode
    bo = browser()
    assert bo.page(f"/join/{passcode}").status_code in (303, 401)
    bo.sign_up("bo")
    assert code(bo.post(f"/invites/{passcode}/redeem")) == (404, "not_found")
    assert ana.post(f"/invites/{passcode}/redeem").status_code == 201


def test_a_group_counts_its_days_where_it_lives(mei: Browser) -> None:
    assert mei.get("/groups/mei").json["timezone"] == "UTC"
    assert mei.patch("/groups/mei", {"timezone": "Asia/Tokyo"}).json["timezone"] == "Asia/Tokyo"
    assert mei.patch("/groups/mei", {"timezone": "Mars/Olympus"}).status_code == 422


def test_redeeming_twice_uses_the_passcode_once(mei: Browser, ana: Browser) -> None:
    passcode = mei.post("/groups/mei/invites", {"max_uses": 5}).json["passcode"]
    assert ana.post(f"/invites/{passcode}/redeem").status_code == 201
    assert code(ana.post(f"/invites/{passcode}/redeem")) == (409, "already_member")
    assert mei.get("/groups/mei/invites").json["items"][0]["uses"] == 1


def test_expired_revoked_and_unknown_passcodes_say_so(mei: Browser, ana: Browser) -> None:
    soon = rfc3339(clock.now() + timedelta(hours=1))
    expiring = mei.post("/groups/mei/invites", {"expires_at": soon}).json
    revoked = mei.post("/groups/mei/invites").json
    assert mei.delete(f"/invites/{revoked['id']}").status_code == 204
    assert code(ana.post(f"/invites/{revoked['passcode']}/redeem")) == (410, "invite_expired")
    with unit_of_work() as session:
        clock.advance(session, timedelta(hours=2))
    assert code(ana.post(f"/invites/{expiring['passcode']}/redeem")) == (410, "invite_expired")
    assert code(ana.post("/invites/ABCDE-FGHJK-MNPQR/redeem")) == (404, "not_found")


def test_an_invite_into_a_paid_tier_grants_it_and_only_the_creator_makes_one(mei: Browser, ana: Browser) -> None:
    tier = mei.post("/groups/mei/tiers", SILVER).json
    mei.post("/groups/mei/channels", {"name": "lounge", "min_tier_rank": 1})
    passcode = mei.post("/groups/mei/invites", {"tier_id": tier["id"]}).json["passcode"]
    ana.post("/groups/mei/join")
    membership = ana.post(f"/invites/{passcode}/redeem").json
    assert (membership["tier"]["name"], membership["source"]) == ("Silver", "invite")
    assert [c["name"] for c in ana.get("/groups/mei/channels").json["items"]] == ["general", "lounge"]
    mei.put(f"/groups/mei/moderators/{id_of(ana)}")
    assert code(ana.post("/groups/mei/invites", {"tier_id": tier["id"]})) == (403, "not_allowed")
    assert ana.post("/groups/mei/invites", {}).status_code == 201


def test_a_banned_fan_finds_nothing_and_cannot_come_back_until_the_ban_is_lifted(mei: Browser, ana: Browser) -> None:
    ana.post("/groups/mei/join")
    passcode = mei.post("/groups/mei/invites").json["passcode"]
    ban = {"user_id": id_of(ana), "reason": "Insults"}
    assert mei.post("/groups/mei/bans", {"user_id": id_of(ana)}).json["errors"].keys() == {"reason"}
    assert mei.post("/groups/mei/bans", ban).status_code == 201
    assert code(mei.post("/groups/mei/bans", ban)) == (409, "already_banned")
    for answer in (
        ana.post("/groups/mei/join"),
        ana.post(f"/invites/{passcode}/redeem"),
        ana.get("/groups/mei/members"),
        ana.get("/groups/mei/channels"),
    ):
        assert code(answer) == (404, "not_found")
    assert mei.get("/groups/mei/bans").json["items"][0]["reason"] == "Insults"
    assert mei.delete(f"/groups/mei/bans/{id_of(ana)}").status_code == 204
    assert ana.post("/groups/mei/join").status_code == 201
    assert audited(mei)[:2] == ["ban.lifted", "ban.made"]


def test_a_ban_with_an_end_runs_out_and_can_be_given_again(mei: Browser, ana: Browser) -> None:
    ban = {"handle": "ana", "reason": "Cool down", "until": rfc3339(clock.now() + timedelta(hours=1))}
    assert mei.post("/groups/mei/bans", ban).status_code == 201
    assert ana.post("/groups/mei/join").status_code == 404
    with unit_of_work() as session:
        clock.advance(session, timedelta(hours=2))
    assert ana.post("/groups/mei/join").status_code == 201
    assert mei.get("/groups/mei/bans").json["items"] == []
    assert mei.post("/groups/mei/bans", {"handle": "ana", "reason": "Again"}).status_code == 201


def test_a_moderator_bans_fans_but_neither_moderators_nor_the_creator(
    mei: Browser, ana: Browser, person: Callable[[str], Browser]
) -> None:
    bo, chen = person("bo"), person("chen")
    for fan in (ana, bo, chen):
        fan.post("/groups/mei/join")
    for moderator in (ana, bo):
        assert mei.put(f"/groups/mei/moderators/{id_of(moderator)}").status_code == 204
    assert code(ana.post("/groups/mei/bans", {"user_id": id_of(bo), "reason": "x"})) == (403, "not_allowed")
    assert code(ana.post("/groups/mei/bans", {"user_id": id_of(mei), "reason": "x"})) == (403, "not_allowed")
    assert code(chen.post("/groups/mei/bans", {"user_id": id_of(ana), "reason": "x"})) == (403, "not_allowed")
    assert ana.post("/groups/mei/bans", {"user_id": id_of(chen), "reason": "Spam"}).status_code == 201
    assert code(ana.put(f"/groups/mei/moderators/{id_of(ana)}")) == (403, "not_allowed")
    assert mei.post("/groups/mei/bans", {"user_id": id_of(bo), "reason": "Spam"}).status_code == 201
    assert [m["user"]["handle"] for m in mei.get("/groups/mei/members").json["items"]] == ["ana"]


def test_strangers_and_other_creators_change_nothing(mei: Browser, ana: Browser) -> None:
    ana.post("/groups", GROUP | {"handle": "ana"})
    tier = mei.post("/groups/mei/tiers", SILVER).json["id"]
    channel = mei.get("/groups/mei/channels").json["items"][0]["id"]
    invite = mei.post("/groups/mei/invites").json["id"]
    assert ana.patch("/groups/mei", {"name": "Mine"}).status_code == 403
    assert ana.patch(f"/tiers/{tier}", {"name": "Mine"}).status_code == 403
    assert ana.patch(f"/channels/{channel}", {"name": "mine"}).status_code == 404
    assert ana.delete(f"/invites/{invite}").status_code == 404
    assert ana.get("/groups/mei/audit").status_code == 403
    foreign = ana.post("/groups/ana/invites", {"tier_id": tier})
    assert foreign.json["errors"].keys() == {"tier_id"}


def test_a_hidden_group_answers_strangers_like_one_that_does_not_exist(mei: Browser, ana: Browser) -> None:
    mei.patch("/groups/mei", {"hidden": True})
    hidden, missing = (ana.get(f"/groups/{handle}/tiers").json for handle in ("mei", "nobody"))
    assert hidden | {"request_id": ""} == missing | {"request_id": ""}


def test_fans_do_not_learn_from_the_list_who_pays(mei: Browser, ana: Browser, person: Callable[[str], Browser]) -> None:
    bo = person("bo")
    passcode = mei.post("/groups/mei/invites", {"campaign": "poster"}).json["passcode"]
    ana.post(f"/invites/{passcode}/redeem")
    bo.post("/groups/mei/join")
    seen = {m["user"]["handle"]: (m["source"], m["campaign"]) for m in bo.get("/groups/mei/members").json["items"]}
    assert seen == {"ana": (None, None), "bo": ("free", None)}
    seen = {m["user"]["handle"]: (m["source"], m["campaign"]) for m in mei.get("/groups/mei/members").json["items"]}
    assert seen == {"ana": ("free", "poster"), "bo": ("free", None)}


def test_channel_names_are_unique_in_a_group(mei: Browser) -> None:
    assert mei.post("/groups/mei/channels", {"name": "general"}).json["errors"].keys() == {"name"}
    lounge = mei.post("/groups/mei/channels", {"name": "lounge", "kind": "announcement"}).json
    assert mei.patch(f"/channels/{lounge['id']}", {"name": "general"}).json["errors"].keys() == {"name"}
    assert mei.patch(f"/channels/{lounge['id']}", {"min_tier_rank": 2}).json["min_tier_rank"] == 2
