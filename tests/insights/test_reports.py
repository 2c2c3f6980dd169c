"""What Mei and finance see of the group's figures, over HTTP and on the dashboard."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from creator_hub.core.ids import new_id
from creator_hub.groups import entitlements, moderation
from creator_hub.groups.standing import standing_of
from creator_hub.money.billing_models import Subscription
from creator_hub.promises.judging import keep_time
from tests.support.client import Browser
from tests.support.subscribers import Town, catch_up, end, let_pass, subscribe
from tests.support.world import a_member, as_actor

INSIGHTS = "/groups/mei/insights"


@pytest.fixture
def mei(app: Flask, town: Town, browser: Callable[[], Browser]) -> Browser:
    mei = browser()
    assert mei.sign_in("mei").status_code == 201
    return mei


def read(mei: Browser, report: str) -> dict[str, Any]:
    """A report once the workers have done their part."""
    catch_up()
    answer = mei.get(f"{INSIGHTS}/{report}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.json)


def usd(minor: int) -> dict[str, object]:
    return {"amount_minor": minor, "currency": "USD"}


def three_join(town: Town) -> None:
    """Ana for free, Bo for 5.00 a month, Chen for 120.00 a year."""
    with unit_of_work() as session:
        a_member(session, town.group, town.ana)
        subscribe(session, town.group, town.bo, town.monthly)
        subscribe(session, town.group, town.chen, town.yearly)


def test_an_empty_group_has_figures_of_nothing(mei: Browser) -> None:
    shown = read(mei, "overview")
    assert shown["members"] == {"paying": 0, "free": 0, "trialing": 0, "grace": 0}
    assert shown["mrr"] == usd(0)
    assert shown["creator_authored_share"] is None
    assert read(mei, "cohorts") == {"by": "month", "of": "paid", "rows": []}


def test_who_pays_counts_at_once_and_a_yearly_price_by_its_twelfth(mei: Browser, town: Town) -> None:
    three_join(town)
    shown = read(mei, "overview")
    assert shown["members"] == {"paying": 2, "free": 1, "trialing": 0, "grace": 0}
    assert shown["mrr"] == usd(1500)
    assert shown["joins"] == 3
    assert shown["movement"] == {
        "new": usd(1500),
        "expansion": usd(0),
        "contraction": usd(0),
        "churn": usd(0),
        "reactivation": usd(0),
    }


def test_departures_say_why_and_churn_says_how_much(mei: Browser, town: Town) -> None:
    three_join(town)
    let_pass(3)
    with unit_of_work() as session:
        entitlements.remove_person(session, town.group, town.ana.id, "left")
        of_mei = standing_of(session, town.group, as_actor(town.mei))
        terms = {"user_id": town.bo.id, "reason": "Spam", "until": None}
        moderation.ban(session, as_actor(town.mei), town.group, of_mei, **terms)
    shown = read(mei, "overview")
    assert shown["departures"] == {"voluntary": 1, "payment_failed": 0, "refunded": 0, "banned": 1}
    assert shown["members"] == {"paying": 1, "free": 0, "trialing": 0, "grace": 0}
    assert (shown["mrr"], shown["movement"]["churn"]) == (usd(1000), usd(500))


def test_who_was_refunded_and_pays_again_is_a_reactivation(mei: Browser, town: Town) -> None:
    with unit_of_work() as session:
        bought = subscribe(session, town.group, town.bo, town.monthly)
    let_pass(2)
    with unit_of_work() as session:
        end(session, session.merge(bought), "refunded")
    let_pass(2)
    with unit_of_work() as session:
        subscribe(session, town.group, town.bo, town.yearly)
    shown = read(mei, "overview")
    assert shown["departures"]["refunded"] == 1
    moved = shown["movement"]
    assert (moved["new"], moved["churn"], moved["reactivation"]) == (usd(500), usd(500), usd(1000))


def test_the_share_of_the_creators_own_words(mei: Browser, town: Town, browser: Callable[[], Browser]) -> None:
    channel = mei.get("/groups/mei/channels").json["items"][0]["id"]
    ana = browser()
    ana.sign_in("ana")
    ana.post("/groups/mei/join")
    for who, words in ((mei, "Welcome!"), (ana, "Hello"), (ana, "What do we bake?"), (ana, "Tart?")):
        sent = who.post(
            f"/channels/{channel}/messages",
            {"client_msg_id": str(new_id()), "text": words},
        )
        assert sent.status_code == 201, sent.get_data(as_text=True)
    assert read(mei, "overview")["creator_authored_share"] == 0.25


def the_tenth_comes() -> datetime:
    """Noon of the tenth of the next month, so that months and weeks lie the same whenever this runs."""
    with unit_of_work() as session:
        now = clock.now()
        tenth = (now.replace(day=1) + timedelta(days=32)).replace(day=10, hour=12, minute=0)
        return clock.advance(session, tenth - now)


def test_cohorts_follow_people_by_when_they_came_or_paid(
    app: Flask, town: Town, browser: Callable[[], Browser]
) -> None:
    start = the_tenth_comes()
    three_join(town)
    let_pass(32)
    with unit_of_work() as session:
        entitlements.remove_person(session, town.group, town.ana.id, "left")
        today = clock.now()
    mei = browser()
    mei.sign_in("mei")
    rows = read(mei, "cohorts?of=joined")["rows"]
    assert [(row["cohort"], row["size"]) for row in rows] == [(f"{start:%Y-%m}", 3)]
    assert rows[0]["retained"] == [3, 2]
    assert rows[0]["revenue"] == [usd(12_500), usd(0)]
    paid = read(mei, "cohorts")["rows"]
    # Bo's month is over and nothing followed; Chen's year runs.
    assert [(row["size"], row["retained"]) for row in paid] == [(2, [2, 1])]
    weeks = read(mei, "cohorts?by=week")["rows"]
    monday, this_monday = (day.date() - timedelta(days=day.weekday()) for day in (start, today))
    assert weeks[0]["cohort"] == monday.isoformat()
    ends = [monday + timedelta(days=7 * n) for n in range(1, (this_monday - monday).days // 7 + 1)]
    bos_month_is_over = start.date() + timedelta(days=30)
    assert weeks[0]["retained"] == [2 if end <= bos_month_is_over else 1 for end in ends] + [1]


def test_churn_month_by_month(mei: Browser, town: Town) -> None:
    three_join(town)
    rows = read(mei, "churn?months=2")["rows"]
    assert [row["joins"] for row in rows] == [0, 3]
    assert rows[1]["members_at_start"] == 0
    assert rows[1]["rate"] is None


def test_revenue_month_by_month(mei: Browser, town: Town) -> None:
    three_join(town)
    before, now = read(mei, "revenue?months=2")["rows"]
    assert (before["mrr"], before["paid"]) == (usd(0), usd(0))
    assert (now["mrr"], now["movement"]["new"], now["paid"], now["refunded"]) == (
        usd(1500),
        usd(1500),
        usd(12_500),
        usd(0),
    )


@pytest.mark.parametrize("report", ["overview", "revenue", "cohorts", "churn"])
def test_every_report_is_a_csv_file_too(mei: Browser, town: Town, report: str) -> None:
    three_join(town)
    catch_up()
    answer = mei.get(f"{INSIGHTS}/{report}?format=csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert rows
    if report == "overview":
        assert (rows[0]["mrr"], rows[0]["currency"], rows[0]["paying"]) == ("15.00", "USD", "2")
    if report == "cohorts":
        assert (rows[0]["size"], rows[0]["retained"], rows[0]["revenue"]) == ("2", "2", "125.00")


def test_figures_are_the_creators_and_finances_alone(mei: Browser, town: Town, browser: Callable[[], Browser]) -> None:
    three_join(town)
    ana, fay = browser(), browser()
    ana.sign_in("ana")
    fay.sign_up_with_roles("fay", ["finance"])
    assert browser().get(f"{INSIGHTS}/overview").status_code == 401
    assert ana.get(f"{INSIGHTS}/overview").status_code == 403
    assert ana.page("/g/mei/dashboard").status_code == 403
    assert read(fay, "overview")["mrr"] == usd(1500)
    assert fay.page("/g/mei/dashboard").status_code == 200


def test_the_dashboard_draws_and_lists_the_figures(mei: Browser, town: Town) -> None:
    assert "Nobody has joined yet" in mei.page("/g/mei/dashboard").get_data(as_text=True)
    three_join(town)
    catch_up()
    shown = mei.page("/g/mei/dashboard").get_data(as_text=True)
    for part in ("15.00&nbsp;USD", "2 paying, 1 free", 'data-chart="line"', 'data-chart="bar"', 'data-chart="cohort"'):
        assert part in shown
    assert shown.count("<table") == 8


def test_a_creator_without_members_is_shown_the_way_to_the_first(mei: Browser, town: Town) -> None:
    shown = mei.page("/g/mei/dashboard").get_data(as_text=True)
    for part in ("Your way to a first paying member", "Write a first message", "Nothing waits for you."):
        assert part in shown
    three_join(town)
    catch_up()
    assert "Your way to a first paying member" not in mei.page("/g/mei/dashboard").get_data(as_text=True)


def test_the_dashboard_says_what_needs_the_creator_today(
    mei: Browser, town: Town, browser: Callable[[], Browser]
) -> None:
    three_join(town)
    terms = {"kind": "messages", "count": 1, "every": "day", "remedy": "days", "remedy_value": 1}
    assert mei.post("/groups/mei/promises", terms).status_code == 201
    channel = mei.get("/groups/mei/channels").json["items"][0]["id"]
    qa = mei.post(f"/channels/{channel}/qa", {"title": "Ask me", "anonymous_allowed": False}).json["id"]
    ana = browser()
    ana.sign_in("ana")
    assert ana.post(f"/qa/{qa}/questions", {"text": "Which flour?"}).status_code == 201
    let_pass(1)
    with unit_of_work() as session:
        session.scalars(select(Subscription).where(Subscription.user_id == town.bo.id)).one().state = "past_due"
        keep_time(session)
    catch_up()
    shown = mei.page("/g/mei/dashboard").get_data(as_text=True)
    for part in ("You promised to write on 1 days every day", "1 question waits", "1 payment is failing"):
        assert part in shown
    promises = mei.page("/g/mei/promises").get_data(as_text=True)
    assert "I cannot keep the running one" in promises
    assert "I cannot keep the running one" not in ana.page("/g/mei/promises").get_data(as_text=True)
