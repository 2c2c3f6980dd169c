"""How a group writes a story: propose, like, vote, canon; and what the creator may do about it, visibly."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from creator_hub.core.db import unit_of_work
from creator_hub.voting import rounds
from tests.support.client import Browser
from tests.voting.conftest import Room, wait


def begin(room: Room, **rules: Any) -> dict[str, Any]:
    body = {"channel_id": room.channel, "title": "The lighthouse", "premise": "A light goes out.", "rules": rules}
    answer = room.mei.post("/groups/mei/chains", body)
    assert answer.status_code == 201, answer.json
    return answer.json


def open_round(room: Room, chain: dict[str, Any], **body: Any) -> dict[str, Any]:
    answer = room.mei.post(f"/chains/{chain['id']}/rounds", body)
    assert answer.status_code == 201, answer.json
    return answer.json


def propose(who: Browser, found: dict[str, Any], title: str, body: str = "Once upon a time.") -> Any:
    return who.post(f"/rounds/{found['id']}/proposals", {"title": title, "body": body, "accept_licence": True})


def choose(who: Browser, found: dict[str, Any], proposal: dict[str, Any]) -> Any:
    return who.put(f"/rounds/{found['id']}/ballot", {"choices": [proposal["id"]]})


def step(room: Room, found: dict[str, Any], **body: Any) -> dict[str, Any]:
    answer = room.mei.post(f"/rounds/{found['id']}/advance", body)
    assert answer.status_code == 200, answer.json
    return answer.json


def keep_time() -> int:
    with unit_of_work() as session:
        return rounds.keep_time(session)


def an_episode(room: Room, chain: dict[str, Any], winner: str, loser: str = "") -> dict[str, Any]:
    """A whole round that Ana's proposal wins; answers the decided round."""
    found = open_round(room, chain)
    best = propose(room.ana, found, winner).json
    if loser:
        propose(room.bo, found, loser)
    step(room, found)
    choose(room.chen, found, best)
    return step(room, found)


def titles(room: Room, chain: dict[str, Any]) -> list[str]:
    return [episode["title"] for episode in room.bo.get(f"/chains/{chain['id']}/canon").json["episodes"]]


def states(room: Room, chain: dict[str, Any]) -> dict[str, str]:
    return {each["title"]: each["state"] for each in room.bo.get(f"/chains/{chain['id']}").json["episodes"]}


def test_a_round_runs_by_the_clock_and_its_winner_becomes_canon(room: Room) -> None:
    chain = begin(room, writing_hours=2, voting_hours=3, shortlist_size=2)
    found = open_round(room, chain)
    storm, calm, whale = (
        propose(who, found, title).json for who, title in ((room.ana, "Storm"), (room.bo, "Calm"), (room.chen, "Whale"))
    )
    for who, proposal in ((room.mei, whale), (room.bo, whale), (room.ana, calm), (room.chen, storm), (room.mei, storm)):
        assert who.put(f"/proposals/{proposal['id']}/like").status_code == 204
    wait(hours=2)
    assert propose(room.mei, found, "Too late").json["code"] == "writing_closed"
    assert [keep_time(), keep_time()] == [1, 0]
    voting = room.ana.get(f"/rounds/{found['id']}").json
    assert voting["state"] == "voting"
    assert {each["title"]: each["shortlisted"] for each in voting["proposals"]} == {
        "Storm": True,
        "Calm": False,
        "Whale": True,
    }
    assert choose(room.ana, found, calm).status_code == 422
    choose(room.ana, found, storm)
    choose(room.bo, found, whale)
    choose(room.mei, found, whale)
    wait(hours=3)
    assert choose(room.chen, found, storm).json["code"] == "poll_closed"
    assert [keep_time(), keep_time()] == [1, 0]
    decided = room.ana.get(f"/rounds/{found['id']}").json
    assert (decided["state"], decided["winner_id"]) == ("decided", whale["id"])
    assert titles(room, chain) == ["Whale"]
    assert states(room, chain) == {"Storm": "alternate", "Calm": "alternate", "Whale": "canon"}
    kinds = [event["kind"] for event in room.events() if event["kind"].startswith(("round", "episode"))]
    assert kinds == ["round.opened", "round.voting", "round.decided", "episode.canonised"]
    result = room.ana.get(f"/rounds/{found['id']}/result").json
    assert room.events("round.decided")[0]["data"]["result"] == result
    assert (result["turnout"], result["winner_ids"]) == (3, [whale["id"]])


def test_the_tree_grows_and_the_creator_may_move_its_head_visibly(room: Room) -> None:
    chain = begin(room)
    an_episode(room, chain, "One", "Other one")
    an_episode(room, chain, "Two")
    assert titles(room, chain) == ["One", "Two"]
    branch = next(e for e in room.bo.get(f"/chains/{chain['id']}").json["episodes"] if e["title"] == "Other one")
    head = f"/chains/{chain['id']}/head"
    assert room.ana.put(head, {"episode_id": branch["id"]}).status_code == 403
    assert room.mei.put(head, {"episode_id": str(uuid.uuid4())}).status_code == 404
    moved = room.mei.put(head, {"episode_id": branch["id"], "reason": "Truer to the premise"}).json
    assert moved["head_episode_id"] == branch["id"]
    assert states(room, chain) == {"One": "alternate", "Two": "alternate", "Other one": "canon"}
    assert room.events("episode.canonised")[-1]["data"]["episode"]["title"] == "Other one"
    assert "chain.head_moved" in room.mei.get("/groups/mei/audit").get_data(as_text=True)


