"""What a season's authors earn: tried out before, fixed at the close, exact to the minor unit, in the ledger."""

from __future__ import annotations

import uuid
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from creator_hub.accounts.models import User
from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from creator_hub.core.ids import new_id
from creator_hub.core.outbox import OutboxMessage
from creator_hub.groups.models import Group
from creator_hub.money import ledger
from creator_hub.money.billing_models import Payment
from creator_hub.money.ledger import Leg
from creator_hub.voting import credits, seasons
from creator_hub.voting.chain_models import Episode
from creator_hub.voting.season_models import Season
from tests.support.subscribers import subscribe
from tests.support.world import a_tier
from tests.voting.conftest import Room
from tests.voting.test_chains import an_episode, begin, open_round
from workers.voting import post_credits


def usd(minor: int) -> dict[str, Any]:
    return {"amount_minor": minor, "currency": "USD"}


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=30), st.fractions(0, 1), st.integers(0, 10**9))
def test_the_amounts_sum_to_the_pool_whoever_wrote_what(authors: list[str], decay: Fraction, pool: int) -> None:
    share = credits.shares(authors, decay)
    assert sum(share.values()) == 1
    assert share.keys() == set(authors)
    paid = credits.amounts(pool, share)
    assert sum(paid.values()) == pool
    assert all(abs(paid[who] - pool * share[who]) < 1 for who in paid)


def test_without_decay_episodes_count_and_with_it_who_came_before_earns_too() -> None:
    third, sixth = Fraction(1, 3), Fraction(1, 6)
    assert credits.shares("aab", Fraction(0)) == {"a": 2 * third, "b": third}
    assert credits.shares("ab", Fraction(1, 2)) == {"a": 4 * sixth, "b": 2 * sixth}
    assert credits.shares("ab", Fraction(1)) == {"a": Fraction(3, 4), "b": Fraction(1, 4)}
    assert credits.shares("", Fraction(1)) == {}


def test_before_launch_the_rule_is_tried_out_with_example_numbers(room: Room) -> None:
    chain = begin(room, share_bps=1000, decay=0.5, episodes_per_season=3)
    tried = room.ana.post(f"/chains/{chain['id']}/season/simulate", {"revenue": usd(100_001)}).json
    assert tried["pool"] == usd(10_000)
    assert [(line["name"], line["author"]) for line in tried["credits"]] == [
        (f"author of episode {n}", None) for n in (1, 2, 3)
    ]
    assert sum(line["amount"]["amount_minor"] for line in tried["credits"]) == 10_000
    ten = room.ana.post(f"/chains/{chain['id']}/season/simulate", {"revenue": usd(999), "episodes": 10}).json
    assert len(ten["credits"]) == 10
    bad = room.ana.post(f"/chains/{chain['id']}/season/simulate", {"revenue": usd(0)})
    assert list(bad.json["errors"]) == ["revenue"]


def earn(amount: int) -> None:
    """Fay subscribes, and what is the creator's share of her payment is posted."""
    with unit_of_work() as session:
        group = session.scalars(select(Group)).one()
        chen = session.scalars(select(User).where(User.handle == "chen")).one()
        tier = a_tier(session, group, "Gold", price_minor=amount)
        subscription = subscribe(session, group, chen, tier)
        payment = session.scalars(select(Payment).where(Payment.subscription_id == subscription.id)).first()
        payment_id = payment.id if payment else None
        ledger.post(
            session,
            source=f"test:{new_id()}",
            kind="payment",
            currency="USD",
            occurred_at=clock.now(),
            legs=[
                Leg(ledger.processor("USD"), amount),
                Leg(ledger.creator_payable("USD", group.owner_id), -amount),
            ],
            payment_id=payment_id,
        )
        assert payment_id is not None


def balance(handle: str) -> int:
    with unit_of_work() as session:
        user = session.scalars(select(User).where(User.handle == handle)).one()
        return -ledger.balance(session, ledger.creator_payable("USD", user.id))


def post_what_waits() -> None:
    with unit_of_work() as session:
        for payload in session.scalars(select(OutboxMessage.payload).filter_by(topic=seasons.CLOSED)).all():
            post_credits(session, payload)


