"""Survival, forecast, engagement, votes and lift, over HTTP and as files with the same numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from creator_hub.chat.service import send
from creator_hub.core.db import unit_of_work
from creator_hub.core.ids import new_id
from creator_hub.core.outbox import OutboxMessage
from creator_hub.groups import entitlements
from creator_hub.groups.models import Invite
from creator_hub.insights.holdout_models import HoldoutPerson
from creator_hub.insights.holdouts import INVITE_TOPIC
from creator_hub.insights.models import ActivityMark
from creator_hub.money.billing_models import Subscription
from tests.insights.crowd import people, subscribers
from tests.support.client import Browser
from tests.support.subscribers import Town, catch_up, end, let_pass, pay
from tests.support.world import a_member, as_actor, the_general_channel
from workers.insights import invite_the_drawn

INSIGHTS = "/groups/mei/insights"


@pytest.fixture
def mei(app: Flask, town: Town, browser: Callable[[], Browser]) -> Browser:
    mei = browser()
    assert mei.sign_in("mei").status_code == 201
    return mei


def signed_in_now(mei: Browser) -> Browser:
    """Months may have passed since she signed in."""
    fresh = Browser(mei._client.application)
    assert fresh.sign_in("mei").status_code == 201
    return fresh


def read(mei: Browser, report: str) -> Any:
    catch_up()
    answer = signed_in_now(mei).get(f"{INSIGHTS}/{report}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.json


def as_file(mei: Browser, report: str) -> list[dict[str, str]]:
    answer = signed_in_now(mei).get(f"{INSIGHTS}/{report}{'&' if '?' in report else '?'}format=csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))


@pytest.mark.parametrize("report", ["survival", "forecast", "engagement", "voting", "lift"])
def test_an_empty_group_has_reports_of_nothing(mei: Browser, report: str) -> None:
    assert read(mei, report)
    as_file(mei, report)


def forty_of_whom_ten_leave_each_month(town: Town, months: int) -> None:
    """Forty silver subscribers and ten of gold, who stay; of the forty, ten stop at each renewal."""
    with unit_of_work() as session:
        ids = [row.id for row in subscribers(session, town, 40, "fan")]
        subscribers(session, town, 10, "gold", town.yearly)
    for _ in range(months):
        let_pass(30)
        with unit_of_work() as session:
            going, ids = ids[:10], ids[10:]
            for subscription_id in going:
                end(session, session.get_one(Subscription, subscription_id), "cancelled")
            for subscription_id in ids:
                pay(session, town.group, session.get_one(Subscription, subscription_id))


def test_how_long_subscribers_stay_by_tier(mei: Browser, town: Town) -> None:
    forty_of_whom_ten_leave_each_month(town, 2)
    let_pass(5)
    shown = read(mei, "survival?by=tier")
    gold, silver = shown["curves"]
    assert (gold["name"], gold["people"], gold["times"]) == ("Gold", 10, [])
    assert (silver["times"], silver["survival"]) == ([30.0, 60.0], [0.75, 0.5])
    assert (silver["at_risk"], silver["events"], silver["median"]) == ([40, 30], [10, 10], 60.0)
    assert shown["log_rank"]["p"] < 0.05
    rows = as_file(mei, "survival?by=tier")
    assert [(row["curve"], float(row["survival"])) for row in rows] == [("Silver", 0.75), ("Silver", 0.5)]
    everybody = read(mei, "survival")
    assert (everybody["curves"][0]["name"], everybody["log_rank"]) == ("all", None)


def test_how_many_will_renew(mei: Browser, town: Town) -> None:
    assert "Not enough data" in read(mei, "forecast")["note"]
    forty_of_whom_ten_leave_each_month(town, 2)
    let_pass(20)
    shown = read(mei, "forecast")
    assert [row["actual"] for row in shown["periods"][:4]] == [1.0, 0.75, 0.5, None]
    # A third of thirty is more than a quarter of forty: churn does not fall, so the limit is geometric, 20 of 70.
    assert shown["model"] == {"alpha": None, "beta": None, "churn": pytest.approx(20 / 70)}
    assert "geometric" in shown["note"]
    assert shown["remaining_value"]["currency"] == "USD"
    assert float(as_file(mei, "forecast")[1]["fitted"]) == pytest.approx(shown["periods"][1]["fitted"])


def test_who_is_active_who_lurks_and_who_may_leave(mei: Browser, town: Town) -> None:
    with unit_of_work() as session:
        writer, lurker, silent = (row.user_id for row in subscribers(session, town, 3, "fan"))
        channel = the_general_channel(session, town.group).id
    let_pass(40)
    with unit_of_work() as session:
        for subscription in session.scalars(select(Subscription)).all():
            pay(session, town.group, subscription)
        first = send(session, as_actor(town.mei), channel, client_msg_id=new_id(), text="Hello")
        assert first
        session.add(ActivityMark(group_id=town.group.id, at=_quarter(session), user_id=lurker, kind="visit", times=3))
        session.add(ActivityMark(group_id=town.group.id, at=_quarter(session), user_id=writer, kind="message", times=1))
    shown = read(mei, "engagement")
    assert (shown["today"]["active"], shown["today"]["active_30"], shown["today"]["messages"]) == (2, 2, 2)
    assert shown["lurkers_who_pay"] == 1
    assert shown["creator_authored_share"] == 0.5
    assert [(row["user"]["id"], row["reasons"]) for row in shown["at_risk"]] == [(str(silent), ["silent_14_days"])]
    assert shown["hit_rate"] == {"flagged": 3, "flagged_left": 0, "others": 0, "others_left": 0}
    file = {(row["measure"], row["day"]): row["value"] for row in as_file(mei, "engagement")}
    assert file["active", shown["today"]["day"]] == "2"
    assert file["lurkers_who_pay", shown["today"]["day"]] == "1"


def _quarter(session: Any) -> Any:

    return session.execute(text("SELECT date_bin('15 minutes', hub_now(), timestamptz '2000-01-01Z')")).scalar()


def test_a_vote_counts_its_voters_and_marks_them_as_active(
    mei: Browser, town: Town, browser: Callable[[], Browser]
) -> None:
    with unit_of_work() as session:
        a_member(session, town.group, town.ana)
    channel = mei.get("/groups/mei/channels").json["items"][0]["id"]
    poll = mei.post(
        f"/channels/{channel}/polls", {"title": "Tart?", "method": "plurality", "options": ["Yes", "No"]}
    ).json
    ana = browser()
    ana.sign_in("ana")
    assert ana.put(f"/polls/{poll['id']}/ballot", {"choices": [poll["options"][0]["id"]]}).status_code == 200
    assert mei.post(f"/polls/{poll['id']}/close").status_code == 200
    (vote,) = read(mei, "voting")["rows"]
    assert (vote["title"], vote["kind"], vote["voters"], vote["differs"]) == ("Tart?", "poll", 1, False)
    assert as_file(mei, "voting")[0]["voters"] == "1"
    assert read(mei, "engagement")["today"]["voters"] == 1


def test_a_holdout_invites_a_part_and_says_what_inviting_did(
    mei: Browser, town: Town, browser: Callable[[], Browser]
) -> None:
    with unit_of_work() as session:
        for user in people(session, 100, "past"):
            a_member(session, town.group, user)
            entitlements.remove_person(session, town.group, user.id, "left")
    begun = mei.post("/groups/mei/holdouts", {"campaign": "come back", "held_back": 40, "days": 14})
    assert begun.status_code == 201, begun.get_data(as_text=True)
    again = mei.post("/groups/mei/holdouts", {"campaign": "come back"})
    assert (again.status_code, again.json["code"]) == (409, "holdout_exists")
    with unit_of_work() as session:
        drawn = session.scalars(select(HoldoutPerson)).all()
        invited = [row.user_id for row in drawn if row.invited]
        held_back = [row.user_id for row in drawn if not row.invited]
        assert (len(invited), len(held_back)) == (60, 40)
        asked = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == INVITE_TOPIC)).all()
        assert {row.payload["user_id"] for row in asked} == {str(user_id) for user_id in invited}
        told = next(row.payload for row in asked)
        invite_the_drawn(session, told)
        invite_the_drawn(session, told)
        (invite,) = session.scalars(select(Invite)).all()
        assert (str(invite.for_user_id), invite.campaign, invite.max_uses) == (told["user_id"], "come back", 1)
    early = read(mei, "lift")["rows"][0]
    assert (early["is_over"], early["itt"]["estimate"]) == (False, None)
    assert "not over yet" in early["itt"]["note"]
    let_pass(13)
    with unit_of_work() as session:
        marked = [*invited[:30], *held_back[:5]]
        at = _quarter(session)
        session.add_all(
            ActivityMark(group_id=town.group.id, at=at, user_id=user_id, kind="visit", times=1) for user_id in marked
        )
    let_pass(2)
    row = read(mei, "lift")["rows"][0]
    assert (row["is_over"], row["invited"], row["held_back"]) == (True, 60, 40)
    assert row["itt"]["estimate"] == pytest.approx(0.5 - 0.125)
    assert row["itt"]["lower"] > 0
    assert "Too few followed" in row["complier"]["note"]
    file = as_file(mei, "lift")
    assert [line["effect"] for line in file] == ["itt", "complier"]
    assert float(file[0]["estimate"]) == pytest.approx(row["itt"]["estimate"])


def test_nobody_to_draw_from_is_said_and_only_the_owner_draws(
    mei: Browser, town: Town, browser: Callable[[], Browser]
) -> None:
    answer = mei.post("/groups/mei/holdouts", {"campaign": "x"})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["audience"])
    named = {"campaign": "x", "audience": "people"}
    assert mei.post("/groups/mei/holdouts", named).status_code == 422
    ana = browser()
    ana.sign_in("ana")
    assert ana.post("/groups/mei/holdouts", {"campaign": "x"}).status_code == 403
    assert mei.post("/groups/mei/holdouts", named | {"handles": ["ana", "bo"]}).status_code == 201
