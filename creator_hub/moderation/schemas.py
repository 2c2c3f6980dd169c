"""Wire shapes of moderation."""

from __future__ import annotations

from marshmallow import fields, validate

from creator_hub.accounts.schemas import PublicUserOut
from creator_hub.chat.schemas import MessageOut
from creator_hub.core.schemas import Text, Timestamp, WireSchema
from creator_hub.moderation.models import KINDS

LONGEST_NOTE = 1000


class ReportIn(WireSchema):
    message_id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    note = Text(shortest=0, longest=LONGEST_NOTE, load_default="")


class ReportOut(WireSchema):
    id = fields.UUID()
    message_id = fields.UUID()
    kind = fields.String()
    note = fields.String()
    state = fields.String()
    created_at = Timestamp()


class DecisionIn(WireSchema):
    action = fields.String(required=True, validate=validate.OneOf(["remove", "dismiss"]))
    reason = Text(longest=LONGEST_NOTE, required=True)


class NoteOut(WireSchema):
    kind = fields.String()
    note = fields.String()
    quoted = fields.String()


class CaseOut(WireSchema):
    id = fields.UUID()
    channel = fields.String()
    author = fields.Nested(PublicUserOut)
    message_id = fields.UUID()
    reports = fields.List(fields.Nested(NoteOut))
    first_at = Timestamp()
    context = fields.List(fields.Nested(MessageOut))


class CaseList(WireSchema):
    items = fields.List(fields.Nested(CaseOut))
    next = fields.String(allow_none=True)
