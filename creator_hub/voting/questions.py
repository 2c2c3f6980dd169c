"""What becomes of a question: asked → approved → live → answered or skipped. One is live at a time."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub import streams
from creator_hub.core import clock
from creator_hub.core.access import Actor, Permission
from creator_hub.core.errors import Conflict, NotAllowed
from creator_hub.groups import audit
from creator_hub.streams import StreamEvent
from creator_hub.voting import qa, qa_queries, tellings
from creator_hub.voting.qa_doors import QuestionDoor, question_by_id
from creator_hub.voting.qa_models import QaSession, Question


def approve(session: Session, actor: Actor, question_id: uuid.UUID) -> Question:
    """Let a question stand; in a moderated session everybody sees it from now on."""
    door = _locked(session, actor, question_id, ("asked", "approved", "skipped"), open_only=True)
    return _become(session, door, "approved")


def take_up(session: Session, actor: Actor, question_id: uuid.UUID) -> Question:
    """Make it the one that is being answered; the one before goes back to the line."""
    door = _locked(session, actor, question_id, ("asked", "approved", "live"), open_only=True)
    before = session.scalars(
        select(Question).where(Question.session_id == door.question.session_id, Question.state == "live")
    ).one_or_none()
    if before is not None and before.id != question_id:
        before.state = "approved"
        session.flush()
        tell_changed(session, door.through.qa, before)
    return _become(session, door, "live")


def answer(session: Session, actor: Actor, question_id: uuid.UUID, text: str) -> Question:
    """Answer, or improve the answer; also after the session has closed."""
    door = _locked(session, actor, question_id, ("asked", "approved", "live", "skipped", "answered"))
    door.question.answer, door.question.answered_by = text, actor.person()
    door.question.answered_at = clock.now()
    return _become(session, door, "answered")


def skip(session: Session, actor: Actor, question_id: uuid.UUID) -> Question:
    """Leave it unanswered, visibly."""
    door = _locked(session, actor, question_id, ("asked", "approved", "live", "skipped"))
    return _become(session, door, "skipped")


def pin(session: Session, actor: Actor, question_id: uuid.UUID, *, pinned: bool) -> Question:
    """Put a question before all others, or back in its place."""
    door = _locked(session, actor, question_id, ("asked", "approved", "live", "answered"))
    door.question.pinned = pinned
    return _become(session, door, door.question.state)


def remove(session: Session, actor: Actor, question_id: uuid.UUID) -> None:
    """Take back one's own question, or as staff somebody's; its words go from every event too."""
    door = question_by_id(session, actor, question_id, Permission.VOTE)
    question, own = door.question, door.question.author_id == actor.user_id
    if not own and not door.through.is_staff:
        raise NotAllowed("Only its author and the staff can remove a question.")
    qa.locked(session, actor, question.session_id, Permission.VOTE)
    question_by_id(session, actor, question_id, Permission.VOTE)
    question.text, question.state, question.pinned = "", "removed", False
    question.answer = question.answered_by = question.answered_at = None
    session.flush()
    if not own:
        audit.note(session, door.through.group, actor, "question.removed", subject_id=question.id)
    data = _data(session, door.through.qa, question)
    told = select(StreamEvent.seq).where(
        StreamEvent.subject_id == question_id, StreamEvent.stream_id == door.through.qa.channel_id
    )
    for seq in session.scalars(told).all():
        streams.rewrite(session, door.through.qa.channel_id, seq, data)
    if question.announced:
        tell_changed(session, door.through.qa, question)
    tellings.changed(session, qa.KIND, question.session_id)


def tell_changed(session: Session, of: QaSession, question: Question) -> None:
    streams.append(session, of.channel_id, "question.changed", _data(session, of, question), subject_id=question.id)


def _locked(
    session: Session, actor: Actor, question_id: uuid.UUID, states: Iterable[str], *, open_only: bool = False
) -> QuestionDoor:
    """The question under its session's lock, in one of the states that allow the step."""
    door = question_by_id(session, actor, question_id, Permission.RUN_VOTES)
    qa.locked(session, actor, door.question.session_id, Permission.RUN_VOTES)
    door = question_by_id(session, actor, question_id, Permission.RUN_VOTES)
    if open_only and door.through.qa.closed_at is not None:
        raise Conflict("This session is closed.", code="qa_closed")
    if door.question.state not in states:
        raise Conflict(f"That is not possible with a question that is {door.question.state}.", code="question_settled")
    return door


def _become(session: Session, door: QuestionDoor, state: str) -> Question:
    """Move on and tell: what the channel has never heard of is announced with its new state."""
    question = door.question
    question.state = state
    session.flush()
    if not question.announced and state in ("approved", "live", "answered"):
        qa.announce(session, door.through.qa, question)
    elif question.announced:
        tell_changed(session, door.through.qa, question)
    tellings.changed(session, qa.KIND, question.session_id)
    return question


def _data(session: Session, of: QaSession, question: Question) -> dict[str, Any]:
    return {"qa_id": str(of.id), "question": qa_queries.questions_wire(session, [question])[0]}
