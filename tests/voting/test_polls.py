"""What a poll promises: one ballot each, secrecy fixed at the start, a deadline that holds, a tally one can repeat."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from creator_hub.accounts.models import User
from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from creator_hub.core.schemas import rfc3339
from creator_hub.groups.models import Group
from creator_hub.voting import polls
from creator_hub.voting.models import Ballot, BallotBox
from tests.support.client import Browser
from tests.support.world import a_member, a_tier
from tests.voting.conftest import Room, wait


def vote(who: Browser, poll: dict[str, Any], *texts: str) -> Any:
    return who.put(f"/polls/{poll['id']}/ballot", {"choices": [poll["ids"][text] for text in texts]})


def in_minutes(minutes: float) -> str:
    return rfc3339(clock.now() + timedelta(minutes=minutes))


def keep_time() -> int:
    with unit_of_work() as session:
        return polls.keep_time(session)


def test_the_group_votes_and_everybody_sees_the_result(room: Room) -> None:
    poll = room.poll()
    assert (poll["state"], room.events("poll.opened")[0]["data"]["id"]) == ("open", poll["id"])
    for who, choice in ((room.ana, "Cake"), (room.bo, "Cake"), (room.chen, "Pie")):
        assert len(vote(who, poll, choice).json["receipt"]) == 64
    result = room.ana.get(f"/polls/{poll['id']}/result").json
    ids = poll["ids"]
    assert result["winner_ids"] == [ids["Cake"]]
    assert result["raw"]["totals"] == {ids["Cake"]: "2", ids["Bread"]: "0", ids["Pie"]: "1"}
    assert (result["turnout"], result["eligible"], result["differs"]) == (3, 4, False)
    assert room.mei.post(f"/polls/{poll['id']}/close").json["state"] == "closed"
    assert room.events("poll.closed")[0]["data"] == {"id": poll["id"], "result": result}


def test_a_second_ballot_replaces_the_first_and_may_be_taken_back(room: Room) -> None:
    poll = room.poll()
    first = vote(room.ana, poll, "Cake").json["receipt"]
    assert vote(room.ana, poll, "Pie").json["receipt"] == first
    result = room.ana.get(f"/polls/{poll['id']}/result").json
    assert (result["turnout"], result["winner_ids"]) == (1, [poll["ids"]["Pie"]])
    assert room.ana.get(f"/polls/{poll['id']}").json["voted"] is True
    assert room.ana.delete(f"/polls/{poll['id']}/ballot").status_code == 204
    assert room.ana.get(f"/polls/{poll['id']}/result").json["turnout"] == 0


def test_where_ballots_are_final_there_is_no_second_one(room: Room) -> None:
    poll = room.poll(revote=False)
    vote(room.ana, poll, "Cake")
    assert vote(room.ana, poll, "Pie").json["code"] == "already_voted"
    assert room.ana.delete(f"/polls/{poll['id']}/ballot").json["code"] == "already_voted"
    refused = room.mei.post(f"/polls/{poll['id']}/options", {"text": "Tart"})
    assert refused.json["code"] == "already_voted"
    assert room.ana.get(f"/polls/{poll['id']}/result").json["winner_ids"] == [poll["ids"]["Cake"]]


def test_a_sealed_poll_tells_nothing_before_it_closes(room: Room) -> None:
    poll = room.poll(results="sealed", closes_at=in_minutes(10))
    vote(room.ana, poll, "Cake")
    for who in (room.ana, room.mei):
        assert who.get(f"/polls/{poll['id']}/result").json["code"] == "poll_sealed"
        assert who.get(f"/polls/{poll['id']}/ballots.csv").json["code"] == "poll_sealed"
    wait(minutes=11)
    assert room.ana.get(f"/polls/{poll['id']}/result").json["winner_ids"] == [poll["ids"]["Cake"]]


def test_a_late_vote_never_slips_in_and_the_poll_closes_once(room: Room) -> None:
    poll = room.poll(closes_at=in_minutes(10))
    vote(room.ana, poll, "Cake")
    wait(minutes=10)
    assert vote(room.bo, poll, "Pie").json["code"] == "poll_closed"
    assert room.ana.delete(f"/polls/{poll['id']}/ballot").json["code"] == "poll_closed"
    assert room.ana.get(f"/polls/{poll['id']}").json["state"] == "closed"
    assert [keep_time(), keep_time()] == [1, 0]
    assert room.mei.post(f"/polls/{poll['id']}/close").status_code == 200
    assert len(room.events("poll.closed")) == 1


def test_a_scheduled_poll_opens_by_itself(room: Room) -> None:
    poll = room.poll(opens_at=in_minutes(5), closes_at=in_minutes(60))
    assert poll["state"] == "scheduled"
    assert room.events("poll.") == []
    assert vote(room.ana, poll, "Cake").json["code"] == "poll_not_open"
    wait(minutes=6)
    assert vote(room.ana, poll, "Cake").status_code == 200
    keep_time()
    assert [event["data"]["state"] for event in room.events("poll.")] == ["open"]


def test_anonymous_ballots_carry_a_receipt_and_no_name(room: Room) -> None:
    poll = room.poll(identity="anonymous", method="approval")
    receipt = vote(room.ana, poll, "Cake", "Pie").json["receipt"]
    vote(room.bo, poll, "Bread")
    room.mei.post(f"/polls/{poll['id']}/close")
    answer = room.chen.get(f"/polls/{poll['id']}/ballots.csv")
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert list(rows[0]) == ["receipt", "weight", "ballot"]
    assert {row["receipt"]: json.loads(row["ballot"]) for row in rows}[receipt] == {"choices": ["Cake", "Pie"]}
    with unit_of_work() as session:
        assert session.scalars(select(Ballot.user_id)).all() == [None, None]
        assert session.scalars(select(BallotBox.ballot_key)).all() == [None]


def test_weights_count_are_capped_and_flagged_when_they_change_the_winner(room: Room) -> None:
    with unit_of_work() as session:
        group = session.scalars(select(Group)).one()
        gold = a_tier(session, group, "Gold", rank=2, price_minor=900)
        a_member(session, group, session.scalars(select(User).where(User.handle == "ana")).one(), tier=gold)
    too_heavy = {"title": "?", "method": "plurality", "options": ["a", "b"], "weights": {str(gold.id): 3.5}}
    assert room.mei.post(f"/channels/{room.channel}/polls", too_heavy).json["errors"].keys() == {"weights"}
    stranger = too_heavy | {"weights": {str(uuid.uuid4()): 2}}
    assert room.mei.post(f"/channels/{room.channel}/polls", stranger).status_code == 422
    poll = room.poll(weights={str(gold.id): 2.5})
    vote(room.ana, poll, "Cake")
    vote(room.bo, poll, "Pie")
    vote(room.chen, poll, "Pie")
    result = room.ana.get(f"/polls/{poll['id']}/result").json
    assert result["raw"]["totals"][poll["ids"]["Pie"]] == "2"
    assert result["weighted"]["totals"][poll["ids"]["Cake"]] == "5/2"
    assert (result["differs"], result["winner_ids"]) == (True, [poll["ids"]["Cake"]])


def test_a_poll_may_ask_for_time_and_tier(room: Room) -> None:
    young = room.poll(min_member_hours=24)
    refused = vote(room.ana, young, "Cake")
    assert (refused.status_code, refused.json["code"]) == (403, "too_new")
    assert vote(room.mei, young, "Cake").status_code == 200
    wait(hours=25)
    assert vote(room.ana, young, "Cake").status_code == 200
    assert vote(room.ana, room.poll(min_tier_rank=1), "Cake").json["code"] == "tier"


def test_below_the_quorum_nothing_is_decided(room: Room) -> None:
    poll = room.poll(quorum=2)
    vote(room.ana, poll, "Cake")
    result = room.ana.get(f"/polls/{poll['id']}/result").json
    assert (result["quorum_met"], result["winner_ids"]) == (False, [])
    vote(room.bo, poll, "Cake")
    assert room.ana.get(f"/polls/{poll['id']}/result").json["winner_ids"] == [poll["ids"]["Cake"]]


@pytest.mark.parametrize(
    ("method", "ballot", "wrong"),
    [
        ("plurality", lambda i: {"choices": i[:1]}, lambda i: {"choices": i[:2]}),
        ("approval", lambda i: {"choices": i[:1]}, lambda i: {"choices": [i[0], i[0]]}),
        ("score", lambda i: {"scores": {i[0]: 5}}, lambda i: {"scores": {i[0]: 6}}),
        ("star", lambda i: {"scores": {i[0]: 5, i[1]: 0}}, lambda i: {"choices": i[:1]}),
        ("irv", lambda i: {"ranking": [[i[0]], [i[1]]]}, lambda i: {"ranking": [[i[0], i[1]]]}),
        ("schulze", lambda i: {"ranking": [[i[0]], i[1:]]}, lambda i: {"ranking": []}),
        ("stv", lambda i: {"ranking": [[i[0]]]}, lambda i: {"ranking": [[str(uuid.uuid4())]]}),
    ],
)
def test_each_method_takes_its_own_ballot(
    room: Room, method: str, ballot: Callable[[list[str]], Any], wrong: Callable[[list[str]], Any]
) -> None:
    poll = room.poll(method=method)
    ids = list(poll["ids"].values())
    assert room.ana.put(f"/polls/{poll['id']}/ballot", wrong(ids)).status_code == 422
    assert room.ana.put(f"/polls/{poll['id']}/ballot", ballot(ids)).status_code == 200
    assert room.ana.get(f"/polls/{poll['id']}/result").json["winner_ids"] == [ids[0]]


def test_a_quiz_tells_its_answer_to_those_who_have_answered_and_to_all_at_the_close(room: Room) -> None:
    poll = room.poll(quiz={"answer": "Pie", "explanation": "It has a lid."})
    assert (poll["is_quiz"], poll["revote"], poll["quiz"]) == (True, False, None)
    vote(room.ana, poll, "Cake")
    assert room.ana.get(f"/polls/{poll['id']}").json["quiz"] == {"answer": "Pie", "explanation": "It has a lid."}
    assert room.bo.get(f"/polls/{poll['id']}").json["quiz"] is None
    assert room.mei.get(f"/polls/{poll['id']}").json["quiz"] is None
    assert vote(room.ana, poll, "Pie").json["code"] == "already_voted"
    assert "lid" not in str(room.events())
    room.mei.post(f"/polls/{poll['id']}/close")
    assert room.bo.get(f"/polls/{poll['id']}").json["quiz"]["answer"] == "Pie"


def test_members_do_not_run_polls_and_strangers_see_none(room: Room, browser: Callable[[], Browser]) -> None:
    poll = room.poll()
    asked = {"title": "?", "method": "plurality", "options": ["a", "b"]}
    assert room.ana.post(f"/channels/{room.channel}/polls", asked).status_code == 403
    assert room.ana.post(f"/polls/{poll['id']}/close").status_code == 403
    fay = browser()
    fay.sign_up_with_roles("fay", ["admin", "finance", "support"])
    for path in ("", "/result", "/ballots.csv"):
        assert fay.get(f"/polls/{poll['id']}{path}").status_code == 404
    assert vote(fay, poll, "Cake").status_code == 404
    assert fay.get(f"/channels/{room.channel}/polls").status_code == 404


def test_bad_polls_are_refused_by_field(room: Room) -> None:
    good = {"title": "?", "method": "plurality", "options": ["a", "b"]}
    for change, field in (
        ({"method": "dice"}, "method"),
        ({"options": ["a"]}, "options"),
        ({"options": ["a", "a"]}, "options"),
        ({"options": ["Red cake", "RED  cake"]}, "options"),
        ({"method": "stv", "options": [str(n) for n in range(20)], "seats": 11}, "seats"),
        ({"quiz": {"answer": "a"}, "revote": True}, "revote"),
        ({"quiz": {"answer": "a"}, "adding": "members"}, "adding"),
        ({"adding": "everybody"}, "adding"),
        ({"method": "irv", "seats": 2}, "seats"),
        ({"max_choices": 3}, "max_choices"),
        ({"closes_at": "2020-01-01T00:00:00Z"}, "closes_at"),
        ({"surprise": 1}, "surprise"),
    ):
        answer = room.mei.post(f"/channels/{room.channel}/polls", good | change)
        assert (answer.status_code, list(answer.json["errors"])) == (422, [field]), change


def test_ten_thousand_options_are_refused_and_nothing_is_stored(room: Room) -> None:
    asked = {"title": "?", "method": "plurality", "options": [str(n) for n in range(10_000)]}
    answer = room.mei.post(f"/channels/{room.channel}/polls", asked)
    assert answer.status_code in (413, 422)
    assert answer.content_type == "application/problem+json"
    assert room.mei.get(f"/channels/{room.channel}/polls").json["items"] == []
