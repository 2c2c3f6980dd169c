"""Polls to which options come while they run: from the staff, from members, with or without approval."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.voting.conftest import Room
from tests.voting.test_polls import vote


def add(who: Any, poll: dict[str, Any], text: str) -> Any:
    return who.post(f"/polls/{poll['id']}/options", {"text": text})


def texts(who: Any, poll: dict[str, Any]) -> list[str]:
    return [option["text"] for option in who.get(f"/polls/{poll['id']}").json["options"]]


def test_the_staff_adds_options_and_history_shows_them_too(room: Room) -> None:
    poll = room.poll()
    assert add(room.ana, poll, "Tart").status_code == 403
    assert len(add(room.mei, poll, "Tart").json["options"]) == 4
    assert [option["text"] for option in room.events("poll.opened")[0]["data"]["options"]][-1] == "Tart"


def test_an_option_twice_with_other_capitals_or_spaces_is_refused(room: Room) -> None:
    poll = room.poll(adding="members")
    assert add(room.ana, poll, "Red cake").status_code == 201
    for again in ("red CAKE", "Red   cake", "CAKE", "ｃａｋｅ"):
        refused = add(room.bo, poll, again)
        assert (refused.status_code, list(refused.json["errors"])) == (422, ["text"]), again
    assert texts(room.bo, poll) == ["Cake", "Bread", "Pie", "Red cake"]


def test_members_add_where_they_may_and_each_only_so_many(room: Room) -> None:
    poll = room.poll(method="approval", adding="members")
    for n in range(3):
        assert add(room.ana, poll, f"Tart {n}").status_code == 201
    assert add(room.ana, poll, "Tart 4").json["code"] == "too_many_options"
    shown = room.bo.get(f"/polls/{poll['id']}").json
    assert (len(shown["options"]), shown["max_choices"]) == (6, 6)
    chosen = [option["id"] for option in shown["options"]]
    assert room.bo.put(f"/polls/{poll['id']}/ballot", {"choices": chosen}).status_code == 200


def test_with_approval_an_option_stands_when_the_staff_says_so(room: Room) -> None:
    poll = room.poll(adding="approval")
    added = add(room.ana, poll, "Tart").json
    assert [option["text"] for option in added["options"]] == ["Cake", "Bread", "Pie"]
    assert "waiting_options" not in added
    add(room.ana, poll, "Nonsense")
    tart, nonsense = room.mei.get(f"/polls/{poll['id']}").json["waiting_options"]
    path = f"/polls/{poll['id']}/options"
    assert room.ana.post(f"{path}/{tart['id']}/approve").status_code == 403
    assert room.mei.post(f"{path}/{tart['id']}/approve").status_code == 200
    assert room.mei.post(f"{path}/{nonsense['id']}/refuse").json["waiting_options"] == []
    assert texts(room.bo, poll) == ["Cake", "Bread", "Pie", "Tart"]
    assert room.bo.put(f"/polls/{poll['id']}/ballot", {"choices": [nonsense["id"]]}).status_code == 422
    assert room.bo.put(f"/polls/{poll['id']}/ballot", {"choices": [tart["id"]]}).status_code == 200
    assert room.mei.post(f"{path}/{tart['id']}/refuse").json["code"] == "option_stands"
    assert add(room.bo, poll, "nonsense").status_code == 422


def test_the_same_option_from_many_at_once_is_there_once(room: Room) -> None:
    poll = room.poll(adding="members")
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda who: add(who, poll, "Tart").status_code, (room.mei, room.ana, room.bo, room.chen))
        )
    assert sorted(answers) == [201, 422, 422, 422]


def test_no_option_comes_after_somebody_voted_for_good_or_after_the_close(room: Room) -> None:
    poll = room.poll(revote=False, adding="members")
    vote(room.ana, poll, "Cake")
    assert add(room.mei, poll, "Tart").json["code"] == "already_voted"
    room.mei.post(f"/polls/{poll['id']}/close")
    assert add(room.mei, poll, "Tart").json["code"] == "poll_closed"
