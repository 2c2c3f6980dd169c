"""Wire shapes of chat."""

from __future__ import annotations

from marshmallow import fields, validate

from creator_hub.chat.models import LONGEST_MESSAGE
from creator_hub.core.paging import DEFAULT_LIMIT, MAX_LIMIT
from creator_hub.core.schemas import Text, Timestamp, WireSchema

MOST_EVENTS = 500
MOST_ATTACHMENTS = 8


class MessageIn(WireSchema):
    client_msg_id = fields.UUID(required=True)
    text = Text(shortest=0, longest=LONGEST_MESSAGE, required=True)
    reply_to = fields.UUID(load_default=None, allow_none=True)
    attachments = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=MOST_ATTACHMENTS))


class MessageSend(MessageIn):
    channel_id = fields.UUID(required=True)


class MessagePatch(WireSchema):
    text = Text(longest=LONGEST_MESSAGE, required=True)


class MessageEdit(MessagePatch):
    id = fields.UUID(required=True)


class MessageRef(WireSchema):
    id = fields.UUID(required=True)


class ReactionRef(WireSchema):
    message_id = fields.UUID(required=True)
    emoji = fields.String(required=True, validate=validate.Length(1, 16))


class ReadIn(WireSchema):
    seq = fields.Integer(required=True, strict=True, validate=validate.Range(0))


class ChannelRead(ReadIn):
    channel_id = fields.UUID(required=True)


class ReadOut(WireSchema):
    seq = fields.Integer()


class EventsQuery(WireSchema):
    after_seq = fields.Integer(load_default=0, validate=validate.Range(0))
    limit = fields.Integer(load_default=100, validate=validate.Range(1, MOST_EVENTS))


class HistoryQuery(WireSchema):
    before_seq = fields.Integer(load_default=None, validate=validate.Range(0))
    limit = fields.Integer(load_default=DEFAULT_LIMIT, validate=validate.Range(1, MAX_LIMIT))


class SearchQuery(WireSchema):
    q = Text(longest=200, required=True)
    limit = fields.Integer(load_default=DEFAULT_LIMIT, validate=validate.Range(1, MAX_LIMIT))


class UploadQuery(WireSchema):
    channel_id = fields.UUID(required=True)


class AttachmentOut(WireSchema):
    id = fields.String()
    name = fields.String()
    kind = fields.String()
    width = fields.Integer()
    height = fields.Integer()
    size = fields.Integer()
    url = fields.String()
    thumbnail_url = fields.String()


class MessageOut(WireSchema):
    id = fields.String()
    seq = fields.Integer()
    channel_id = fields.String()
    client_msg_id = fields.String()
    author = fields.Dict()
    text = fields.String()
    html = fields.String()
    reply_to = fields.String(allow_none=True)
    attachments = fields.List(fields.Nested(AttachmentOut))
    reactions = fields.Dict(keys=fields.String(), values=fields.Integer())
    my_reactions = fields.List(fields.String())
    sent_at = fields.String()
    edited_at = fields.String(allow_none=True)
    deleted = fields.Boolean()


class MessagePage(WireSchema):
    items = fields.List(fields.Nested(MessageOut))
    next = fields.Integer(allow_none=True)


class EventOut(WireSchema):
    channel_id = fields.UUID(attribute="stream_id")
    seq = fields.Integer()
    kind = fields.String()
    at = Timestamp()
    data = fields.Dict()


class EventPage(WireSchema):
    items = fields.List(fields.Nested(EventOut))
    head_seq = fields.Integer()


class SeqOut(WireSchema):
    seq = fields.Integer(allow_none=True)
