"""Reads of Q&A: sessions with their questions, in the order in which they deserve an answer."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from creator_hub.accounts.queries import PublicUser, people
from creator_hub.core.paging import Page, PageRequest, paginate
from creator_hub.core.schemas import rfc3339
from creator_hub.groups.models import Group
from creator_hub.groups.queries import channels_visible_to
from creator_hub.groups.standing import Standing
from creator_hub.voting.qa_models import WAITING, QaSession, Question, QuestionUpvote

MOST_FOUND = 50


def sessions_in(session: Session, channel_id: uuid.UUID, asked: PageRequest) -> Page[QaSession]:
    return paginate(session, select(QaSession).where(QaSession.channel_id == channel_id), QaSession.id, asked)


def sessions_for(session: Session, group: Group, standing: Standing) -> Sequence[QaSession]:
    """The sessions in the channels this person sees, newest first."""
    visible = [channel.id for channel in channels_visible_to(session, group, standing)]
    return session.scalars(
        select(QaSession).where(QaSession.channel_id.in_(visible)).order_by(QaSession.id.desc())
    ).all()


def questions_of(
    session: Session, qa_ids: Sequence[uuid.UUID], *, viewer: uuid.UUID | None = None, is_staff: bool = False
) -> dict[uuid.UUID, list[Question]]:
    """The questions that can be seen: announced ones, the viewer's own, for the staff all. Pinned first, then by votes;
    among equals the earlier first, so that nobody overtakes by coming late."""
    upvotes = (
        select(func.count()).where(QuestionUpvote.question_id == Question.id).correlate(Question).scalar_subquery()
    )
    query = select(Question).where(Question.session_id.in_(qa_ids), Question.state != "removed")
    if not is_staff:
        own = Question.author_id == viewer if viewer else Question.id.is_(None)
        query = query.where(or_(Question.announced, own))
    rows = session.scalars(
        query.order_by(Question.pinned.desc(), upvotes.desc(), Question.asked_at, Question.id).execution_options(
            populate_existing=True
        )
    )
    found: dict[uuid.UUID, list[Question]] = {qa_id: [] for qa_id in qa_ids}
    for question in rows:
        found[question.session_id].append(question)
    return found


def upvotes_of(session: Session, question_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    rows = session.execute(
        select(QuestionUpvote.question_id, func.count().label("votes"))
        .where(QuestionUpvote.question_id.in_(question_ids))
        .group_by(QuestionUpvote.question_id)
    ).all()
    return dict.fromkeys(question_ids, 0) | {row.question_id: row.votes for row in rows}


def waiting(session: Session, qa_id: uuid.UUID) -> int:
    """How many questions are neither answered nor skipped."""
    query = select(func.count()).where(Question.session_id == qa_id, Question.state.in_(WAITING))
    return session.scalar(query) or 0


def search(session: Session, group: Group, standing: Standing, words: str) -> list[dict[str, Any]]:
    """Announced questions and answers that contain the words, newest first, each with its session."""
    visible = [channel.id for channel in channels_visible_to(session, group, standing)]
    rows = session.execute(
        select(Question, QaSession)
        .join(QaSession, QaSession.id == Question.session_id)
        .where(
            QaSession.channel_id.in_(visible),
            Question.announced,
            Question.state != "removed",
            or_(Question.text.icontains(words, autoescape=True), Question.answer.icontains(words, autoescape=True)),
        )
        .order_by(Question.id.desc())
        .limit(MOST_FOUND)
    ).all()
    shown = questions_wire(session, [row.Question for row in rows])
    return [
        question | {"qa_id": str(row.QaSession.id), "qa_title": row.QaSession.title}
        for question, row in zip(shown, rows, strict=True)
    ]


def sessions_wire(
    session: Session, sessions: Sequence[QaSession], *, viewer: uuid.UUID | None = None, is_staff: bool = False
) -> list[dict[str, Any]]:
    """Sessions with their questions. For a `viewer`: which they asked and which they voted for."""
    questions = questions_of(session, [qa.id for qa in sessions], viewer=viewer, is_staff=is_staff)
    shown = questions_wire(session, [each for qa in sessions for each in questions[qa.id]], viewer)
    by_id = {each["id"]: each for each in shown}
    return [session_wire(qa) | {"questions": [by_id[str(each.id)] for each in questions[qa.id]]} for qa in sessions]


def session_wire(qa: QaSession) -> dict[str, Any]:
    return {
        "id": str(qa.id),
        "channel_id": str(qa.channel_id),
        "title": qa.title,
        "state": "open" if qa.closed_at is None else "closed",
        "anonymous_allowed": qa.anonymous_allowed,
        "moderated": qa.moderated,
        "starts_at": rfc3339(qa.starts_at) if qa.starts_at else None,
        "created_at": rfc3339(qa.created_at),
        "closed_at": rfc3339(qa.closed_at) if qa.closed_at else None,
    }


def questions_wire(
    session: Session, questions: Sequence[Question], viewer: uuid.UUID | None = None
) -> list[dict[str, Any]]:
    ids = [each.id for each in questions]
    votes, faces = upvotes_of(session, ids), people(session, _named(questions))
    voted = _voted_by(session, ids, viewer) if viewer else set()
    return [
        _question_wire(each, votes[each.id], faces)
        | ({"mine": each.author_id == viewer, "upvoted": each.id in voted} if viewer else {})
        for each in questions
    ]


def _question_wire(question: Question, upvotes: int, faces: dict[uuid.UUID, PublicUser]) -> dict[str, Any]:
    """The contract's question. Nothing in it tells an anonymous author from another."""
    author = None if question.anonymous or question.author_id is None else faces[question.author_id].as_json()
    answered_by = faces[question.answered_by].as_json() if question.answered_by else None
    return {
        "id": str(question.id),
        "text": question.text,
        "author": author,
        "anonymous": question.anonymous,
        "upvotes": upvotes,
        "state": question.state,
        "pinned": question.pinned,
        "asked_at": rfc3339(question.asked_at),
        "answer": question.answer,
        "answered_by": answered_by,
        "answered_at": rfc3339(question.answered_at) if question.answered_at else None,
    }


def _named(questions: Sequence[Question]) -> Iterable[uuid.UUID]:
    for each in questions:
        if each.author_id is not None and not each.anonymous:
            yield each.author_id
        if each.answered_by is not None:
            yield each.answered_by


def _voted_by(session: Session, question_ids: Sequence[uuid.UUID], user_id: uuid.UUID) -> set[uuid.UUID]:
    return set(
        session.scalars(
            select(QuestionUpvote.question_id).where(
                QuestionUpvote.question_id.in_(question_ids), QuestionUpvote.user_id == user_id
            )
        )
    )
