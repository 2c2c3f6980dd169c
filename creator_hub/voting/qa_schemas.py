"""Wire shapes of Q&A."""

from __future__ import annotations

from marshmallow import fields, validate

from creator_hub.accounts.schemas import PublicUserOut
from creator_hub.core.schemas import Text, Timestamp, WireSchema
from creator_hub.voting.qa_models import LONGEST_ANSWER, LONGEST_QUESTION
from creator_hub.voting.schemas import LONGEST_TITLE

LONGEST_SEARCH = 100


class QaIn(WireSchema):
    title = Text(longest=LONGEST_TITLE, required=True)
    starts_at = Timestamp(load_default=None, allow_none=True)
    anonymous_allowed = fields.Boolean(load_default=False)
    moderated = fields.Boolean(load_default=False)


class QuestionIn(WireSchema):
    text = Text(longest=LONGEST_QUESTION, required=True)
    anonymous = fields.Boolean(load_default=False)


class AnswerIn(WireSchema):
    text = Text(longest=LONGEST_ANSWER, required=True)


class SearchQuery(WireSchema):
    q = fields.String(required=True, validate=validate.Length(1, LONGEST_SEARCH))


class ArchiveQuery(WireSchema):
    q = fields.String(load_default="", validate=validate.Length(max=LONGEST_SEARCH))


class QuestionOut(WireSchema):
    id = fields.String()
    text = fields.String()
    author = fields.Nested(PublicUserOut, allow_none=True)
    anonymous = fields.Boolean()
    upvotes = fields.Integer()
    state = fields.String()
    pinned = fields.Boolean()
    asked_at = fields.String()
    answer = fields.String(allow_none=True)
    answered_by = fields.Nested(PublicUserOut, allow_none=True)
    answered_at = fields.String(allow_none=True)
    mine = fields.Boolean()
    upvoted = fields.Boolean()
    qa_id = fields.String()
    qa_title = fields.String()


class QaOut(WireSchema):
    id = fields.String()
    channel_id = fields.String()
    title = fields.String()
    state = fields.String()
    anonymous_allowed = fields.Boolean()
    moderated = fields.Boolean()
    starts_at = fields.String(allow_none=True)
    created_at = fields.String()
    closed_at = fields.String(allow_none=True)
    questions = fields.List(fields.Nested(QuestionOut))
    unanswered = fields.List(fields.Nested(QuestionOut))


class QaPage(WireSchema):
    items = fields.List(fields.Nested(QaOut))
    next = fields.String(allow_none=True)


class QuestionList(WireSchema):
    items = fields.List(fields.Nested(QuestionOut))
    next = fields.String(allow_none=True)
