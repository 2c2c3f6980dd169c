"""Wire shapes of groups."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from marshmallow import ValidationError, fields, validate, validates_schema

from creator_hub.accounts.schemas import PublicUserOut, handle_field
from creator_hub.core.schemas import MoneyField, PageQuery, Text, Timestamp, WireSchema
from creator_hub.groups.models import SLOWEST_S
from creator_hub.groups.standing import OWNER_RANK

LONGEST_NAME, LONGEST_ABOUT, LONGEST_REASON, LONGEST_CAMPAIGN = 80, 2_000, 500, 60
MOST_BENEFITS, MOST_SEATS = 20, 1_000_000
INTERVALS = ("month", "year")
CHANNEL_KINDS = ("talk", "announcement")


def benefits_field(**kwargs: Any) -> fields.List[Any]:
    return fields.List(Text(longest=200), validate=validate.Length(max=MOST_BENEFITS), **kwargs)


def rank_field(lowest: int, **kwargs: Any) -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(lowest, OWNER_RANK - 1), **kwargs)


def seats_field(**kwargs: Any) -> fields.Integer:
    return fields.Integer(strict=True, allow_none=True, validate=validate.Range(1, MOST_SEATS), **kwargs)


_ZONES = validate.OneOf(available_timezones(), error="Use the name of a time zone, such as Europe/Berlin or UTC.")


def timezone_field(**kwargs: Any) -> fields.String:
    """An IANA time zone, such as `Europe/Berlin`."""
    return fields.String(validate=_ZONES, **kwargs)


def slow_field(**kwargs: Any) -> fields.Integer:
    """Seconds that lie at least between two messages of one member; 0 is no limit."""
    return fields.Integer(strict=True, validate=validate.Range(0, SLOWEST_S), **kwargs)


class GroupIn(WireSchema):
    handle = handle_field()
    name = Text(longest=LONGEST_NAME, required=True)
    about = Text(shortest=0, longest=LONGEST_ABOUT, load_default="")
    currency = fields.String(
        required=True, validate=validate.Regexp(r"[A-Z]{3}\Z", error="Use a three-letter ISO code in capitals.")
    )
    hidden = fields.Boolean(load_default=False)
    timezone = timezone_field(load_default="UTC")


class GroupPatch(WireSchema):
    name = Text(longest=LONGEST_NAME)
    about = Text(shortest=0, longest=LONGEST_ABOUT)
    hidden = fields.Boolean()
    timezone = timezone_field()


class GroupRef(WireSchema):
    id = fields.UUID()
    handle = fields.String()
    name = fields.String()


class StandingOut(WireSchema):
    role = fields.String()
    rank = fields.Integer()
    access_until = Timestamp(allow_none=True)


class GroupOut(GroupRef):
    about = fields.String()
    currency = fields.String()
    hidden = fields.Boolean()
    timezone = fields.String()
    owner = fields.Nested(PublicUserOut)
    created_at = Timestamp()
    standing = fields.Nested(StandingOut)


class TierIn(WireSchema):
    name = Text(longest=LONGEST_NAME, required=True)
    price = MoneyField(required=True, positive=True)
    interval = fields.String(required=True, validate=validate.OneOf(INTERVALS))
    benefits = benefits_field(load_default=list)
    rank = rank_field(1, required=True)
    seat_limit = seats_field(load_default=None)


class TierPatch(WireSchema):
    name = Text(longest=LONGEST_NAME)
    price = MoneyField(positive=True)
    benefits = benefits_field()
    seat_limit = seats_field()


class TierRef(WireSchema):
    id = fields.UUID()
    name = fields.String()
    rank = fields.Integer()


class TierOut(TierRef):
    price = MoneyField()
    interval = fields.String()
    benefits = fields.List(fields.String())
    seat_limit = fields.Integer(allow_none=True)
    seats_left = fields.Integer(allow_none=True)
    archived_at = Timestamp(allow_none=True)


class TierList(WireSchema):
    items = fields.List(fields.Nested(TierOut))
    next = fields.String(allow_none=True)


class ChannelIn(WireSchema):
    name = Text(longest=LONGEST_NAME, required=True)
    min_tier_rank = rank_field(0, load_default=0)
    kind = fields.String(load_default="talk", validate=validate.OneOf(CHANNEL_KINDS))
    slow_seconds = slow_field(load_default=0)


class ChannelPatch(WireSchema):
    name = Text(longest=LONGEST_NAME)
    min_tier_rank = rank_field(0)
    kind = fields.String(validate=validate.OneOf(CHANNEL_KINDS))
    slow_seconds = slow_field()


class ChannelOut(WireSchema):
    id = fields.UUID()
    group_id = fields.UUID()
    name = fields.String()
    kind = fields.String()
    min_tier_rank = fields.Integer()
    slow_seconds = fields.Integer()
    created_at = Timestamp()


class ChannelList(WireSchema):
    items = fields.List(fields.Nested(ChannelOut))
    next = fields.String(allow_none=True)


class MembershipOut(WireSchema):
    id = fields.UUID()
    group = fields.Nested(GroupRef)
    user = fields.Nested(PublicUserOut)
    tier = fields.Nested(TierRef, allow_none=True)
    role = fields.String()
    since = Timestamp()
    access_until = Timestamp(allow_none=True)
    source = fields.String(allow_none=True)
    campaign = fields.String(allow_none=True)


class MembersQuery(PageQuery):
    q = Text(shortest=0, longest=LONGEST_NAME, load_default="")


class InviteIn(WireSchema):
    max_uses = fields.Integer(strict=True, allow_none=True, load_default=None, validate=validate.Range(1, MOST_SEATS))
    expires_at = Timestamp(allow_none=True, load_default=None)
    tier_id = fields.UUID(allow_none=True, load_default=None)
    campaign = Text(longest=LONGEST_CAMPAIGN, allow_none=True, load_default=None)


class InviteOut(WireSchema):
    id = fields.UUID()
    passcode = fields.String()
    tier_id = fields.UUID(allow_none=True)
    campaign = fields.String(allow_none=True)
    max_uses = fields.Integer(allow_none=True)
    uses = fields.Integer()
    expires_at = Timestamp(allow_none=True)
    revoked_at = Timestamp(allow_none=True)
    created_at = Timestamp()


class BanIn(WireSchema):
    """A ban or a mute. Name the person by `user_id`, or by `handle` as a form does."""

    user_id = fields.UUID()
    handle = fields.String(validate=validate.Length(1, 30))
    reason = Text(longest=LONGEST_REASON, required=True)
    until = Timestamp(allow_none=True, load_default=None)

    @validates_schema
    def _one_person(self, data: dict[str, Any], **_: Any) -> None:
        if ("user_id" in data) == ("handle" in data):
            raise ValidationError("Give either user_id or handle.", "user_id")


class BanOut(WireSchema):
    user_id = fields.UUID()
    reason = fields.String()
    until = Timestamp(allow_none=True)
    created_at = Timestamp()


class AuditOut(WireSchema):
    id = fields.UUID()
    actor_id = fields.UUID()
    action = fields.String()
    subject_id = fields.UUID(allow_none=True)
    reason = fields.String(allow_none=True)
    at = Timestamp()
