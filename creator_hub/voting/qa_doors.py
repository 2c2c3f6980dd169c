"""The ways to load what belongs to a Q&A: through its channel."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.errors import NotFound
from creator_hub.groups.doors import channel_by_id
from creator_hub.groups.models import Channel, Group
from creator_hub.groups.standing import Standing
from creator_hub.voting.qa_models import QaSession, Question


@dataclass(frozen=True, slots=True)
class QaDoor:
    qa: QaSession
    channel: Channel
    group: Group
    standing: Standing

    @property
    def is_staff(self) -> bool:
        return self.standing.role in ("creator", "moderator")


@dataclass(frozen=True, slots=True)
class QuestionDoor:
    question: Question
    through: QaDoor


def qa_by_id(session: Session, actor: Actor, qa_id: uuid.UUID, permission: Permission) -> QaDoor:
    actor.person()  # the anonymous are asked to sign in before anything is looked up
    qa = session.get(QaSession, qa_id, populate_existing=True)
    if qa is None:
        actor.proved.add(permission)
        raise NotFound
    door = channel_by_id(session, actor, qa.channel_id, permission)
    return QaDoor(qa, door.channel, door.group, door.standing)


def question_by_id(session: Session, actor: Actor, question_id: uuid.UUID, permission: Permission) -> QuestionDoor:
    """A question that this person may see: one not yet announced is its author's and the staff's."""
    actor.person()
    question = session.get(Question, question_id, populate_existing=True)
    if question is None:
        actor.proved.add(permission)
        raise NotFound
    door = qa_by_id(session, actor, question.session_id, permission)
    unseen = not question.announced and not door.is_staff and question.author_id != actor.user_id
    if question.state == "removed" or unseen:
        raise NotFound
    return QuestionDoor(question, door)
