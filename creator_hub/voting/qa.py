"""Q&A sessions: opening, asking, upvoting, closing. What the staff does with a question is in questions.py."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from creator_hub import streams
from creator_hub.core import clock
from creator_hub.core.access import Actor, Permission
from creator_hub.core.errors import Conflict, Invalid
from creator_hub.core.ids import new_id
from creator_hub.groups.doors import channel_by_id
from creator_hub.groups.mutes import refuse_muted
from creator_hub.voting import qa_queries, tellings
from creator_hub.voting.qa_doors import QaDoor, qa_by_id, question_by_id
from creator_hub.voting.qa_models import WAITING, QaSession, Question, QuestionUpvote
from creator_hub.voting.standing_lock import hold

MOST_WAITING_PER_PERSON, MOST_QUESTIONS = 5, 2_000
RANKED, KIND = "question.ranked", "qa"


def open_session(
    session: Session,
    actor: Actor,
    channel_id: uuid.UUID,
    *,
    title: str,
    starts_at: datetime | None,
    anonymous_allowed: bool,
    moderated: bool,
) -> QaSession:
    """A session that takes questions from now on, whenever the answers begin."""
    channel_by_id(session, actor, channel_id, Permission.RUN_VOTES)
    at = clock.now()
    if starts_at is not None and starts_at <= at:
        raise Invalid(errors={"starts_at": ["Choose a moment in the future, or leave it out."]})
    qa = QaSession(
        id=new_id(),
        channel_id=channel_id,
        title=title,
        anonymous_allowed=anonymous_allowed,
        moderated=moderated,
        starts_at=starts_at,
        created_by=actor.person(),
        created_at=at,
    )
    session.add(qa)
    session.flush()
    streams.append(session, channel_id, "qa.opened", qa_queries.session_wire(qa), subject_id=qa.id)
    return qa


def ask(session: Session, actor: Actor, qa_id: uuid.UUID, text: str, *, anonymous: bool) -> Question:
    """Ask. At most `MOST_WAITING_PER_PERSON` of one person's questions wait at a time."""
    door = _held(session, actor, qa_id)
    if anonymous and not door.qa.anonymous_allowed:
        raise Invalid(errors={"anonymous": ["Questions carry a name in this session."]})
    refuse_muted(session, door.group.id, actor.person())
    _refuse_flood(session, actor, door.qa)
    question = Question(
        id=new_id(),
        session_id=qa_id,
        author_id=actor.person(),
        anonymous=anonymous,
        text=text,
        state="asked",
        announced=not door.qa.moderated or door.is_staff,
        asked_at=clock.now(),
    )
    session.add(question)
    session.flush()
    if question.announced:
        announce(session, door.qa, question)
    tellings.changed(session, KIND, qa_id)
    return question


def upvote(session: Session, actor: Actor, question_id: uuid.UUID, *, present: bool) -> None:
    """Give a question one's voice, or take it back; doing it twice is once."""
    door = question_by_id(session, actor, question_id, Permission.VOTE)
    hold(session, door.through.group.id, actor.person())
    _lock(session, door.question.session_id, shared=True)
    door = question_by_id(session, actor, question_id, Permission.VOTE)
    _refuse_closed(door.through.qa)
    if door.question.state not in WAITING:
        raise Conflict("This question is settled.", code="question_settled")
    key = {"question_id": question_id, "user_id": actor.person()}
    if present:
        changed = session.execute(
            insert(QuestionUpvote).values(**key).on_conflict_do_nothing().returning(QuestionUpvote.user_id)
        ).all()
    else:
        changed = session.execute(delete(QuestionUpvote).filter_by(**key).returning(QuestionUpvote.user_id)).all()
    if changed:
        tellings.changed(session, KIND, door.question.session_id)


def close(session: Session, actor: Actor, qa_id: uuid.UUID) -> QaSession:
    """Close for questions and votes; closing what is closed changes nothing. Names of anonymous authors are erased.
    Open questions can still be answered afterwards."""
    qa = locked(session, actor, qa_id, Permission.RUN_VOTES).qa
    if qa.closed_at is not None:
        return qa
    qa.closed_at = clock.now()
    session.execute(update(Question).where(Question.session_id == qa_id, Question.anonymous).values(author_id=None))
    session.execute(
        update(Question).where(Question.session_id == qa_id, Question.state == "live").values(state="approved")
    )
    session.flush()
    shown = qa_queries.sessions_wire(session, [qa])[0]
    left = [each for each in shown.pop("questions") if each["state"] in WAITING]
    streams.append(session, qa.channel_id, "qa.closed", shown | {"unanswered": left}, subject_id=qa.id)
    return qa


def announce(session: Session, qa: QaSession, question: Question) -> None:
    """Show a question to the channel for the first time."""
    question.announced = True
    session.flush()
    data = {"qa_id": str(qa.id), "question": qa_queries.questions_wire(session, [question])[0]}
    streams.append(session, qa.channel_id, "question.asked", data, subject_id=question.id)


def locked(session: Session, actor: Actor, qa_id: uuid.UUID, permission: Permission) -> QaDoor:
    """Door, lock, door again: strangers never hold the lock, and what the lock waited for is seen."""
    qa_by_id(session, actor, qa_id, permission)
    _lock(session, qa_id)
    return qa_by_id(session, actor, qa_id, permission)


def _held(session: Session, actor: Actor, qa_id: uuid.UUID) -> QaDoor:
    door = qa_by_id(session, actor, qa_id, Permission.VOTE)
    _refuse_closed(door.qa)
    hold(session, door.group.id, actor.person())
    door = locked(session, actor, qa_id, Permission.VOTE)
    _refuse_closed(door.qa)
    return door


def _lock(session: Session, qa_id: uuid.UUID, *, shared: bool = False) -> None:
    """Shared locks let votes pass each other; the close waits for all of them."""
    session.execute(select(QaSession.id).where(QaSession.id == qa_id).with_for_update(read=shared, key_share=shared))


def _refuse_closed(qa: QaSession) -> None:
    if qa.closed_at is not None:
        raise Conflict("This session is closed.", code="qa_closed")


def _refuse_flood(session: Session, actor: Actor, qa: QaSession) -> None:
    mine, everybodys = session.execute(
        select(
            func.count().filter(Question.author_id == actor.person(), Question.state.in_(WAITING)), func.count()
        ).where(Question.session_id == qa.id)
    ).one()
    if mine >= MOST_WAITING_PER_PERSON:
        raise Conflict("As many of your questions wait as may. Vote for those of others.", code="too_many_questions")
    if everybodys >= MOST_QUESTIONS:
        raise Conflict("This session has as many questions as it can hold.", code="too_many_questions")


@tellings.teller(KIND)
def _ranking(session: Session, qa_id: uuid.UUID) -> tellings.News | None:
    """What changes fastest: the order and the votes. Questions not yet announced are only counted as changes."""
    qa = session.get(QaSession, qa_id, populate_existing=True)
    if qa is None or qa.closed_at is not None:
        return None
    questions = qa_queries.questions_of(session, [qa_id])[qa_id]
    votes = qa_queries.upvotes_of(session, [each.id for each in questions])
    ranked = [{"id": str(each.id), "upvotes": votes[each.id]} for each in questions]
    return tellings.News(qa.channel_id, RANKED, {"questions": ranked})
