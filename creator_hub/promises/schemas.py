"""Wire shapes of promises."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from creator_hub.core.schemas import Text, Timestamp, WireSchema
from creator_hub.groups.schemas import timezone_field
from creator_hub.promises.models import CADENCES, KINDS, REMEDIES

LONGEST_WORDS, MOST_GRACE_HOURS, MOST_DAYS = 500, 14 * 24, 90
UNPROVABLE = "A one-to-one session leaves no trace here that could prove it. Promise something that can be checked."
NOT_PAYABLE = "This remedy cannot be paid out yet. Use days of access, or a refund in percent of the payment."


def _known(allowed: tuple[str, ...], promised: tuple[str, ...], why: str) -> Any:
    """A word of the contract; one that this hub cannot keep is refused with the reason."""

    def check(value: str) -> None:
        if value in promised:
            raise ValidationError(why)
        validate.OneOf(allowed)(value)

    return check


class PromiseIn(WireSchema):
    """`count` of the kind `every` period; for `answer_time` it is hours. `remedy_value`: days, or percent of a payment.
    `evidence` tells members in words how it is checked; the rule itself is the kind's, by the creator's own account."""

    kind = fields.String(required=True, validate=_known(KINDS, ("session",), UNPROVABLE))
    count = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1_000))
    every = fields.String(required=True, validate=validate.OneOf(CADENCES))
    timezone = timezone_field(load_default=None, allow_none=True)
    grace_hours = fields.Integer(load_default=24, strict=True, validate=validate.Range(0, MOST_GRACE_HOURS))
    remedy = fields.String(required=True, validate=_known(REMEDIES, ("credit", "exit"), NOT_PAYABLE))
    remedy_value = fields.Integer(required=True, strict=True, validate=validate.Range(1, 100))
    evidence = Text(shortest=0, longest=LONGEST_WORDS, load_default="")

    @validates_schema
    def _can_be_kept(self, data: dict[str, Any], **_: Any) -> None:
        days = {"day": 1, "week": 7, "month": 28}[data["every"]]
        if data["kind"] == "messages" and data["count"] > days:
            raise ValidationError(f"There are {days} days in it at most.", "count")
        if data["remedy"] == "days" and data["remedy_value"] > MOST_DAYS:
            raise ValidationError(f"No more than {MOST_DAYS} days.", "remedy_value")


class PromiseOut(WireSchema):
    id = fields.UUID()
    version = fields.Integer()
    state = fields.String()
    kind = fields.String()
    count = fields.Integer()
    every = fields.String()
    timezone = fields.String()
    grace_hours = fields.Integer()
    remedy = fields.String()
    remedy_value = fields.Integer()
    evidence = fields.String()
    starts_on = fields.Date()
    created_at = Timestamp()


class EvidenceOut(WireSchema):
    at = fields.String()
    what = fields.String()


class RemedyOut(WireSchema):
    kind = fields.String()
    value = fields.Integer()
    state = fields.String()


_SPAN = {"from": Timestamp(attribute="from_at"), "until": Timestamp(attribute="until_at")}


class _PeriodRest(WireSchema):
    n = fields.Integer()
    due = Timestamp(attribute="due_at")
    state = fields.String()
    evidence = fields.List(fields.Nested(EvidenceOut))
    excuse = fields.String(allow_none=True)
    mine = fields.Nested(RemedyOut, allow_none=True)


PeriodOut: Any = _PeriodRest.from_dict(dict(_SPAN), name="PromisePeriod")


class ExcuseIn(WireSchema):
    reason = Text(longest=LONGEST_WORDS, required=True)


class _SettledRest(WireSchema):
    promise = fields.String()
    kind = fields.String()
    n = fields.Integer()
    state = fields.String()
    excuse = fields.String(allow_none=True)


SettledOut: Any = _SettledRest.from_dict(dict(_SPAN), name="SettledPeriod")


class ReliabilityOut(WireSchema):
    kept_percent = fields.Integer(allow_none=True)
    kept = fields.Integer()
    missed = fields.Integer()
    excused = fields.Integer()
    promises = fields.List(fields.String())
    history = fields.List(fields.Nested(SettledOut))
