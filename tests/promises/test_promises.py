"""What Mei promised, what came, and what her fans get for what did not: by the clock."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from creator_hub.chat.service import send
from creator_hub.core import clock, mail
from creator_hub.core.db import unit_of_work
from creator_hub.core.ids import new_id
from creator_hub.core.outbox import OutboxMessage
from creator_hub.groups.models import Entitlement, Group
from creator_hub.promises import cadence, judging
from creator_hub.promises.models import Period, Promise, Remedy
from tests.support.client import Browser
from tests.support.subscribers import Town, let_pass, subscribe
from tests.support.world import a_member, as_actor, the_general_channel
from workers import jobs

DAILY = {"kind": "messages", "count": 1, "every": "day", "grace_hours": 6, "remedy": "days", "remedy_value": 3}


@pytest.fixture
def mei(app: Flask, town: Town, browser: Callable[[], Browser]) -> Browser:
    mei = browser()
    assert mei.sign_in("mei").status_code == 201
    return mei


def promise(mei: Browser, **terms: Any) -> dict[str, Any]:
    answer = mei.post("/groups/mei/promises", DAILY | terms)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return dict(answer.json)


def bounds(promised: dict[str, Any], n: int) -> cadence.Stretch:
    with unit_of_work() as session:
        row = session.get_one(Promise, uuid.UUID(promised["id"]))
        return cadence.stretch(row.every, row.starts_on, n, row.timezone, row.grace_hours)


def at(moment: datetime) -> None:
    """Let the moment come, and the judge with it."""
    with unit_of_work() as session:
        clock.advance(session, moment - clock.now() + timedelta(seconds=1))
    judge()


def judge() -> None:
    with unit_of_work() as session:
        judging.keep_time(session)


def writes(town: Town, who: Any) -> None:
    with unit_of_work() as session:
        channel = the_general_channel(session, town.group)
        send(session, as_actor(who), channel.id, client_msg_id=new_id(), text="Here I am")


def states(promised: dict[str, Any]) -> list[str]:
    with unit_of_work() as session:
        rows = session.scalars(select(Period).where(Period.promise_id == uuid.UUID(promised["id"])).order_by(Period.n))
        return [row.state for row in rows]


def work(*topics: str) -> int:
    """Do what waits in the outbox under these topics."""
    with unit_of_work() as session:
        rows = session.scalars(
            select(OutboxMessage.id).where(OutboxMessage.topic.in_(topics), OutboxMessage.done_at.is_(None))
        ).all()
    for row_id in rows:
        jobs.run(str(row_id))
    return len(rows)


def mails() -> list[str]:
    with unit_of_work() as session:
        rows = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == mail.TOPIC)).all()
        return [row.payload["subject"] for row in rows if row.payload]


def test_a_day_is_kept_by_the_creators_own_word_and_by_nobody_elses(mei: Browser, town: Town) -> None:
    promised = promise(mei)
    assert (promised["version"], promised["state"], promised["timezone"]) == (1, "active", "UTC")
    with unit_of_work() as session:
        a_member(session, town.group, town.ana)
        town_group = session.get_one(Group, town.group.id)
        assert town_group.owner_id == town.mei.id
    mei.put(f"/groups/mei/moderators/{town.ana.id}")
    first, second = bounds(promised, 1), bounds(promised, 2)
    at(first.from_at)
    assert states(promised) == ["scheduled"]
    writes(town, town.ana)  # a moderator is not the creator
    at(first.warn_at)
    assert states(promised) == ["at_risk"]
    assert [subject for subject in mails() if "due soon" in subject] == ["A promise of Mei is due soon"]
    writes(town, town.mei)
    judge()
    assert states(promised) == ["kept"]
    at(second.until_at)
    assert states(promised)[1] == "at_risk"  # the grace still runs
    at(second.due_at)
    assert states(promised)[1] == "missed"
    shown = mei.get("/groups/mei/reliability").json
    assert (shown["kept_percent"], shown["kept"], shown["missed"], shown["excused"]) == (50, 1, 1, 0)
    assert [row["state"] for row in shown["history"]] == ["missed", "kept"]


def test_the_last_minute_counts_and_so_does_the_grace_but_nothing_after(mei: Browser, town: Town) -> None:
    promised = promise(mei, grace_hours=2)
    one, two = bounds(promised, 1), bounds(promised, 2)
    at(one.until_at - timedelta(seconds=30))
    writes(town, town.mei)
    at(one.due_at)
    assert states(promised)[0] == "kept"
    at(two.due_at - timedelta(seconds=30))
    writes(town, town.mei)
    judge()
    assert states(promised)[1] == "kept"
    three, four = bounds(promised, 3), bounds(promised, 4)
    assert three.until_at == four.from_at
    at(bounds(promised, 4).due_at)  # the judge was away for a day and a half
    writes(town, town.mei)
    judge()
    # The message in the grace of the second day was written on the third.
    assert states(promised)[2:4] == ["kept", "missed"]


def test_a_missed_period_is_made_good_once_for_each_fan_however_often_it_is_judged(
    mei: Browser, town: Town, browser: Callable[[], Browser]
) -> None:
    with unit_of_work() as session:
        bought = subscribe(session, town.group, town.bo, town.monthly)
        paid_until = bought.current_period_end
        a_member(session, town.group, town.ana)
    promised = promise(mei)
    at(bounds(promised, 1).due_at)
    judge()
    with unit_of_work() as session:
        assert [row.user_id for row in session.scalars(select(Remedy))] == [town.bo.id]
    assert work(judging.DAYS_TOPIC) == 1
    assert states(promised)[0] == "remedied"
    with unit_of_work() as session:
        given = session.scalars(select(Entitlement).where(Entitlement.source == "gift")).one()
        assert (given.user_id, given.ends_at) == (town.bo.id, paid_until + timedelta(days=3))
    bo = browser()
    bo.sign_in("bo")
    periods = {row["n"]: row for row in bo.get(f"/promises/{promised['id']}/periods").json["items"]}
    assert (periods[1]["state"], periods[1]["mine"]) == ("remedied", {"kind": "days", "value": 3, "state": "given"})
    assert mei.get(f"/promises/{promised['id']}/periods").json["items"][-1]["mine"] is None


def test_whoever_left_is_not_brought_back_by_a_remedy(mei: Browser, town: Town, browser: Callable[[], Browser]) -> None:
    with unit_of_work() as session:
        subscribe(session, town.group, town.bo, town.monthly)
    promised = promise(mei)
    at(bounds(promised, 1).due_at)
    bo = browser()
    bo.sign_in("bo")
    assert bo.post("/groups/mei/leave").status_code == 204
    work(judging.DAYS_TOPIC)
    with unit_of_work() as session:
        remedy = session.scalars(select(Remedy)).one()
        assert (remedy.state, remedy.why) == ("failed", "not a member any more")
    assert states(promised)[0] == "missed"


def test_who_bought_under_a_promise_keeps_it_when_another_takes_its_place(mei: Browser, town: Town) -> None:
    old = promise(mei, remedy_value=10)
    with unit_of_work() as session:
        subscribe(session, town.group, town.bo, town.monthly)
    new = promise(mei, every="week", count=2, remedy_value=1)
    assert (new["version"], new["state"]) == (2, "active")
    with unit_of_work() as session:
        subscribe(session, town.group, town.chen, town.monthly)
    versions = mei.get("/groups/mei/promises").json["items"]
    assert [(row["version"], row["state"]) for row in versions] == [(2, "active"), (1, "replaced")]
    at(bounds(new, 1).due_at)
    with unit_of_work() as session:
        owed = session.execute(
            select(Remedy.user_id, Remedy.value, Period.promise_id).join(Period, Period.id == Remedy.period_id)
        ).all()
    assert {(row.user_id, row.value) for row in owed if row.promise_id == uuid.UUID(old["id"])} == {(town.bo.id, 10)}
    assert [(row.user_id, row.value) for row in owed if row.promise_id == uuid.UUID(new["id"])] == [(town.chen.id, 1)]


def test_an_excuse_is_public_in_time_and_good_for_two_periods_a_year(mei: Browser, town: Town) -> None:
    promised = promise(mei)
    path = f"/promises/{promised['id']}/periods"
    for n in (1, 2):
        at(bounds(promised, n).from_at)
        excused = mei.post(f"{path}/{n}/excuse", {"reason": "I am ill"})
        assert (excused.status_code, excused.json["state"], excused.json["excuse"]) == (200, "excused", "I am ill")
    again = mei.post(f"{path}/1/excuse", {"reason": "Still ill"})
    assert (again.status_code, again.json["code"]) == (409, "period_settled")
    at(bounds(promised, 3).from_at)
    third = mei.post(f"{path}/3/excuse", {"reason": "Holidays"})
    assert (third.status_code, third.json["code"]) == (409, "no_excuses_left")
    assert mei.post(f"{path}/99/excuse", {"reason": "?"}).status_code == 404
    shown = mei.get("/groups/mei/reliability").json
    assert (shown["kept_percent"], shown["excused"], shown["history"][0]["excuse"]) == (None, 2, "I am ill")


def test_a_question_must_be_answered_by_the_creator_in_time(
    mei: Browser, town: Town, browser: Callable[[], Browser]
) -> None:
    promised = promise(mei, kind="answer_time", count=12, grace_hours=0)
    with unit_of_work() as session:
        a_member(session, town.group, town.ana)
    channel = mei.get("/groups/mei/channels").json["items"][0]["id"]
    qa = mei.post(f"/channels/{channel}/qa", {"title": "Ask me", "anonymous_allowed": False}).json["id"]
    ana = browser()
    ana.sign_in("ana")
    one, two = bounds(promised, 1), bounds(promised, 2)
    at(one.from_at + timedelta(hours=1))
    asked = ana.post(f"/qa/{qa}/questions", {"text": "Which flour?"}).json["id"]
    at(one.from_at + timedelta(hours=12))
    answered = mei.post(f"/questions/{asked}/answer", {"text": "Type 550"})
    assert answered.status_code == 200, answer_text(answered)
    at(two.from_at + timedelta(hours=20))
    assert states(promised)[0] == "kept"
    ana.post(f"/qa/{qa}/questions", {"text": "Which butter?"})
    at(two.until_at + timedelta(hours=1))
    assert states(promised)[1] == "at_risk"  # twelve hours are not over
    at(two.until_at + timedelta(hours=9))
    assert states(promised)[1] == "missed"


def answer_text(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def test_days_are_those_of_the_promises_own_place(mei: Browser, town: Town) -> None:
    promised = promise(mei, timezone="Pacific/Auckland", every="week", count=7)
    first = bounds(promised, 1)
    assert first.from_at.astimezone(ZoneInfo("Pacific/Auckland")).weekday() == 0
    at(first.from_at)
    for _ in range(7):
        writes(town, town.mei)
        let_pass(1)
    judge()
    assert states(promised)[0] == "kept"


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"kind": "session"}, "kind"),
        ({"kind": "dance"}, "kind"),
        ({"remedy": "credit"}, "remedy"),
        ({"remedy": "exit"}, "remedy"),
        ({"count": 2}, "count"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"remedy": "refund", "remedy_value": 101}, "remedy_value"),
        ({"grace_hours": -1}, "grace_hours"),
    ],
)
def test_what_cannot_be_kept_is_refused(mei: Browser, terms: dict[str, Any], field: str) -> None:
    answer = mei.post("/groups/mei/promises", DAILY | terms)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_only_the_creator_promises_and_everybody_may_read(mei: Browser, browser: Callable[[], Browser]) -> None:
    promised = promise(mei)
    ana = browser()
    ana.sign_in("ana")
    assert ana.post("/groups/mei/promises", DAILY).status_code == 403
    assert ana.post(f"/promises/{promised['id']}/periods/1/excuse", {"reason": "x"}).status_code == 403
    nobody = browser()
    assert nobody.get("/groups/mei/reliability").json["promises"] == ["to write on 1 days every day"]
    assert nobody.get("/groups/mei/promises").json["items"][0]["id"] == promised["id"]
    assert nobody.get(f"/promises/{promised['id']}/periods").json["items"] == []
    passcode = mei.post("/groups/mei/invites").json["passcode"]
    assert "to write on 1 days every day" in nobody.page(f"/join/{passcode}").get_data(as_text=True)
