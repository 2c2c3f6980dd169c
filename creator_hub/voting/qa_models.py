"""Live Q&A: sessions, questions, and who finds them worth an answer.

An anonymous question shows its author to nobody, whatever their role. While the session is open its row names them, so
that limits and mutes hold; when it closes the name is erased.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from creator_hub.core.base import Base

WAITING = ("asked", "approved", "live")
LONGEST_QUESTION, LONGEST_ANSWER = 500, 4_000


class QaSession(Base):
    """A session in a channel. Questions may be sent ahead of `starts_at`. Where it is `moderated`, a question is seen
    by its author and the staff until it is approved."""

    __tablename__ = "qa_sessions"
    __table_args__ = (Index("ix_qa_sessions_channel_id", "channel_id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channels.id"))
    title: Mapped[str]
    anonymous_allowed: Mapped[bool]
    moderated: Mapped[bool]
    starts_at: Mapped[datetime | None]
    created_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Question(Base):
    """One question. At most one of a session is `live`. `announced` says that its channel has heard of it."""

    __tablename__ = "questions"
    __table_args__ = (
        CheckConstraint("state IN ('asked', 'approved', 'live', 'answered', 'skipped', 'removed')", name="known_state"),
        CheckConstraint("author_id IS NOT NULL OR anonymous", name="names_its_author"),
        CheckConstraint("(answered_at IS NULL) = (answer IS NULL)", name="answered_with_time"),
        CheckConstraint("state <> 'answered' OR answer IS NOT NULL", name="answered_with_words"),
        CheckConstraint("(state = 'removed') = (text = '')", name="removed_without_words"),
        Index("uq_questions_one_live", "session_id", unique=True, postgresql_where=text("state = 'live'")),
        Index("ix_questions_session_id", "session_id"),
        Index("ix_questions_author_id", "author_id"),
        Index(
            "ix_questions_words",
            "text",
            "answer",
            postgresql_using="gin",
            postgresql_ops={"text": "gin_trgm_ops", "answer": "gin_trgm_ops"},
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    session_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("qa_sessions.id"))
    author_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    anonymous: Mapped[bool]
    text: Mapped[str]
    state: Mapped[str]
    announced: Mapped[bool]
    pinned: Mapped[bool] = mapped_column(default=False)
    asked_at: Mapped[datetime]
    answer: Mapped[str | None]
    answered_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    answered_at: Mapped[datetime | None]


class QuestionUpvote(Base):
    """One person's voice for one question."""

    __tablename__ = "question_upvotes"
    __table_args__ = (Index("ix_question_upvotes_user_id", "user_id"),)

    question_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("questions.id"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