def test_the_licence_is_accepted_and_the_rules_are_kept(room: Room) -> None:
    found = open_round(room, begin(room, max_chars=20))
    bare = {"title": "Storm", "body": "It rains."}
    for body in (bare, bare | {"accept_licence": False}):
        refused = room.ana.post(f"/rounds/{found['id']}/proposals", body)
        assert list(refused.json["errors"]) == ["accept_licence"]
    assert list(propose(room.ana, found, "Long", "x" * 21).json["errors"]) == ["body"]
    assert propose(room.ana, found, "Storm", "It rains.").status_code == 201
    assert propose(room.ana, found, "Again", "It pours.").json["code"] == "too_many_proposals"


def test_the_creator_may_choose_the_shortlist_and_who_never_does_leaves_it_to_the_likes(room: Room) -> None:
    chain = begin(room, shortlist="creator", shortlist_size=1)
    found = open_round(room, chain)
    storm, calm = propose(room.ana, found, "Storm").json, propose(room.bo, found, "Calm").json
    assert step(room, found)["state"] == "shortlist"
    wrong = room.mei.post(f"/rounds/{found['id']}/advance", {"shortlist": [str(uuid.uuid4())]})
    assert wrong.status_code == 422
    chosen = step(room, found, shortlist=[calm["id"]])
    assert [each["title"] for each in chosen["proposals"] if each["shortlisted"]] == ["Calm"]
    room.mei.post(f"/rounds/{found['id']}/veto", {"reason": "Start again"})
    found = open_round(room, chain)
    storm = propose(room.ana, found, "Storm again").json
    propose(room.bo, found, "Calm again")
    room.chen.put(f"/proposals/{storm['id']}/like")
    wait(hours=24)
    keep_time()
    assert room.ana.get(f"/rounds/{found['id']}").json["state"] == "shortlist"
    wait(hours=24)
    keep_time()
    voting = room.ana.get(f"/rounds/{found['id']}").json
    assert voting["state"] == "voting"
    assert [each["title"] for each in voting["proposals"] if each["shortlisted"]] == ["Storm again"]


def test_rounds_without_proposals_votes_or_quorum_decide_nothing(room: Room) -> None:
    chain = begin(room, quorum=2)
    assert step(room, open_round(room, chain))["reason"] == "no_proposals"
    found = open_round(room, chain)
    propose(room.ana, found, "Storm")
    step(room, found)
    assert step(room, found)["reason"] == "no_votes"
    found = open_round(room, chain)
    only = propose(room.ana, found, "Calm").json
    step(room, found)
    choose(room.bo, found, only)
    ended = step(room, found)
    assert (ended["state"], ended["reason"], ended["winner_id"]) == ("void", "no_quorum", None)
    assert titles(room, chain) == []


def test_a_veto_takes_the_winner_out_and_everybody_reads_why(room: Room) -> None:
    chain = begin(room)
    an_episode(room, chain, "One")
    second = an_episode(room, chain, "Two")
    path = f"/rounds/{second['id']}/veto"
    assert room.ana.post(path, {"reason": "no"}).status_code == 403
    assert list(room.mei.post(path, {}).json["errors"]) == ["reason"]
    vetoed = room.mei.post(path, {"reason": "Names a real person"}).json
    assert (vetoed["state"], vetoed["vetoed"], vetoed["winner_id"]) == ("void", True, None)
    assert titles(room, chain) == ["One"]
    assert states(room, chain)["Two"] == "vetoed"
    told = room.events("round.decided")[-1]["data"]
    assert (told["vetoed"], told["reason"], told["result"]["turnout"]) == (True, "Names a real person", 1)
    assert "round.vetoed" in room.mei.get("/groups/mei/audit").get_data(as_text=True)
    strict = begin(room, veto=False)
    found = an_episode(room, strict, "Three")
    assert room.mei.post(f"/rounds/{found['id']}/veto", {"reason": "no"}).json["code"] == "no_veto"


def test_one_round_at_a_time_also_for_the_database(room: Room) -> None:
    chain = begin(room)
    open_round(room, chain)
    assert room.mei.post(f"/chains/{chain['id']}/rounds").json["code"] == "round_open"
    with pytest.raises(IntegrityError), unit_of_work() as session:
        session.execute(
            text(
                "INSERT INTO rounds (id, chain_id, state, opened_by, opened_at, writing_closes_at, voting_closes_at, "
                "vetoed) SELECT gen_random_uuid(), chain_id, state, opened_by, opened_at, "
                "writing_closes_at, voting_closes_at, false FROM rounds"
            )
        )


def test_members_propose_and_vote_but_do_not_run_the_story(room: Room, browser: Callable[[], Browser]) -> None:
    chain = begin(room)
    found = open_round(room, chain)
    body = {"channel_id": room.channel, "title": "Mine", "premise": "Me", "rules": {}}
    assert room.ana.post("/groups/mei/chains", body).status_code == 403
    for path in (f"/chains/{chain['id']}/rounds", f"/rounds/{found['id']}/advance"):
        assert room.ana.post(path).status_code == 403
    fay = browser()
    fay.sign_up_with_roles("fay", ["admin"])
    for path in (f"/chains/{chain['id']}", f"/chains/{chain['id']}/canon", f"/rounds/{found['id']}"):
        assert fay.get(path).status_code == 404
    assert propose(fay, found, "Sneaky").status_code == 404
    listed = room.ana.get("/groups/mei/chains").json["items"]
    assert [(each["title"], each["open_round_id"]) for each in listed] == [("The lighthouse", found["id"])]
