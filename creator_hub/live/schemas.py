"""Wire shapes of the live edge's own events."""

from __future__ import annotations

from marshmallow import fields, validate

from creator_hub.core.schemas import WireSchema


class ChannelJoin(WireSchema):
    channel_id = fields.UUID(required=True)
    after_seq = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(0))


class ChannelRef(WireSchema):
    channel_id = fields.UUID(required=True)
