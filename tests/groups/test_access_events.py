"""What the channels and the account log hear when access changes."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from creator_hub import streams
from creator_hub.accounts.models import User
from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from creator_hub.groups import channels, entitlements, moderation, service
from creator_hub.groups.models import Channel, Group, Tier
from creator_hub.groups.standing import standing_of
from tests.support.world import a_channel, a_group, a_member, a_person, a_tier, as_actor, the_general_channel

DAY = timedelta(days=1)
pytestmark = pytest.mark.usefixtures("database")


def heard(session: Session, stream_id: uuid.UUID) -> list[tuple[str, str | None]]:
    """(kind, reason of the eviction) of every event."""
    events = streams.read_after(session, stream_id, 0, 100)
    return [(event.kind, event.evicts["reason"] if event.evicts else None) for event in events]


def granted(session: Session, user: User) -> list[str]:
    """The channels that the account log granted this person, in order."""
    events = streams.read_after(session, streams.ACCOUNT_LOG, 0, 100)
    return [event.data["channel_id"] for event in events if event.data.get("user_id") == str(user.id)]


def a_world(session: Session) -> tuple[User, User, Group, Channel, Channel, Tier]:
    mei, ana = a_person(session, "mei"), a_person(session, "ana")
    group = a_group(session, mei)
    silver = a_tier(session, group)
    return mei, ana, group, the_general_channel(session, group), a_channel(session, group, min_tier_rank=1), silver


def test_joining_is_seen_in_the_channels_one_may_enter_and_only_there() -> None:
    with unit_of_work() as session:
        _, ana, group, general, lounge, _ = a_world(session)
        a_member(session, group, ana)
        event = streams.read_after(session, general.id, 0, 10)[0]
        assert event.kind == "member.joined"
        assert event.data == {"user": {"id": str(ana.id), "handle": "ana", "display_name": "Ana"}}
        assert heard(session, lounge.id) == []
        assert granted(session, ana) == [str(general.id)]


def test_paying_opens_the_tier_channel_and_tells_the_open_page() -> None:
    with unit_of_work() as session:
        _, ana, group, general, lounge, silver = a_world(session)
        a_member(session, group, ana)
        a_member(session, group, ana, tier=silver, lasts=30 * DAY)
        assert granted(session, ana) == [str(general.id), str(lounge.id)]
        assert heard(session, lounge.id) == [("member.joined", None)]
        last = streams.read_after(session, streams.ACCOUNT_LOG, 0, 100)[-1]
        assert last.data["group"] == {"id": str(group.id), "handle": "mei", "name": "Mei"}


def test_granting_the_same_thing_twice_is_one_grant_and_a_renewal_is_not_announced() -> None:
    with unit_of_work() as session:
        _, ana, group, _, lounge, silver = a_world(session)
        terms = {"group_id": group.id, "user_id": ana.id, "tier_id": silver.id, "source": "subscription"}
        at = clock.now()
        first = entitlements.grant(session, **terms, source_id="sub", starts_at=at, ends_at=at + 30 * DAY)
        again = entitlements.grant(session, **terms, source_id="sub", starts_at=at, ends_at=at + 60 * DAY)
        assert first.id == again.id
        assert standing_of(session, group, ana.id).access_until == at + 60 * DAY
        assert heard(session, lounge.id) == [("member.joined", None)]


@pytest.mark.parametrize(
    ("reason", "shown"), [("refunded", "refunded"), ("disputed", "disputed"), ("payment_failed", "expired")]
)
def test_ending_a_paid_tier_evicts_from_its_channels_at_once_and_tells_nobody_why(reason: str, shown: str) -> None:
    with unit_of_work() as session:
        _, ana, group, general, lounge, silver = a_world(session)
        a_member(session, group, ana)
        a_member(session, group, ana, tier=silver, source_id="sub", lasts=30 * DAY)
        for _ in range(2):
            entitlements.end(session, "subscription", "sub", clock.now(), reason)
        assert heard(session, lounge.id) == [("member.joined", None), ("member.left", shown)]
        assert streams.read_after(session, lounge.id, 1, 1)[0].data == {"user_id": str(ana.id)}
        assert heard(session, general.id) == [("member.joined", None)]


def test_ending_what_was_never_granted_does_nothing() -> None:
    with unit_of_work() as session:
        assert entitlements.end(session, "subscription", "unknown", clock.now(), "expired") is None


def test_a_tier_that_runs_out_by_itself_is_announced_once() -> None:
    with unit_of_work() as session:
        _, ana, group, general, lounge, silver = a_world(session)
        a_member(session, group, ana)
        a_member(session, group, ana, tier=silver, lasts=DAY)
        assert entitlements.announce_expired(session) == 0
        clock.advance(session, 2 * DAY)
        assert [entitlements.announce_expired(session) for _ in range(2)] == [1, 0]
        assert heard(session, lounge.id)[-1] == ("member.left", "expired")
        assert heard(session, general.id) == [("member.joined", None)]


def test_who_renewed_in_time_is_not_said_to_have_left() -> None:
    with unit_of_work() as session:
        _, ana, group, _, lounge, silver = a_world(session)
        a_member(session, group, ana, tier=silver, source_id="old", lasts=DAY)
        a_member(session, group, ana, tier=silver, source_id="new", lasts=30 * DAY)
        clock.advance(session, 2 * DAY)
        assert entitlements.announce_expired(session) == 1
        assert heard(session, lounge.id) == [("member.joined", None)]


def test_leaving_evicts_from_every_channel() -> None:
    with unit_of_work() as session:
        _, ana, group, general, lounge, silver = a_world(session)
        a_member(session, group, ana, tier=silver)
        service.leave(session, as_actor(ana), group)
        assert [heard(session, channel.id)[-1] for channel in (general, lounge)] == [("member.left", "left")] * 2


def test_a_ban_evicts_at_once_and_a_payment_that_arrives_later_opens_nothing() -> None:
    with unit_of_work() as session:
        mei, ana, group, general, _, silver = a_world(session)
        a_member(session, group, ana)
        staff = standing_of(session, group, mei.id)
        moderation.ban(session, as_actor(mei), group, staff, user_id=ana.id, reason="Spam", until=None)
        assert heard(session, general.id)[-1] == ("member.left", "banned")
        grants = len(granted(session, ana))
        entitlements.grant(
            session,
            group_id=group.id,
            user_id=ana.id,
            tier_id=silver.id,
            source="subscription",
            source_id="late",
            starts_at=clock.now(),
        )
        assert standing_of(session, group, ana.id).rank == -1
        assert len(granted(session, ana)) == grants


def test_raising_a_channels_rank_puts_those_below_out_before_it_is_told_and_lowering_lets_them_in() -> None:
    with unit_of_work() as session:
        mei, ana, group, general, lounge, silver = a_world(session)
        bo = a_person(session, "bo")
        a_member(session, group, ana)
        a_member(session, group, bo, tier=silver)
        channels.change_channel(session, as_actor(mei), group, general, {"min_tier_rank": 1})
        assert heard(session, general.id)[2:] == [("member.left", "tier"), ("channel.changed", None)]
        channels.change_channel(session, as_actor(mei), group, lounge, {"min_tier_rank": 0})
        assert heard(session, lounge.id)[-1] == ("member.joined", None)
        assert granted(session, ana)[-1] == str(lounge.id)


def test_moderators_enter_every_channel_and_leave_the_higher_ones_with_the_role() -> None:
    with unit_of_work() as session:
        mei, ana, group, general, lounge, _ = a_world(session)
        a_member(session, group, ana)
        moderation.make_moderator(session, as_actor(mei), group, ana.id)
        moderation.unmake_moderator(session, as_actor(mei), group, ana.id)
        assert heard(session, lounge.id) == [("member.joined", None), ("member.left", "tier")]
        assert heard(session, general.id) == [("member.joined", None)]


def test_a_new_channel_reaches_the_open_pages_of_those_who_may_enter() -> None:
    with unit_of_work() as session:
        mei, ana, group, *_ = a_world(session)
        a_member(session, group, ana)
        opened, closed = a_channel(session, group, "news"), a_channel(session, group, "gold", min_tier_rank=2)
        assert granted(session, ana)[-1] == str(opened.id)
        assert granted(session, mei)[-2:] == [str(opened.id), str(closed.id)]
