"""Votes, deadlines, bans and steps that happen at the same moment. HUB_RACE_ROUNDS makes it a long run."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select, text

from creator_hub.core import db
from creator_hub.core.db import unit_of_work
from creator_hub.voting import polls
from creator_hub.voting.models import Ballot, Voter
from tests.support.client import Browser
from tests.voting.conftest import Room, wait
from tests.voting.test_chains import begin, choose, open_round, propose, step
from tests.voting.test_polls import in_minutes, vote

ROUNDS = int(os.environ.get("HUB_RACE_ROUNDS", "2"))
AT_ONCE = 30


@pytest.fixture(autouse=True)
def room_for_all(database: str) -> None:
    """As many connections as there are people at once."""
    db.configure(database, pool_size=AT_ONCE)


def at_once(work: Callable[[int], Any], number: int = AT_ONCE) -> list[Any]:
    """Run `work` in as many threads, all let go at the same moment."""
    gate = threading.Barrier(number)

    def run(n: int) -> Any:
        gate.wait()
        return work(n)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def ballots_and_voters() -> tuple[int, int]:
    with unit_of_work() as session:
        return tuple(session.scalar(select(func.count()).select_from(table)) for table in (Ballot, Voter))  # type: ignore[return-value]


def test_thirty_double_votes_at_once_are_one_ballot(room: Room) -> None:
    for n in range(1, ROUNDS + 1):
        poll = room.poll(revote=bool(n % 2))
        statuses = at_once(lambda k, poll=poll: vote(room.ana, poll, ("Cake", "Pie")[k % 2]).status_code)
        assert sorted(statuses) == ([200] * AT_ONCE if n % 2 else [200] + [409] * (AT_ONCE - 1))
        assert room.ana.get(f"/polls/{poll['id']}/result").json["turnout"] == 1
        assert ballots_and_voters() == (n, n)


def test_voting_and_taking_back_at_once_leaves_a_whole_ballot_or_none(room: Room) -> None:
    poll = room.poll()
    for _ in range(ROUNDS):
        at_once(
            lambda k: (
                (vote(room.ana, poll, "Cake") if k % 2 else room.ana.delete(f"/polls/{poll['id']}/ballot")).status_code
            ),
            8,
        )
        ballots, voters = ballots_and_voters()
        assert ballots == voters <= 1


def test_a_vote_is_counted_or_refused_never_lost_when_the_poll_closes(room: Room) -> None:
    people = (room.ana, room.bo, room.chen)
    for _ in range(ROUNDS):
        poll = room.poll()

        def act(n: int, poll: dict[str, Any] = poll) -> Any:
            if n < 3:
                return vote(people[n], poll, "Cake").status_code
            return room.mei.post(f"/polls/{poll['id']}/close").status_code

        *votes, closing = at_once(act, 4)
        assert closing == 200
        closed = [event for event in room.events("poll.closed") if event["data"]["id"] == poll["id"]]
        assert [event["data"]["result"]["turnout"] for event in closed] == [votes.count(200)]
        assert set(votes) <= {200, 409}


def test_closing_by_hand_and_by_the_clock_at_once_closes_once(room: Room) -> None:
    for _ in range(ROUNDS):
        poll = room.poll(closes_at=in_minutes(1))
        vote(room.ana, poll, "Cake")
        wait(minutes=2)

        def act(n: int, poll: dict[str, Any] = poll) -> Any:
            if n % 2:
                return room.mei.post(f"/polls/{poll['id']}/close").status_code
            with unit_of_work() as session:
                return polls.keep_time(session)

        at_once(act, 4)
        assert sum(event["data"]["id"] == poll["id"] for event in room.events("poll.closed")) == 1


def test_a_scheduled_poll_opens_once_when_its_first_voters_come_together(room: Room) -> None:
    poll = room.poll(opens_at=in_minutes(1))
    wait(minutes=2)
    people = (room.ana, room.bo, room.chen, room.mei)
    assert at_once(lambda n: vote(people[n], poll, "Cake").status_code, 4) == [200] * 4
    assert len(room.events("poll.opened")) == 1
    assert room.ana.get(f"/polls/{poll['id']}/result").json["turnout"] == 4


def test_a_vote_that_waits_behind_a_ban_is_refused(room: Room) -> None:
    """The ban has written its rows and is about to commit; the vote comes in between."""
    poll = room.poll()
    ana = room.ana.get("/me").json["id"]
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with ThreadPoolExecutor(1) as pool:
        with db.engine().begin() as banning:
            banning.execute(
                text("UPDATE memberships SET left_at = now(), left_reason = 'banned' WHERE user_id = :ana"),
                {"ana": ana},
            )
            casting = pool.submit(vote, room.ana, poll, "Cake")
            with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as watching:
                while not watching.execute(waiting).scalar():
                    assert not casting.done()
        assert casting.result().status_code == 404
    assert ballots_and_voters() == (0, 0)


def test_bans_and_votes_at_once_never_wait_in_a_ring(room: Room) -> None:
    poll = room.poll()
    bo = room.bo.get("/me").json["id"]

    def act(n: int) -> int:
        if n == 0:
            return room.mei.post("/groups/mei/bans", {"user_id": bo, "reason": "spam"}).status_code
        return vote((room.bo, room.ana, room.chen)[n % 3], poll, "Cake").status_code

    ban, *votes = at_once(act, 10)
    assert ban == 201
    assert set(votes) <= {200, 404}
    assert vote(room.bo, poll, "Pie").status_code == 404


def test_a_round_is_decided_once_however_often_it_is_told_to(room: Room) -> None:
    found = open_round(room, begin(room))
    proposal = propose(room.ana, found, "Storm").json
    step(room, found)
    choose(room.bo, found, proposal)
    statuses = at_once(lambda _: room.mei.post(f"/rounds/{found['id']}/advance").status_code, 4)
    assert sorted(statuses) == [200, 409, 409, 409]
    assert len(room.events("round.decided")) == len(room.events("episode.canonised")) == 1


def test_the_fetched_tally_is_a_recount_at_any_moment(room: Room, browser: Callable[[], Browser]) -> None:
    poll = room.poll(method="approval")
    people = (room.ana, room.bo, room.chen, room.mei)

    def act(n: int) -> None:
        if n < 4:
            for k in range(5):
                vote(people[n], poll, *("Cake", "Bread", "Pie")[: 1 + (n + k) % 3])
        else:
            for _ in range(5):
                result = room.mei.get(f"/polls/{poll['id']}/result").json
                # Everybody chose Cake, whatever else: its total is the turnout at every moment.
                assert result["raw"]["totals"][poll["ids"]["Cake"]] == str(result["turnout"])

    at_once(act, 5)
