"""What a live Q&A promises: everybody may ask, the group's votes make the order, no name leaks, nothing gets lost."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from creator_hub.core.db import unit_of_work
from creator_hub.streams import StreamEvent
from creator_hub.voting import tellings
from creator_hub.voting.qa_models import Question
from creator_hub.voting.tellings import TallyMark, Telling
from tests.support.client import Browser
from tests.voting.conftest import Room, wait


def open_qa(room: Room, **more: Any) -> dict[str, Any]:
    answer = room.mei.post(f"/channels/{room.channel}/qa", {"title": "Ask me anything", **more})
    assert answer.status_code == 201, answer.json
    return answer.json


def ask(who: Browser, qa: dict[str, Any], text: str, **more: Any) -> Any:
    return who.post(f"/qa/{qa['id']}/questions", {"text": text, **more})


def questions(who: Browser, qa: dict[str, Any]) -> list[dict[str, Any]]:
    return who.get(f"/qa/{qa['id']}").json["questions"]


def texts(who: Browser, qa: dict[str, Any]) -> list[str]:
    return [each["text"] for each in questions(who, qa)]


def step(room: Room, question: dict[str, Any], name: str, body: dict[str, Any] | None = None) -> Any:
    return room.mei.post(f"/questions/{question['id']}/{name}", body)


def test_members_ask_vote_and_the_creator_answers(room: Room) -> None:
    qa = open_qa(room)
    assert (qa["state"], qa["questions"]) == ("open", [])
    flour = ask(room.ana, qa, "Which flour?").json
    oven = ask(room.bo, qa, "Which oven?").json
    assert (flour["author"]["handle"], flour["state"], flour["upvotes"]) == ("ana", "asked", 0)
    for who in (room.ana, room.chen):
        assert who.put(f"/questions/{oven['id']}/upvote").status_code == 204
    assert room.chen.put(f"/questions/{oven['id']}/upvote").status_code == 204
    assert texts(room.ana, qa) == ["Which oven?", "Which flour?"]
    assert step(room, oven, "approve").json["state"] == "approved"
    assert step(room, oven, "live").json["state"] == "live"
    answered = step(room, oven, "answer", {"text": "A stone one."}).json
    assert (answered["state"], answered["answer"], answered["answered_by"]["handle"]) == (
        "answered",
        "A stone one.",
        "mei",
    )
    assert step(room, flour, "skip").json["state"] == "skipped"
    told = [(event["kind"], event["data"]["question"]["state"]) for event in room.events("question.")]
    assert told[:2] == [("question.asked", "asked"), ("question.asked", "asked")]
    assert [state for kind, state in told if kind == "question.changed"] == ["approved", "live", "answered", "skipped"]
    listed = room.ana.get(f"/channels/{room.channel}/qa").json["items"]
    assert [each["upvotes"] for each in listed[0]["questions"]] == [2, 0]


def test_among_equal_votes_the_earlier_question_comes_first_and_pinned_ones_before_all(room: Room) -> None:
    qa = open_qa(room)
    first, second, third = (ask(room.ana, qa, text).json for text in ("First", "Second", "Third"))
    assert texts(room.bo, qa) == ["First", "Second", "Third"]
    room.bo.put(f"/questions/{third['id']}/upvote")
    room.chen.put(f"/questions/{second['id']}/upvote")
    assert texts(room.bo, qa) == ["Second", "Third", "First"]
    assert step(room, first, "pin").json["pinned"] is True
    assert texts(room.bo, qa) == ["First", "Second", "Third"]
    room.mei.delete(f"/questions/{first['id']}/pin")
    room.chen.delete(f"/questions/{second['id']}/upvote")
    assert texts(room.bo, qa) == ["Third", "First", "Second"]


def test_one_question_is_live_at_a_time(room: Room) -> None:
    qa = open_qa(room)
    one, two = ask(room.ana, qa, "One?").json, ask(room.bo, qa, "Two?").json
    step(room, one, "live")
    step(room, two, "live")
    assert {each["text"]: each["state"] for each in questions(room.ana, qa)} == {"One?": "approved", "Two?": "live"}
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda q: step(room, q, "live").status_code, (one, two, one, two)))
    assert set(statuses) == {200}
    assert sorted(each["state"] for each in questions(room.ana, qa)) == ["approved", "live"]


def test_an_anonymous_author_is_shown_to_nobody_and_forgotten_at_the_close(room: Room) -> None:
    named_only = open_qa(room)
    assert list(ask(room.ana, named_only, "Who?", anonymous=True).json["errors"]) == ["anonymous"]
    qa = open_qa(room, anonymous_allowed=True)
    asked = ask(room.ana, qa, "Are you well?", anonymous=True).json
    assert (asked["author"], asked["mine"]) == (None, True)
    ana = room.ana.get("/me").json
    for who in (room.bo, room.mei):
        seen = who.get(f"/qa/{qa['id']}").get_data(as_text=True)
        assert "Are you well?" in seen
        assert ana["id"] not in seen
        assert '"ana"' not in seen
    assert ana["id"] not in str(room.events("question."))
    with unit_of_work() as session:
        kept = session.scalars(select(StreamEvent.author_id).where(StreamEvent.kind == "question.asked"))
        assert set(kept) == {None}
    room.mei.post(f"/qa/{qa['id']}/close")
    with unit_of_work() as session:
        assert session.scalars(select(Question.author_id).where(Question.anonymous)).all() == [None]


def test_in_a_moderated_session_others_see_a_question_when_it_is_approved(room: Room) -> None:
    qa = open_qa(room, moderated=True)
    rude = ask(room.ana, qa, "Rude?").json
    assert (texts(room.ana, qa), texts(room.bo, qa), texts(room.mei, qa)) == (["Rude?"], [], ["Rude?"])
    assert room.bo.put(f"/questions/{rude['id']}/upvote").status_code == 404
    assert room.events("question.") == []
    step(room, rude, "skip")
    assert room.events("question.") == []
    step(room, rude, "approve")
    assert texts(room.bo, qa) == ["Rude?"]
    assert [event["kind"] for event in room.events("question.")] == ["question.asked"]


def test_closing_lists_what_was_not_answered_and_answers_may_still_follow(room: Room) -> None:
    qa = open_qa(room)
    one, two, three = (ask(room.ana, qa, text).json for text in ("One?", "Two?", "Three?"))
    step(room, one, "answer", {"text": "Yes."})
    step(room, two, "live")
    closed = room.mei.post(f"/qa/{qa['id']}/close").json
    assert closed["state"] == "closed"
    assert [each["text"] for each in closed["unanswered"]] == ["Two?", "Three?"]
    assert room.mei.post(f"/qa/{qa['id']}/close").status_code == 200
    events = room.events("qa.")
    assert [event["kind"] for event in events] == ["qa.opened", "qa.closed"]
    assert [each["text"] for each in events[1]["data"]["unanswered"]] == ["Two?", "Three?"]
    assert ask(room.bo, qa, "Late?").json["code"] == "qa_closed"
    assert room.bo.put(f"/questions/{two['id']}/upvote").json["code"] == "qa_closed"
    for name in ("approve", "live"):
        assert step(room, three, name).json["code"] == "qa_closed"
    assert step(room, three, "answer", {"text": "Later."}).json["state"] == "answered"
    page = room.bo.page(f"/qa/{qa['id']}").get_data(as_text=True)
    assert page.index("Yes.") < page.index("Not answered") < page.index("Two?")


def test_questions_and_answers_are_found_by_their_words(room: Room) -> None:
    qa = open_qa(room)
    step(room, ask(room.ana, qa, "Which flour for 100% rye?").json, "answer", {"text": "Wholemeal."})
    ask(room.bo, qa, "Which oven?")
    for words, found in (("wholemeal", 1), ("which", 2), ("100%", 1), ("%", 1), ("gluten", 0)):
        answer = room.chen.get("/groups/mei/questions", query_string={"q": words})
        assert len(answer.json["items"]) == found, words
    assert "Which oven?" in room.chen.page("/g/mei/qa?q=oven").get_data(as_text=True)
    assert "Ask me anything" in room.chen.page("/g/mei/qa").get_data(as_text=True)


def test_removed_words_are_gone_from_the_list_the_search_and_the_history(room: Room) -> None:
    qa = open_qa(room)
    own, rude = ask(room.ana, qa, "Oops secret").json, ask(room.bo, qa, "Rude words").json
    assert room.ana.delete(f"/questions/{rude['id']}").status_code == 403
    assert room.ana.delete(f"/questions/{own['id']}").status_code == 204
    assert room.mei.delete(f"/questions/{rude['id']}").status_code == 204
    assert texts(room.bo, qa) == []
    history = str(room.events("question."))
    assert "secret" not in history
    assert "Rude" not in history
    assert room.bo.get("/groups/mei/questions?q=secret").json["items"] == []
    assert step(room, own, "answer", {"text": "?"}).status_code == 404
    assert "question.removed" in room.mei.get("/groups/mei/audit").get_data(as_text=True)


def test_nobody_floods_a_session(room: Room) -> None:
    qa = open_qa(room)
    answers = [ask(room.ana, qa, f"Question {n}?") for n in range(6)]
    assert [each.status_code for each in answers] == [201] * 5 + [409]
    assert answers[-1].json["code"] == "too_many_questions"
    step(room, answers[0].json, "answer", {"text": "One less."})
    assert ask(room.ana, qa, "One more?").status_code == 201
    statuses = [ask(room.ana, qa, "Again?").status_code for _ in range(4)]
    assert statuses[-1] == 429


def test_the_muted_ask_nothing_and_the_banned_find_nothing(room: Room) -> None:
    qa = open_qa(room)
    ana, bo = room.ana.get("/me").json["id"], room.bo.get("/me").json["id"]
    assert room.mei.post("/groups/mei/mutes", {"user_id": ana, "reason": "shouting"}).status_code == 201
    assert ask(room.ana, qa, "MAY I?").json["code"] == "muted"
    room.mei.post("/groups/mei/bans", {"user_id": bo, "reason": "spam"})
    assert ask(room.bo, qa, "And I?").status_code == 404
    assert room.bo.get(f"/qa/{qa['id']}").status_code == 404


def test_only_staff_runs_a_session_and_strangers_see_none(room: Room, browser: Callable[[], Browser]) -> None:
    assert room.ana.post(f"/channels/{room.channel}/qa", {"title": "Mine"}).status_code == 403
    qa = open_qa(room)
    asked = ask(room.ana, qa, "May I?").json
    for name, body in (("approve", {}), ("live", {}), ("pin", {}), ("skip", {}), ("answer", {"text": "I may."})):
        assert room.bo.post(f"/questions/{asked['id']}/{name}", body).status_code == 403
    assert room.bo.post(f"/qa/{qa['id']}/close").status_code == 403
    assert room.bo.page(f"/qa/{qa['id']}/present").status_code == 403
    assert room.mei.page(f"/qa/{qa['id']}/present").status_code == 200
    fay = browser()
    fay.sign_up_with_roles("fay", ["admin", "finance", "support"])
    assert ask(fay, qa, "Hello?").status_code == 404
    for path in (f"/qa/{qa['id']}", f"/channels/{room.channel}/qa"):
        assert fay.get(path).status_code == 404
    assert fay.put(f"/questions/{asked['id']}/upvote").status_code == 404
    assert fay.get(f"/qa/{uuid.uuid4()}").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [({"text": ""}, "text"), ({"text": "x" * 501}, "text"), ({"text": "?", "surprise": 1}, "surprise"), ({}, "text")],
)
def test_bad_questions_are_refused_by_field(room: Room, body: dict[str, Any], field: str) -> None:
    answer = room.ana.post(f"/qa/{open_qa(room)['id']}/questions", body)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_markup_in_a_question_stays_text(room: Room) -> None:
    qa = open_qa(room, title="<script>alert(1)</script>")
    ask(room.ana, qa, "<img src=x onerror=alert(1)>")
    room.mei.post(f"/qa/{qa['id']}/close")
    page = room.bo.page(f"/qa/{qa['id']}").get_data(as_text=True)
    assert "<img src=x" not in page
    assert "<script>alert" not in page


def test_thirty_votes_of_one_person_at_once_are_one(room: Room) -> None:
    qa = open_qa(room)
    asked = ask(room.ana, qa, "Me?").json
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: room.bo.put(f"/questions/{asked['id']}/upvote").status_code, range(30)))
    assert set(statuses) == {204}
    assert questions(room.ana, qa)[0]["upvotes"] == 1


def test_votes_are_told_at_most_four_times_a_second_and_none_is_forgotten(room: Room) -> None:
    qa = open_qa(room)
    asked = ask(room.ana, qa, "Me?").json
    for who in (room.bo, room.chen, room.mei):
        who.put(f"/questions/{asked['id']}/upvote")
    wait(seconds=1)
    with unit_of_work() as session:
        tellings.tell_late(session)
    with unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(TallyMark)) == 0
        assert session.get_one(Telling, uuid.UUID(qa["id"])).version == 4
