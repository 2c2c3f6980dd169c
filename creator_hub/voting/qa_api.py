"""JSON routes of Q&A."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import route
from creator_hub.core.paging import PageRequest
from creator_hub.core.schemas import ListQuery
from creator_hub.groups.doors import channel_by_id, group_by_handle
from creator_hub.voting import qa, qa_queries, questions
from creator_hub.voting.poll_api import VOTES
from creator_hub.voting.qa_doors import qa_by_id
from creator_hub.voting.qa_models import WAITING, QaSession, Question
from creator_hub.voting.qa_schemas import (
    AnswerIn,
    QaIn,
    QaOut,
    QaPage,
    QuestionIn,
    QuestionList,
    QuestionOut,
    SearchQuery,
)

ASKS = "10/minute"


@route(
    "POST",
    "/channels/<uuid:channel_id>/qa",
    permission=Permission.RUN_VOTES,
    body=QaIn(),
    answer=QaOut(),
    status=201,
)
def open_qa(session: Session, actor: Actor, channel_id: uuid.UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Open a Q&A in a channel; questions may come before it starts."""
    return _shown(session, actor, qa.open_session(session, actor, channel_id, **body), is_staff=True)


@route(
    "GET",
    "/channels/<uuid:channel_id>/qa",
    permission=Permission.READ_CHANNEL,
    query=ListQuery(),
    answer=QaPage(),
)
def list_qa(session: Session, actor: Actor, channel_id: uuid.UUID, query: PageRequest) -> dict[str, Any]:
    """A channel's Q&A sessions with their questions, newest first."""
    door = channel_by_id(session, actor, channel_id, Permission.READ_CHANNEL)
    page = qa_queries.sessions_in(session, channel_id, query)
    is_staff = door.standing.role in ("creator", "moderator")
    items = qa_queries.sessions_wire(session, page.items, viewer=actor.person(), is_staff=is_staff)
    return {"items": items, "next": page.next}


@route("GET", "/qa/<uuid:qa_id>", permission=Permission.READ_CHANNEL, answer=QaOut())
def get_qa(session: Session, actor: Actor, qa_id: uuid.UUID) -> dict[str, Any]:
    """A session with its questions, those first that deserve an answer first."""
    door = qa_by_id(session, actor, qa_id, Permission.READ_CHANNEL)
    return _shown(session, actor, door.qa, is_staff=door.is_staff)


@route(
    "POST",
    "/qa/<uuid:qa_id>/questions",
    permission=Permission.VOTE,
    body=QuestionIn(),
    answer=QuestionOut(),
    status=201,
    limit=ASKS,
)
def ask(session: Session, actor: Actor, qa_id: uuid.UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Ask a question."""
    return _question(session, actor, qa.ask(session, actor, qa_id, **body))


@route("POST", "/qa/<uuid:qa_id>/close", permission=Permission.RUN_VOTES, answer=QaOut())
def close_qa(session: Session, actor: Actor, qa_id: uuid.UUID) -> dict[str, Any]:
    """Close the session; `unanswered` lists what is still open."""
    shown = _shown(session, actor, qa.close(session, actor, qa_id), is_staff=True)
    return shown | {"unanswered": [each for each in shown["questions"] if each["state"] in WAITING]}


@route("PUT", "/questions/<uuid:question_id>/upvote", permission=Permission.VOTE, status=204, limit=VOTES)
def upvote(session: Session, actor: Actor, question_id: uuid.UUID) -> None:
    """Give a question one's voice."""
    qa.upvote(session, actor, question_id, present=True)


@route("DELETE", "/questions/<uuid:question_id>/upvote", permission=Permission.VOTE, status=204, limit=VOTES)
def take_upvote_back(session: Session, actor: Actor, question_id: uuid.UUID) -> None:
    """Take one's voice back."""
    qa.upvote(session, actor, question_id, present=False)


@route("POST", "/questions/<uuid:question_id>/approve", permission=Permission.RUN_VOTES, answer=QuestionOut())
def approve(session: Session, actor: Actor, question_id: uuid.UUID) -> dict[str, Any]:
    """Let a question stand."""
    return _question(session, actor, questions.approve(session, actor, question_id))


@route("POST", "/questions/<uuid:question_id>/live", permission=Permission.RUN_VOTES, answer=QuestionOut())
def take_up(session: Session, actor: Actor, question_id: uuid.UUID) -> dict[str, Any]:
    """Make it the question that is being answered."""
    return _question(session, actor, questions.take_up(session, actor, question_id))


@route("POST", "/questions/<uuid:question_id>/pin", permission=Permission.RUN_VOTES, answer=QuestionOut())
def pin(session: Session, actor: Actor, question_id: uuid.UUID) -> dict[str, Any]:
    """Put a question before all others."""
    return _question(session, actor, questions.pin(session, actor, question_id, pinned=True))


@route("DELETE", "/questions/<uuid:question_id>/pin", permission=Permission.RUN_VOTES, answer=QuestionOut())
def unpin(session: Session, actor: Actor, question_id: uuid.UUID) -> dict[str, Any]:
    """Put a question back in its place."""
    return _question(session, actor, questions.pin(session, actor, question_id, pinned=False))


@route(
    "POST",
    "/questions/<uuid:question_id>/answer",
    permission=Permission.RUN_VOTES,
    body=AnswerIn(),
    answer=QuestionOut(),
)
def answer(session: Session, actor: Actor, question_id: uuid.UUID, body: dict[str, str]) -> dict[str, Any]:
    """Answer a question, or improve its answer."""
    return _question(session, actor, questions.answer(session, actor, question_id, body["text"]))


@route("POST", "/questions/<uuid:question_id>/skip", permission=Permission.RUN_VOTES, answer=QuestionOut())
def skip(session: Session, actor: Actor, question_id: uuid.UUID) -> dict[str, Any]:
    """Leave a question unanswered, visibly."""
    return _question(session, actor, questions.skip(session, actor, question_id))


@route("DELETE", "/questions/<uuid:question_id>", permission=Permission.VOTE, status=204, limit=VOTES)
def remove(session: Session, actor: Actor, question_id: uuid.UUID) -> None:
    """Take back one's own question, or as staff somebody's."""
    questions.remove(session, actor, question_id)


@route(
    "GET", "/groups/<handle>/questions", permission=Permission.READ_CHANNEL, query=SearchQuery(), answer=QuestionList()
)
def search(session: Session, actor: Actor, handle: str, query: dict[str, str]) -> dict[str, Any]:
    """Search the group's questions and answers."""
    door = group_by_handle(session, actor, handle, Permission.READ_CHANNEL)
    return {"items": qa_queries.search(session, door.group, door.standing, query["q"]), "next": None}


def _shown(session: Session, actor: Actor, found: QaSession, *, is_staff: bool) -> dict[str, Any]:
    return qa_queries.sessions_wire(session, [found], viewer=actor.person(), is_staff=is_staff)[0]


def _question(session: Session, actor: Actor, found: Question) -> dict[str, Any]:
    return qa_queries.questions_wire(session, [found], actor.person())[0]
