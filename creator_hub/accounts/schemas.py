"""Wire shapes of accounts."""

from __future__ import annotations

from marshmallow import fields, validate

from creator_hub.accounts.models import HANDLE_PATTERN, STAFF_ROLES
from creator_hub.core.schemas import Text, Timestamp, WireSchema

SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 256


def handle_field() -> fields.String:
    return fields.String(
        required=True,
        validate=validate.Regexp(
            HANDLE_PATTERN.replace("$", r"\Z"),
            error="Use 2 to 30 small letters, digits, - or _, beginning with a letter or digit.",
        ),
    )


def password_field() -> fields.String:
    return fields.String(required=True, load_only=True, validate=validate.Length(SHORTEST_PASSWORD, LONGEST_PASSWORD))


def email_field() -> fields.Email:
    return fields.Email(required=True, validate=validate.Length(max=254))


class SignUpIn(WireSchema):
    email = email_field()
    password = password_field()
    handle = handle_field()
    display_name = Text(longest=60, required=True)


class SignInIn(WireSchema):
    email = fields.String(required=True, validate=validate.Length(max=254))
    password = fields.String(required=True, validate=validate.Length(max=LONGEST_PASSWORD))


class PublicUserOut(WireSchema):
    id = fields.UUID()
    handle = fields.String()
    display_name = fields.String()


class UserOut(PublicUserOut):
    roles = fields.List(fields.String())


class MeOut(UserOut):
    email = fields.String()
    created_at = Timestamp()


class SessionOut(WireSchema):
    csrf_token = fields.String()
    user = fields.Nested(UserOut, allow_none=True)


class MePatch(WireSchema):
    display_name = Text(longest=60)
    password = fields.String(load_only=True, validate=validate.Length(SHORTEST_PASSWORD, LONGEST_PASSWORD))
    email = fields.Email(load_only=True, validate=validate.Length(max=254))
    current_password = fields.String(load_only=True, validate=validate.Length(max=LONGEST_PASSWORD))


class ProofIn(WireSchema):
    password = fields.String(required=True, load_only=True, validate=validate.Length(max=LONGEST_PASSWORD))


class TokenIn(WireSchema):
    name = Text(longest=60, required=True)
    expires_at = Timestamp(load_default=None, allow_none=True)


class TokenOut(WireSchema):
    id = fields.UUID()
    name = fields.String()
    created_at = Timestamp()
    expires_at = Timestamp(allow_none=True)
    used_at = Timestamp(allow_none=True)


class NewTokenOut(WireSchema):
    id = fields.UUID()
    token = fields.String()


class DeviceOut(WireSchema):
    id = fields.UUID()
    user_agent = fields.String()
    address = fields.String()
    created_at = Timestamp()
    seen_at = Timestamp()
    current = fields.Boolean()


class ResetIn(WireSchema):
    email = email_field()


class ResetUse(WireSchema):
    password = password_field()


class RolesIn(WireSchema):
    roles = fields.List(fields.String(validate=validate.OneOf(STAFF_ROLES)), required=True)


class RoleChangeOut(WireSchema):
    id = fields.UUID()
    user_id = fields.UUID()
    changed_by = fields.UUID(allow_none=True)
    before = fields.List(fields.String())
    after = fields.List(fields.String())
    at = Timestamp()


class TokenPage(WireSchema):
    items = fields.List(fields.Nested(TokenOut))
    next = fields.String(allow_none=True)


class DevicePage(WireSchema):
    items = fields.List(fields.Nested(DeviceOut))
    next = fields.String(allow_none=True)
