"""One sees one's own ballot again while the vote is open; nobody sees another's, and the close cuts all loose."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.client import Browser
from tests.voting.conftest import Room


def own(who: Browser, poll: dict[str, Any]) -> Any:
    told = who.get(f"/polls/{poll['id']}").json
    listed = who.get(f"/channels/{told['channel_id']}/polls").json["items"]
    assert next(each for each in listed if each["id"] == poll["id"])["ballot"] == told["ballot"]
    return told["ballot"]


@pytest.mark.parametrize("identity", ["anonymous", "public"])
def test_one_is_shown_what_one_chose_and_nobody_else_is(room: Room, identity: str) -> None:
    poll = room.poll(method="schulze", identity=identity)
    ids = poll["ids"]
    ranking = [[ids["Pie"]], sorted([ids["Cake"], ids["Bread"]])]
    room.ana.put(f"/polls/{poll['id']}/ballot", {"ranking": ranking})
    assert own(room.ana, poll) == {"ranking": ranking}
    assert own(room.bo, poll) is None
    assert own(room.mei, poll) is None
    assert "ballot" not in room.events("poll.opened")[0]["data"]


def test_a_sealed_poll_shows_ones_own_ballot_and_no_result(room: Room) -> None:
    poll = room.poll(results="sealed")
    choice = {"choices": [poll["ids"]["Cake"]]}
    room.ana.put(f"/polls/{poll['id']}/ballot", choice)
    assert own(room.ana, poll) == choice
    assert room.ana.get(f"/polls/{poll['id']}/result").json["code"] == "poll_sealed"


def test_a_ballot_taken_back_or_closed_is_shown_no_more(room: Room) -> None:
    poll = room.poll()
    for who in (room.ana, room.bo):
        who.put(f"/polls/{poll['id']}/ballot", {"choices": [poll["ids"]["Cake"]]})
    room.ana.delete(f"/polls/{poll['id']}/ballot")
    assert own(room.ana, poll) is None
    room.mei.post(f"/polls/{poll['id']}/close")
    told = room.bo.get(f"/polls/{poll['id']}").json
    assert (told["voted"], told["ballot"]) == (True, None)


def test_a_round_shows_ones_own_ballot_too(room: Room) -> None:
    rules = {"shortlist": "none", "method": "score"}
    body = {"channel_id": room.channel, "title": "The oven", "premise": "It would not light.", "rules": rules}
    chain = room.mei.post("/groups/mei/chains", body).json
    found = room.mei.post(f"/chains/{chain['id']}/rounds").json
    assert found["ballot"] is None
    wrote = {"title": "A spark", "body": "Then it did.", "accept_licence": True}
    proposal = room.ana.post(f"/rounds/{found['id']}/proposals", wrote).json
    room.mei.post(f"/rounds/{found['id']}/advance")
    ballot = {"scores": {proposal["id"]: 4}}
    room.ana.put(f"/rounds/{found['id']}/ballot", ballot)
    assert room.ana.get(f"/rounds/{found['id']}").json["ballot"] == ballot
    assert room.bo.get(f"/rounds/{found['id']}").json["ballot"] is None
    assert "ballot" not in room.events("round.voting")[0]["data"]
