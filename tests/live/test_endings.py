"""Sockets whose credential's time is over are closed, and nobody who went away keeps a seat."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
import time_machine

from creator_hub.accounts import service, sessions
from creator_hub.accounts.models import User
from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from creator_hub.core.ids import new_id
from creator_hub.live.fanout import Fanout
from creator_hub.live.seats import Connection, Seats
from tests.live.test_seats import Paper
from tests.support.world import a_group, a_person, the_general_channel


class Closing(Paper):
    """A wire that remembers whom it was told to close."""

    def __init__(self) -> None:
        super().__init__()
        self.closed: list[str] = []

    def close(self, sid: str) -> None:
        super().close(sid)
        self.closed.append(sid)


class House:
    """Mei in her own general channel, on one process."""

    def __init__(self) -> None:
        self.seats, self.wire = Seats(), Closing()
        self.fanout = Fanout(self.seats, self.wire)
        with unit_of_work() as session:
            mei = a_person(session, "mei")
            self.channel = the_general_channel(session, a_group(session, mei)).id
            self.session_id = sessions.begin(session, mei, user_agent="", address="")[0].id
            self.mei = mei.id
        self.fanout.pump()

    def connect(self, *, session_id: uuid.UUID | None = None, token_id: uuid.UUID | None = None) -> Connection:
        with unit_of_work() as session:
            ends_at = sessions.ends_at(session, session_id, token_id)
        socket = Connection(uuid.uuid4().hex, self.mei, session_id, token_id, "", {}, ends_at)
        self.seats.connect(socket)
        self.seats.take(socket, self.channel, after=0, head=0, access_until=None)
        return socket

    def pump_at(self, moment: datetime) -> None:
        with time_machine.travel(moment, tick=False):
            self.fanout.pump()


@pytest.fixture
def house(database: str) -> House:
    return House()


def test_a_session_that_ends_by_time_closes_its_sockets(house: House) -> None:
    began = clock.now()
    socket = house.connect(session_id=house.session_id)
    house.pump_at(began + sessions.LIFETIME - timedelta(hours=1))
    assert house.wire.closed == []
    house.pump_at(began + sessions.LIFETIME + timedelta(hours=1))
    assert house.wire.closed == [socket.sid]
    told = {"channel_id": str(house.channel), "reason": "signed_out"}
    assert ("access.revoked", told) in house.wire.given[socket.sid]
    assert house.seats.in_channel(house.channel) == []


def test_a_session_that_was_used_meanwhile_lives_on(house: House) -> None:
    began = clock.now()
    house.connect(session_id=house.session_id)
    with time_machine.travel(began + timedelta(days=20), tick=False), unit_of_work() as session:
        row = session.get_one(sessions.UserSession, house.session_id)
        row.seen_at, row.expires_at = clock.now(), clock.now() + sessions.LIFETIME
    house.pump_at(began + sessions.LIFETIME + timedelta(days=1))
    assert house.wire.closed == []
    house.pump_at(began + sessions.LIFETIME + timedelta(days=21))
    assert len(house.wire.closed) == 1


def test_a_token_that_ends_by_time_closes_its_sockets_and_one_without_an_end_does_not(house: House) -> None:
    ends = clock.now() + timedelta(hours=1)
    with unit_of_work() as session:
        mei = session.get_one(User, house.mei)
        short = service.create_token(session, mei.id, "short", ends)[0].id
        long = service.create_token(session, mei.id, "long")[0].id
    first, _ = house.connect(token_id=short), house.connect(token_id=long)
    house.pump_at(ends + timedelta(seconds=1))
    assert house.wire.closed == [first.sid]
    house.pump_at(ends + timedelta(days=400))
    assert house.wire.closed == [first.sid]


def test_a_socket_that_dies_while_the_door_is_asked_leaves_no_seat(house: House) -> None:
    socket = Connection("gone", house.mei, new_id(), None, "", {})
    house.seats.connect(socket)
    house.seats.disconnect("gone")
    seat = house.seats.take(socket, house.channel, after=0, head=3, access_until=clock.now())
    assert seat.closed
    assert house.seats.in_channel(house.channel) == []
    assert house.channel not in house.seats.positions
    assert socket.seats == {}
