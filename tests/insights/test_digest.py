"""The weekly letter says what the dashboard says, on Monday morning where the group lives, once."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import select

from creator_hub.core import clock, mail
from creator_hub.core.db import unit_of_work
from creator_hub.core.outbox import OutboxMessage
from creator_hub.groups.models import Group
from creator_hub.web import digest
from tests.support.subscribers import Town, catch_up, subscribe
from tests.support.world import a_member
from workers import jobs

TOKYO = ZoneInfo("Asia/Tokyo")


def test_the_letter_comes_once_on_monday_morning_where_the_group_lives(app: Flask, town: Town) -> None:
    with unit_of_work() as session:
        session.get_one(Group, town.group.id).timezone = "Asia/Tokyo"
        here = clock.now().astimezone(TOKYO)
        monday = datetime.combine(here.date() + timedelta(days=7 - here.weekday()), here.time(), TOKYO)
        clock.advance(session, monday.replace(hour=7, minute=0, second=0) - clock.now())
        a_member(session, town.group, town.ana)
        subscribe(session, town.group, town.bo, town.monthly)
    catch_up()
    with unit_of_work() as session:
        assert digest.ask_due(session) == 0
        clock.advance(session, timedelta(hours=1, minutes=1))
        assert digest.ask_due(session) == 1
        assert digest.ask_due(session) == 1
        (asked,) = session.scalars(select(OutboxMessage.id).where(OutboxMessage.topic == digest.TOPIC)).all()
    jobs.run(str(asked))
    with unit_of_work() as session:
        (letter,) = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == mail.TOPIC)).all()
    assert letter.payload["to"] == "mei@example.test"
    for line in ("Members: 2, of whom 1 pay", "Recurring revenue a month: 5.00 USD", "2 joined and 0 left"):
        assert line in letter.payload["text"]
