"""Facts made again from the sources are the facts that were written day by day, whatever happened."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from creator_hub import cli
from creator_hub.accounts.models import User
from creator_hub.chat.service import send
from creator_hub.core import clock
from creator_hub.core.access import Principal
from creator_hub.core.db import unit_of_work
from creator_hub.core.ids import new_id
from creator_hub.core.outbox import OutboxMessage
from creator_hub.groups import entitlements, moderation, service
from creator_hub.groups.models import Group
from creator_hub.groups.standing import standing_of
from creator_hub.insights import cohorts, history, queries, revenue, writing
from creator_hub.insights.facts import STATES, status_at
from creator_hub.insights.models import ActivityDay, ActivityRollup, DailyRollup, MembershipStep
from creator_hub.insights.periods import periods_up_to, start_of
from creator_hub.insights.reading import BY, changes, moment_of, per_month
from creator_hub.insights.rollups import JOINED, PAID
from creator_hub.insights.service import COUNT, REFRESH, ask_for_count, ask_for_refresh, rebuild, refresh
from creator_hub.money.billing_models import Payment, Subscription
from tests.support.client import Browser
from tests.support.subscribers import Town, catch_up, end, let_pass, pay, subscribe
from tests.support.world import a_member, as_actor, the_general_channel

DAYS = 20


def everything(session: Session, group: Group) -> dict[str, list[tuple[object, ...]]]:
    """Every row of facts and rollups of the group, by table."""
    found = {}
    for model in (*writing.PERSONAL, *writing.ROLLUPS.values(), ActivityDay, ActivityRollup):
        columns = [column for column in model.__table__.columns if column.name != "group_id"]
        rows = session.execute(select(*columns).where(model.__table__.c.group_id == group.id))
        found[model.__tablename__] = sorted((tuple(row) for row in rows), key=str)
    return found


def something_happens(session: Session, town: Town, fan: User, luck: random.Random) -> None:
    """One of the things that can happen to a fan, if it can happen to this one now."""
    group = town.group
    standing = standing_of(session, group, fan.id)
    alive = session.scalars(
        select(Subscription).where(Subscription.user_id == fan.id, Subscription.state != "ended")
    ).one_or_none()
    if luck.random() < 0.1:
        if Principal.BANNED in standing.principals:
            moderation.unban(session, as_actor(town.mei), group, fan.id)
        else:
            of_mei = standing_of(session, group, as_actor(town.mei))
            until = luck.choice([None, clock.now() + timedelta(days=2)])
            moderation.ban(session, as_actor(town.mei), group, of_mei, user_id=fan.id, reason="Spam", until=until)
    elif alive is not None:
        if alive.current_period_end <= clock.now() and luck.random() < 0.6:
            pay(session, group, alive)
        elif luck.random() < 0.3:
            end(session, alive, luck.choice(["cancelled", "refunded", "payment_failed"]))
    elif standing.role == "member":
        entitlements.remove_person(session, group, fan.id, "left")
    elif Principal.BANNED not in standing.principals:
        if luck.random() < 0.5:
            service.grant_free(session, group, fan.id)
        else:
            subscribe(session, group, fan, luck.choice([town.monthly, town.yearly]))


def status_of_all(session: Session, group: Group, at: datetime) -> tuple[Counter[str], int]:
    """Who is what at a moment and what they pay by the year, straight from the sources, one person after the other."""
    states: Counter[str] = Counter()
    annual = 0
    for user_ids in history.everybody(session, group.id):
        for found in history.of_people(session, group.id, user_ids):
            status = status_at(found, at)
            states[status.state] += 1
            annual += status.annual_minor
    return states, annual


ZONES = ("UTC", "Asia/Tokyo", "America/New_York")


@pytest.mark.parametrize("seed", range(len(ZONES)))
def test_rebuilt_facts_are_the_facts_written_as_things_happened(town: Town, seed: int) -> None:
    luck = random.Random(seed)  # noqa: S311 - a story to replay, no secret
    with unit_of_work() as session:
        session.get_one(Group, town.group.id).timezone = ZONES[seed]
        channel = the_general_channel(session, town.group).id
    for day in range(DAYS):
        with unit_of_work() as session:
            for fan in luck.sample(town.fans, 2):
                something_happens(session, town, fan, luck)
            if standing_of(session, town.group, town.bo.id).is_inside:
                send(session, as_actor(town.bo), channel, client_msg_id=new_id(), text="Hello")
        let_pass(luck.choice([0.3, 1, 1.4]))
        if luck.random() < 0.7:
            catch_up()
        if day == DAYS // 2:
            with unit_of_work() as session:
                some_payment_comes_to_light(session, luck)
    catch_up()
    with unit_of_work() as session:
        written = everything(session, town.group)
        rebuild(session, town.group.id)
        assert everything(session, town.group) == written
    assert all(written.values())
    figures_agree_with_the_sources(town, luck)


def some_payment_comes_to_light(session: Session, luck: random.Random) -> None:
    """News of long ago: a payment was of another amount than was known."""
    payments = session.scalars(select(Payment).order_by(Payment.paid_at)).all()
    if payments:
        payment = luck.choice(payments)
        payment.gross_minor, payment.creator_minor = payment.gross_minor + 100, payment.creator_minor + 100


def figures_agree_with_the_sources(town: Town, luck: random.Random) -> None:
    """The levels of every day and of every month end, recomputed without a rollup."""
    with unit_of_work() as session:
        group = session.get_one(Group, town.group.id)
        moment = moment_of(session, group)
        first = moment.today - timedelta(days=DAYS)
        days = queries.days_of(group, changes(session, group, moment, since=first), first, moment.today)
        for day in luck.sample(days[:-1], 5):
            end = start_of(day.day + timedelta(days=1), moment.zone) - timedelta(microseconds=1)
            states, annual = status_of_all(session, group, end)
            assert (day.paying, day.members) == (states["paying"], sum(states.values()) - states["gone"])
            assert day.mrr == per_month(group, annual)
        states, annual = status_of_all(session, group, moment.as_of)
        shown = queries.overview(session, group, moment, 30)
        assert shown.members == {state: states[state] for state in STATES}
        assert shown.mrr == per_month(group, annual)
        for basis, counted in ((JOINED, sum(states.values()) - states["gone"]), (PAID, states["paying"])):
            for grain in ("month", "week"):
                periods = periods_up_to(moment.today, 12, grain)
                rows = cohorts.table(session, group, moment, periods, basis=basis, grain=grain)
                assert sum(row.retained[-1] for row in rows) == counted
        for by in BY:
            months = revenue.by_month(session, group, moment, periods_up_to(moment.today, 3), by)
            assert (
                sum(row.paying for row in months if row.month == periods_up_to(moment.today, 1)[0]) == states["paying"]
            )


def test_each_change_asks_for_one_refresh_and_a_refresh_leaves_nothing_to_do(town: Town) -> None:
    with unit_of_work() as session:
        a_member(session, town.group, town.ana)
    with unit_of_work() as session:
        assert ask_for_refresh(session) == 1
        assert ask_for_refresh(session) == 1
        asked = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == REFRESH)).all()
        assert len(asked) == 1
        assert refresh(session, town.group.id) == 1
        assert refresh(session, town.group.id) == 0
        assert ask_for_refresh(session) == 0


def test_activity_is_counted_again_while_there_is_some_and_once_the_hour_is_over(town: Town) -> None:
    catch_up()
    with unit_of_work() as session:
        assert ask_for_count(session) == 0
    let_pass(0.05)
    with unit_of_work() as session:
        assert ask_for_count(session) == 1
        assert ask_for_count(session) == 1
        assert len(session.scalars(select(OutboxMessage).where(OutboxMessage.topic == COUNT)).all()) == 1


def test_another_time_zone_means_other_days(town: Town) -> None:
    with unit_of_work() as session:
        subscribe(session, town.group, town.bo, town.monthly)
    catch_up()
    with unit_of_work() as session:
        before = everything(session, town.group)
        session.get_one(Group, town.group.id).timezone = "Pacific/Kiritimati"
    catch_up()
    with unit_of_work() as session:
        after = everything(session, town.group)
        rebuild(session, town.group.id)
        assert everything(session, town.group) == after
    assert before.keys() == after.keys()


def test_reading_writes_nothing(app: Flask, town: Town, browser: Callable[[], Browser]) -> None:
    with unit_of_work() as session:
        subscribe(session, town.group, town.bo, town.monthly)
    catch_up()
    mei = browser()
    mei.sign_in("mei")
    with unit_of_work() as session:
        before = session.execute(WRITES).all()
    for report in ("overview", "revenue", "cohorts", "churn"):
        assert mei.get(f"/groups/mei/insights/{report}").status_code == 200
    assert mei.page("/g/mei/dashboard").status_code == 200
    with unit_of_work() as session:
        assert session.execute(WRITES).all() == before


# Rows as they were written: a row that was only rewritten shows another transaction.
WRITES = text(
    "SELECT xmin::text, 'steps' FROM membership_steps UNION ALL SELECT xmin::text, 'days' FROM daily_rollups "
    "UNION ALL SELECT xmin::text, 'cohorts' FROM cohort_rollups UNION ALL SELECT xmin::text, 'progress' FROM "
    "fact_progress UNION ALL SELECT xmin::text, 'activity' FROM activity_rollups ORDER BY 1, 2"
)


def test_an_operator_rebuilds_what_was_damaged(app: Flask, town: Town) -> None:
    with unit_of_work() as session:
        subscribe(session, town.group, town.bo, town.monthly)
    let_pass(3)
    catch_up()
    with unit_of_work() as session:
        written = everything(session, town.group)
        session.execute(delete(DailyRollup))
        session.execute(delete(MembershipStep))
    cli.install(app)
    answer = app.test_cli_runner().invoke(args=["retention", "rebuild", "--group", "mei"])
    assert answer.output == "groups rebuilt: 1\n"
    with unit_of_work() as session:
        assert everything(session, town.group) == written
