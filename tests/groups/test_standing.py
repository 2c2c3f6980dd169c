"""What a person is in a group: f(entitlement intervals, now)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from creator_hub.core import clock
from creator_hub.core.access import Actor, Permission, Principal
from creator_hub.core.db import unit_of_work
from creator_hub.core.errors import NotAllowed, NotFound, SignInRequired
from creator_hub.core.ids import new_id
from creator_hub.groups import doors, entitlements, moderation
from creator_hub.groups.intervals import Interval, best_at, covered_until
from creator_hub.groups.models import Tier
from creator_hub.groups.standing import OWNER_RANK, standing_of
from tests.support.world import a_channel, a_group, a_member, a_person, a_tier, as_actor, the_general_channel

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)
FREE, SILVER, GOLD = (Tier(rank=rank, price_minor=rank * 500) for rank in range(3))

pytestmark = pytest.mark.usefixtures("database")


def held(tier: Tier, first: int, last: int | None) -> Interval:
    return Interval(tier, "subscription", MONDAY + first * DAY, None if last is None else MONDAY + last * DAY)


def test_the_highest_tier_that_contains_now_counts_and_its_end_does_not_belong_to_it() -> None:
    intervals = [held(FREE, 0, None), held(GOLD, 0, 10), held(SILVER, 0, 20)]
    assert [getattr(best_at(intervals, MONDAY + day * DAY), "tier", None) for day in (-1, 9, 10, 20)] == [
        None,
        GOLD,
        SILVER,
        FREE,
    ]


def test_back_to_back_intervals_are_one_stretch_of_access() -> None:
    intervals = [held(SILVER, 0, 10), held(GOLD, 10, 20), held(SILVER, 21, 30)]
    assert covered_until(intervals, 1, MONDAY) == MONDAY + 20 * DAY
    assert covered_until(intervals, 2, MONDAY + 12 * DAY) == MONDAY + 20 * DAY
    assert covered_until([*intervals, held(FREE, 5, None)], 0, MONDAY) is None
    assert covered_until([], 0, MONDAY) == MONDAY


def test_the_owner_outranks_every_tier_and_a_stranger_has_none() -> None:
    with unit_of_work() as session:
        mei, ana = a_person(session, "mei"), a_person(session, "ana")
        group = a_group(session, mei)
        owner, stranger = standing_of(session, group, mei.id), standing_of(session, group, as_actor(ana))
    assert (owner.role, owner.rank) == ("creator", OWNER_RANK)
    assert (stranger.role, stranger.rank, stranger.principals) == ("none", -1, {Principal.SIGNED_IN})


def test_a_paid_tier_that_runs_out_leaves_the_free_one_and_without_it_nothing() -> None:
    with unit_of_work() as session:
        mei, ana, bo = (a_person(session, handle) for handle in ("mei", "ana", "bo"))
        group = a_group(session, mei)
        silver = a_tier(session, group)
        lounge = a_channel(session, group, min_tier_rank=1)
        a_member(session, group, ana)
        for fan in (ana, bo):
            a_member(session, group, fan, tier=silver, lasts=DAY)
        assert doors.channel_by_id(session, as_actor(ana), lounge.id, Permission.READ_CHANNEL).standing.rank == 1
        clock.advance(session, 2 * DAY)
        fallen, lapsed = standing_of(session, group, ana.id), standing_of(session, group, bo.id)
        assert fallen.rank == 0
        assert Principal.MEMBER in fallen.principals
        assert Principal.LAPSED in lapsed.principals
        assert Principal.MEMBER not in lapsed.principals
        general = the_general_channel(session, group)
        assert doors.channel_by_id(session, as_actor(ana), general.id, Permission.READ_CHANNEL)
        with pytest.raises(NotAllowed) as refused:
            doors.channel_by_id(session, as_actor(ana), lounge.id, Permission.READ_CHANNEL)
        assert refused.value.code == "tier"
        with pytest.raises(NotFound):
            doors.channel_by_id(session, as_actor(bo), general.id, Permission.READ_CHANNEL)


def test_access_to_a_channel_ends_when_the_tier_that_opens_it_does() -> None:
    with unit_of_work() as session:
        mei, ana = a_person(session, "mei"), a_person(session, "ana")
        group = a_group(session, mei)
        lounge = a_channel(session, group, min_tier_rank=1)
        a_member(session, group, ana)
        starts_at = clock.now()
        a_member(session, group, ana, tier=a_tier(session, group), starts_at=starts_at, lasts=DAY)
        enter = [
            doors.channel_by_id(session, as_actor(ana), channel.id, Permission.POST).standing.access_until
            for channel in (the_general_channel(session, group), lounge)
        ]
    assert enter == [None, starts_at + DAY]


def test_a_moderator_sees_every_channel_even_when_their_own_tier_lapsed() -> None:
    with unit_of_work() as session:
        mei, ana = a_person(session, "mei"), a_person(session, "ana")
        group = a_group(session, mei)
        lounge = a_channel(session, group, min_tier_rank=5)
        a_member(session, group, ana, tier=a_tier(session, group), lasts=DAY)
        moderation.make_moderator(session, as_actor(mei), group, ana.id)
        clock.advance(session, 2 * DAY)
        standing = doors.channel_by_id(session, as_actor(ana), lounge.id, Permission.MODERATE).standing
    assert standing.role == "moderator"
    assert {Principal.MODERATOR, Principal.LAPSED} <= standing.principals


def test_a_channel_that_is_private_and_one_that_does_not_exist_look_the_same() -> None:
    with unit_of_work() as session:
        mei, ana = a_person(session, "mei"), a_person(session, "ana")
        general = the_general_channel(session, a_group(session, mei))
        for channel_id in (general.id, new_id()):
            with pytest.raises(NotFound):
                doors.channel_by_id(session, as_actor(ana), channel_id, Permission.READ_CHANNEL)
            with pytest.raises(SignInRequired):
                doors.channel_by_id(session, Actor(), channel_id, Permission.READ_CHANNEL)


def test_a_hidden_group_does_not_exist_for_strangers_but_finance_reaches_its_payments() -> None:
    with unit_of_work() as session:
        mei, ana, bo, fay = (a_person(session, handle) for handle in ("mei", "ana", "bo", "fay"))
        fay.roles = ["finance"]
        group = a_group(session, mei, hidden=True)
        a_member(session, group, bo)
        for permission in (Permission.SEE_PUBLIC, Permission.JOIN, Permission.MANAGE_GROUP):
            with pytest.raises(NotFound):
                doors.group_by_handle(session, as_actor(ana), "mei", permission)
        with pytest.raises(NotFound):
            doors.group_by_handle(session, as_actor(fay), "mei", Permission.SEE_PUBLIC)
        assert doors.group_by_handle(session, as_actor(fay), "mei", Permission.SEE_EARNINGS)
        assert doors.group_by_handle(session, as_actor(bo), "mei", Permission.SEE_PUBLIC)


def test_a_suspended_member_is_nothing_but_suspended() -> None:
    with unit_of_work() as session:
        mei, ana = a_person(session, "mei"), a_person(session, "ana")
        group = a_group(session, mei)
        a_member(session, group, ana)
        ana.suspended_at = clock.now()
        standing = standing_of(session, group, as_actor(ana))
    assert (standing.principals, standing.rank) == ({Principal.SUSPENDED}, -1)


def test_a_person_who_left_keeps_what_they_paid_for_and_finds_it_again() -> None:
    with unit_of_work() as session:
        mei, ana = a_person(session, "mei"), a_person(session, "ana")
        group = a_group(session, mei)
        a_member(session, group, ana, tier=a_tier(session, group), lasts=30 * DAY)
        entitlements.remove_person(session, group, ana.id, "left")
        assert standing_of(session, group, ana.id).rank == -1
        a_member(session, group, ana)
        assert standing_of(session, group, ana.id).rank == 1