def test_a_closed_season_owes_its_authors_to_the_cent_and_once(room: Room) -> None:
    chain = begin(room, share_bps=2000)
    for title in ("One", "Two"):
        an_episode(room, chain, title)
    earn(1001)
    mei, ana = balance("mei"), balance("ana")
    assert room.ana.post(f"/chains/{chain['id']}/season/close").status_code == 403
    closed = room.mei.post(f"/chains/{chain['id']}/season/close").json["seasons"]
    assert [(each["number"], bool(each["ended_at"])) for each in closed] == [(2, False), (1, True)]
    for _ in range(2):
        post_what_waits()
    season = room.ana.get(f"/chains/{chain['id']}/credits").json["seasons"][1]
    pool = season["pool"]["amount_minor"]
    assert pool == season["revenue"]["amount_minor"] // 5 > 0
    assert [(line["author"]["handle"], line["episodes"], line["share"]) for line in season["credits"]] == [
        ("ana", 2, "1")
    ]
    assert season["credits"][0]["amount"] == usd(pool)
    assert (balance("mei"), balance("ana")) == (mei - pool, ana + pool)
    with unit_of_work() as session:
        assert ledger.check(session) == []


def test_a_season_pays_for_its_own_canon_and_time_only(room: Room) -> None:
    chain = begin(room, share_bps=10_000, episodes_per_season=1)
    an_episode(room, chain, "One")
    assert room.mei.post(f"/chains/{chain['id']}/rounds").json["code"] == "season_full"
    room.mei.post(f"/chains/{chain['id']}/season/close")
    assert room.mei.post(f"/chains/{chain['id']}/season/close").json["code"] == "season_empty"
    open_round(room, chain)
    assert room.mei.post(f"/chains/{chain['id']}/season/close").json["code"] == "round_open"
    running = room.ana.get(f"/chains/{chain['id']}/credits").json["seasons"][0]
    assert (running["number"], running["credits"]) == (2, [])


def test_new_rules_begin_with_a_new_season_and_old_ones_stay_as_they_were(room: Room) -> None:
    chain = begin(room, share_bps=100, method="plurality")
    an_episode(room, chain, "One")
    room.mei.post(f"/chains/{chain['id']}/season/close", {"rules": {"share_bps": 300, "method": "star"}})
    assert room.ana.get(f"/chains/{chain['id']}").json["rules"]["method"] == "star"
    assert [each["share_bps"] for each in room.ana.get(f"/chains/{chain['id']}/credits").json["seasons"]] == [300, 100]


def test_the_credits_page_tries_the_rule_and_lets_the_creator_close(room: Room) -> None:
    chain = begin(room, share_bps=1250, decay=0.5)
    an_episode(room, chain, "One")
    path = f"/chains/{chain['id']}/season"
    page = room.ana.page(path + "?revenue=80").get_data(as_text=True)
    assert "12.5 % of what the group earns is shared" in page
    assert "10.00" in page
    assert "Close the season" not in page
    assert "Close the season" in room.mei.page(path).get_data(as_text=True)
    room.mei.post(f"/chains/{chain['id']}/season/close")
    post_what_waits()
    assert "Season 2" in room.ana.page(path).get_data(as_text=True)
    for odd in ("-1", "abc", "NaN", "1e99"):
        assert room.ana.page(f"{path}?revenue={odd}").status_code == 422


@pytest.mark.parametrize(
    "change",
    [
        update(Episode).values(body="Something else."),
        update(Episode).values(title="Else"),
        update(Episode).values(licence="none"),
        update(Season).values(rules={}),
        update(Season).values(started_at=Season.started_at - timedelta(days=1)),
    ],
)
def test_the_database_itself_keeps_what_was_written(room: Room, change: Any) -> None:
    an_episode(room, begin(room), "One")
    with pytest.raises(IntegrityError), unit_of_work() as session:
        session.execute(change)


def test_strangers_learn_nothing_of_credits(room: Room, browser: Any) -> None:
    chain = begin(room)
    fay = browser()
    fay.sign_up_with_roles("fay", ["admin"])
    for path in ("credits", "canon.md", "canon.epub"):
        assert fay.get(f"/chains/{chain['id']}/{path}").status_code == 404
    assert fay.post(f"/chains/{chain['id']}/season/simulate", {"revenue": usd(5)}).status_code == 404
    assert fay.put(f"/chains/{chain['id']}/bookmark", {"episode_id": str(uuid.uuid4())}).status_code == 404
