"""Facts made again from the sources are the facts that were written day by day, whatever happened."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from creator_hub import cli
from creator_hub.accounts.models import User
from creator_hub.core import clock
from creator_hub.core.access import Principal
from creator_hub.core.db import unit_of_work
from creator_hub.groups import entitlements, moderation, service
from creator_hub.groups.models import Group
from creator_hub.groups.standing import standing_of
from creator_hub.insights.models import MembershipFact
from creator_hub.insights.service import bring_up_to_date, rebuild, write_due
from creator_hub.money.billing_models import Subscription
from tests.support.subscribers import Town, end, let_pass, pay, subscribe
from tests.support.world import a_member, as_actor

DAYS = 30


def facts(session: Session, group: Group) -> list[tuple[object, ...]]:
    columns = [column for column in MembershipFact.__table__.columns if column.name != "group_id"]
    query = select(*columns).where(MembershipFact.group_id == group.id)
    return [tuple(row) for row in session.execute(query.order_by(MembershipFact.day, MembershipFact.user_id))]


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


@pytest.mark.parametrize("seed", range(3))
def test_rebuilt_facts_are_the_facts_written_day_by_day(town: Town, seed: int) -> None:
    luck = random.Random(seed)  # noqa: S311 - a story to replay, no secret
    for _ in range(DAYS):
        with unit_of_work() as session:
            for fan in luck.sample(town.fans, 2):
                something_happens(session, town, fan, luck)
        let_pass(luck.choice([0.3, 1, 1.4]))
        with unit_of_work() as session:
            bring_up_to_date(session, town.group.id)
    with unit_of_work() as session:
        written = facts(session, town.group)
        rebuild(session, town.group.id)
        again = facts(session, town.group)
    assert written
    # The last day is still running: the rebuilt one is seen a moment later, with nothing between.
    assert again == written


def test_the_worker_closes_each_day_once_and_catches_up_after_a_pause(town: Town) -> None:
    with unit_of_work() as session:
        a_member(session, town.group, town.ana)
        assert write_due(session) == 1
        assert write_due(session) == 0
    let_pass(5)
    with unit_of_work() as session:
        assert write_due(session) == 1
        assert write_due(session) == 0
        assert [row[2:4] for row in facts(session, town.group)].count((row_tier(session, town), "free")) == 6


def test_an_operator_rebuilds_what_was_damaged(app: Flask, town: Town) -> None:
    with unit_of_work() as session:
        subscribe(session, town.group, town.bo, town.monthly)
    let_pass(3)
    with unit_of_work() as session:
        bring_up_to_date(session, town.group.id)
        written = facts(session, town.group)
        session.execute(delete(MembershipFact))
    cli.install(app)
    answer = app.test_cli_runner().invoke(args=["retention", "rebuild", "--group", "mei"])
    assert answer.output == "groups rebuilt: 1\n"
    with unit_of_work() as session:
        assert facts(session, town.group) == written


def row_tier(session: Session, town: Town) -> object:
    return service.free_tier(session, town.group).id
