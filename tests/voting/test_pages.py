"""What members see: the story as a story, the round they can join, a poll's result as bars and figures."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from creator_hub.voting.pages import bars
from tests.support.client import Browser
from tests.voting.conftest import Room
from tests.voting.test_chains import an_episode, begin, choose, open_round, propose, step
from tests.voting.test_polls import vote


def read(who: Browser, path: str) -> str:
    answer = who.page(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)[:500]
    return answer.get_data(as_text=True)


def test_the_canon_reads_as_a_story_and_branches_stay_readable(room: Room) -> None:
    chain = begin(room)
    an_episode(room, chain, "The storm", "The calm")
    page = read(room.bo, f"/chains/{chain['id']}")
    assert "A light goes out." in page
    assert page.index("1. The storm") < page.index("Other branches") < page.index("The calm")
    assert "Veto" not in page
    assert "Veto this outcome" in read(room.mei, f"/chains/{chain['id']}")
    assert "The lighthouse" in read(room.bo, "/g/mei/chains")


@pytest.mark.parametrize("method", ["plurality", "approval", "star", "schulze"])
@pytest.mark.parametrize("shortlist", ["likes", "creator"])
def test_every_phase_of_a_round_has_its_page(room: Room, method: str, shortlist: str) -> None:
    chain = begin(room, method=method, shortlist=shortlist)
    path = f"/chains/{chain['id']}"
    assert "Ask for the next episode" in read(room.mei, path)
    found = open_round(room, chain)
    proposal = propose(room.ana, found, "<b>Storm</b>", "One.\n\nTwo.").json
    page = read(room.bo, path)
    assert "Propose an episode" in page
    assert "&lt;b&gt;Storm&lt;/b&gt;" in page
    assert "<b>Storm" not in page
    if shortlist == "creator":
        step(room, found)
        assert "Who stands for the vote" in read(room.mei, path)
        step(room, found, shortlist=[proposal["id"]])
    else:
        step(room, found)
    assert "Voting ends" in read(room.bo, path)
    if method == "plurality":
        choose(room.bo, found, proposal)
    room.mei.post(f"/rounds/{found['id']}/veto", {"reason": "Not yet"})
    assert "Not yet" in read(room.bo, path)


@pytest.mark.parametrize("method", ["plurality", "approval", "score", "irv"])
def test_a_poll_has_a_permanent_address_with_its_result(room: Room, method: str) -> None:
    poll = room.poll(method=method)
    if method in ("plurality", "approval"):
        vote(room.ana, poll, "Cake")
    page = read(room.bo, f"/polls/{poll['id']}")
    assert "What shall I bake?" in page
    assert "Close the poll now" not in page
    room.mei.post(f"/polls/{poll['id']}/close")
    assert "ballots.csv" in read(room.bo, f"/polls/{poll['id']}")


def test_a_sealed_polls_page_shows_no_figure(room: Room, browser: Callable[[], Browser]) -> None:
    poll = room.poll(results="sealed")
    vote(room.ana, poll, "Cake")
    page = read(room.mei, f"/polls/{poll['id']}")
    assert "sealed" in page
    assert "<progress" not in page
    stranger = browser()
    stranger.sign_up("fay")
    assert stranger.page(f"/polls/{poll['id']}").status_code == 404


def test_bars_share_out_what_was_given() -> None:
    result = {
        "weighted": {"totals": {"a": "3/2", "b": "1/2"}},
        "raw": {"totals": {"a": "1", "b": "1"}},
        "winner_ids": ["a"],
    }
    rows = bars([{"id": "a", "text": "A"}, {"id": "b", "text": "B"}], result)
    assert [(row["percent"], row["won"]) for row in rows] == [(75, True), (25, False)]


def test_the_poll_page_offers_what_its_rules_allow(room: Room) -> None:
    poll = room.poll(adding="approval", identity="public")
    assert "Add an option" in read(room.ana, f"/polls/{poll['id']}")
    assert "Add an option" not in read(room.ana, f"/polls/{room.poll()['id']}")
    room.ana.post(f"/polls/{poll['id']}/options", {"text": "<i>Tart</i>"})
    page = read(room.mei, f"/polls/{poll['id']}")
    assert "Options that wait for you" in page
    assert "&lt;i&gt;Tart&lt;/i&gt;" in page
    assert "Tart" not in read(room.ana, f"/polls/{poll['id']}")
    vote(room.ana, poll, "Cake")
    room.mei.post(f"/polls/{poll['id']}/close")
    page = read(room.bo, f"/polls/{poll['id']}")
    assert "Ana: Cake" in page
    assert "result.json" in page
