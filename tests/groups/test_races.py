"""Limits hold when thirty people press the button at once: never limit + 1, never a double."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from creator_hub.accounts.models import User
from creator_hub.core import clock, db
from creator_hub.core.access import Permission
from creator_hub.core.db import unit_of_work
from creator_hub.core.errors import HubError
from creator_hub.core.ids import new_id
from creator_hub.groups import doors, entitlements, invites, moderation, service
from creator_hub.groups.models import Entitlement, Group, Invite, Membership
from creator_hub.groups.standing import standing_of
from tests.support.world import a_group, a_person, a_tier, as_actor

CROWD = 30


def fans(owner: User) -> list[User]:
    """Thirty people; their passwords never matter here, so they share the owner's hash."""
    crowd = [
        User(
            id=new_id(),
            email=f"fan{n}@example.test",
            handle=f"fan{n}",
            display_name=f"Fan {n}",
            password_hash=owner.password_hash,
            roles=[],
            settings={},
            created_at=clock.now(),
        )
        for n in range(CROWD)
    ]
    with unit_of_work() as session:
        session.add_all(crowd)
    return crowd


def all_at_once(act: Callable[[int], object]) -> Counter[str]:
    """Run `act(0) … act(29)`, each in a thread and a transaction of its own; counts outcomes by error code."""
    gate = threading.Barrier(CROWD)

    def one(number: int) -> str:
        gate.wait()
        try:
            act(number)
        except HubError as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(CROWD) as pool:
        return Counter(pool.map(one, range(CROWD)))


@pytest.fixture
def crowded(database: str) -> tuple[User, Group]:
    db.configure(database, pool_size=CROWD)
    with unit_of_work() as session:
        mei = a_person(session, "mei")
        return mei, a_group(session, mei)


def test_thirty_joins_for_seven_seats_fill_seven(crowded: tuple[User, Group]) -> None:
    mei, group = crowded
    crowd = fans(mei)
    with unit_of_work() as session:
        silver = a_tier(session, group, seat_limit=7)

    def buy(number: int) -> None:
        with unit_of_work() as session:
            entitlements.grant(
                session,
                group_id=group.id,
                user_id=crowd[number].id,
                tier_id=silver.id,
                source="subscription",
                source_id=f"sub {number}",
                starts_at=clock.now(),
            )

    assert all_at_once(buy) == {"done": 7, "tier_full": CROWD - 7}
    with unit_of_work() as session:
        assert entitlements.seats_taken(session, [silver.id]) == {silver.id: 7}
        assert session.scalar(select(func.count()).select_from(Membership)) == 7


def test_a_passcode_for_five_lets_five_of_thirty_in(crowded: tuple[User, Group]) -> None:
    mei, group = crowded
    crowd = fans(mei)
    with unit_of_work() as session:
        terms = {"max_uses": 5, "expires_at": None, "tier_id": None, "campaign": "poster"}
        invite = invites.create_invite(session, as_actor(mei), group, standing_of(session, group, mei.id), **terms)

    def redeem(number: int) -> None:
        with unit_of_work() as session:
            actor = as_actor(crowd[number])
            door = doors.invite_by_passcode(session, actor, invite.passcode.lower(), Permission.JOIN)
            invites.redeem(session, actor, door.group, door.invite)

    assert all_at_once(redeem) == {"done": 5, "invite_used_up": CROWD - 5}
    with unit_of_work() as session:
        assert session.scalar(select(Invite.uses)) == 5
        assert list(session.scalars(select(Membership.campaign))) == ["poster"] * 5


def test_a_button_pressed_thirty_times_is_one_membership(crowded: tuple[User, Group]) -> None:
    mei, group = crowded
    ana = fans(mei)[0]

    def join(_: int) -> None:
        with unit_of_work() as session:
            service.join_free(session, as_actor(ana), group)

    assert all_at_once(join) == {"done": 1, "already_member": CROWD - 1}
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(Entitlement)) == 1


def test_nobody_slips_in_while_being_banned(crowded: tuple[User, Group]) -> None:
    mei, group = crowded
    ana = fans(mei)[0]

    def act(number: int) -> None:
        with unit_of_work() as session:
            if number == CROWD // 2:
                staff = standing_of(session, group, mei.id)
                moderation.ban(session, as_actor(mei), group, staff, user_id=ana.id, reason="Spam", until=None)
            else:
                service.join_free(session, as_actor(ana), group)

    all_at_once(act)
    with unit_of_work() as session:
        assert standing_of(session, group, ana.id).rank == -1
        assert session.scalar(select(func.count()).where(Membership.left_at.is_(None))) == 0
