"""Votes, deadlines and steps that happen at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.voting.conftest import Room
from tests.voting.test_chains import begin, choose, open_round, propose, step
from tests.voting.test_polls import vote


def test_a_vote_is_counted_or_refused_never_lost_when_the_poll_closes(room: Room) -> None:
    for _ in range(3):
        poll = room.poll()
        with ThreadPoolExecutor(4) as pool:
            answers = [pool.submit(vote, who, poll, "Cake") for who in (room.ana, room.bo)]
            closing = pool.submit(room.mei.post, f"/polls/{poll['id']}/close")
            answers.append(pool.submit(vote, room.chen, poll, "Pie"))
        assert closing.result().status_code == 200
        accepted = sum(answer.result().status_code == 200 for answer in answers)
        closed = [event for event in room.events("poll.closed") if event["data"]["id"] == poll["id"]]
        assert [event["data"]["result"]["turnout"] for event in closed] == [accepted]


def test_a_round_is_decided_once_however_often_it_is_told_to(room: Room) -> None:
    found = open_round(room, begin(room))
    proposal = propose(room.ana, found, "Storm").json
    step(room, found)
    choose(room.bo, found, proposal)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: room.mei.post(f"/rounds/{found['id']}/advance").status_code, range(4)))
    assert sorted(answers) == [200, 409, 409, 409]
    assert len(room.events("round.decided")) == len(room.events("episode.canonised")) == 1
