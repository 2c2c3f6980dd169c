"""Wire shapes of survival, forecast, engagement, voting and lift."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from creator_hub.accounts.schemas import PublicUserOut
from creator_hub.core.schemas import MoneyField, Text, Timestamp, WireSchema
from creator_hub.insights.schemas import LONGEST_SPAN_DAYS, ReportQuery
from creator_hub.insights.staying import SURVIVAL_BY

LONGEST_CAMPAIGN, MOST_HANDLES, MOST_VOTES = 60, 1_000, 200


class SurvivalQuery(ReportQuery):
    by = fields.String(load_default=None, validate=validate.OneOf(SURVIVAL_BY))


class ForecastQuery(ReportQuery):
    """`discount`: the rate by the year at which money that comes later is worth less."""

    discount = fields.Float(load_default=0.10, validate=validate.Range(0.01, 1))


class EngagementQuery(ReportQuery):
    days = fields.Integer(load_default=30, validate=validate.Range(7, LONGEST_SPAN_DAYS))


class VotingQuery(ReportQuery):
    limit = fields.Integer(load_default=50, validate=validate.Range(1, MOST_VOTES))


class HoldoutIn(WireSchema):
    """`audience`: everybody who left, or the people of `handles`. `held_back` percent of them are not invited; what
    became of all is compared after `days`."""

    campaign = Text(longest=LONGEST_CAMPAIGN, required=True)
    audience = fields.String(load_default="past_members", validate=validate.OneOf(["past_members", "people"]))
    handles = fields.List(fields.String(), load_default=list, validate=validate.Length(max=MOST_HANDLES))
    held_back = fields.Integer(strict=True, load_default=20, validate=validate.Range(5, 90))
    days = fields.Integer(strict=True, load_default=30, validate=validate.Range(7, 180))

    @validates_schema
    def _a_list_of_people_names_them(self, data: dict[str, Any], **_: Any) -> None:
        if (data["audience"] == "people") != bool(data["handles"]):
            raise ValidationError("Name people exactly when the audience is `people`.", "handles")


class CurveOut(WireSchema):
    name = fields.String()
    people = fields.Integer()
    median = fields.Float(allow_none=True, attribute="curve.median")
    times = fields.List(fields.Float(), attribute="curve.times")
    survival = fields.List(fields.Float(), attribute="curve.survival")
    lower = fields.List(fields.Float(allow_none=True), attribute="curve.lower")
    upper = fields.List(fields.Float(allow_none=True), attribute="curve.upper")
    at_risk = fields.List(fields.Integer(), attribute="curve.at_risk")
    events = fields.List(fields.Integer(), attribute="curve.events")


class TestOut(WireSchema):
    __test__ = False

    statistic = fields.Float()
    p = fields.Float()


class SurvivalOut(WireSchema):
    """Times are days since the first payment."""

    curves = fields.List(fields.Nested(CurveOut))
    log_rank = fields.Nested(TestOut, allow_none=True)


class ModelOut(WireSchema):
    """In the geometric limit `alpha` and `beta` are null and `churn` is the chance of leaving at each renewal."""

    alpha = fields.Function(lambda model: None if model.is_geometric else model.alpha)
    beta = fields.Function(lambda model: None if model.is_geometric else model.beta)
    churn = fields.Float(allow_none=True)


class RenewalsOut(WireSchema):
    period = fields.Integer()
    actual = fields.Float(allow_none=True)
    fitted = fields.Float()


class ForecastOut(WireSchema):
    started = fields.Integer()
    model = fields.Nested(ModelOut, allow_none=True)
    periods = fields.List(fields.Nested(RenewalsOut))
    remaining_value = MoneyField(allow_none=True)
    discount_rate = fields.Float()
    note = fields.String(allow_none=True)


class ActiveDayOut(WireSchema):
    day = fields.Date()
    active = fields.Integer()
    active_7 = fields.Integer()
    active_30 = fields.Integer()
    messages = fields.Integer()
    creator_messages = fields.Integer()
    voters = fields.Integer()
    proposers = fields.Integer()
    askers = fields.Integer()


class ReturnedOut(WireSchema):
    after = fields.Integer()
    people = fields.Integer()
    returned = fields.Integer()
    share = fields.Float(allow_none=True)


class AtRiskOut(WireSchema):
    user = fields.Nested(PublicUserOut)
    score = fields.Integer()
    reasons = fields.List(fields.String())


class HitRateOut(WireSchema):
    flagged = fields.Integer()
    flagged_left = fields.Integer()
    others = fields.Integer()
    others_left = fields.Integer()


class EngagementOut(WireSchema):
    as_of = Timestamp()
    today = fields.Nested(ActiveDayOut)
    stickiness = fields.Float(allow_none=True)
    returned = fields.List(fields.Nested(ReturnedOut))
    creator_authored_share = fields.Float(allow_none=True)
    median_reply_minutes = fields.Float(allow_none=True)
    lurkers_who_pay = fields.Integer()
    at_risk_count = fields.Integer()
    at_risk = fields.List(fields.Nested(AtRiskOut))
    hit_rate = fields.Nested(HitRateOut)
    days = fields.List(fields.Nested(ActiveDayOut))


class VoteOut(WireSchema):
    id = fields.UUID()
    kind = fields.String()
    title = fields.String()
    method = fields.String()
    closed_at = Timestamp(allow_none=True)
    voters = fields.Integer()
    eligible = fields.Integer(allow_none=True)
    share = fields.Float(allow_none=True)
    differs = fields.Boolean(allow_none=True)


class VotingOut(WireSchema):
    rows = fields.List(fields.Nested(VoteOut))


class EffectOut(WireSchema):
    """`estimate` is null, and `note` says why, where there is not enough data."""

    estimate = fields.Function(lambda found: getattr(found, "estimate", None))
    lower = fields.Function(lambda found: getattr(found, "lower", None))
    upper = fields.Function(lambda found: getattr(found, "upper", None))
    note = fields.Function(lambda found: getattr(found, "reason", None))


class HoldoutOut(WireSchema):
    id = fields.UUID()
    campaign = fields.String()
    audience = fields.String()
    held_back = fields.Integer(attribute="held_back_percent")
    starts_at = Timestamp()
    ends_at = Timestamp()


class LiftRowOut(WireSchema):
    holdout = fields.Nested(HoldoutOut)
    invited = fields.Integer()
    held_back = fields.Integer()
    came = fields.Integer()
    needed = fields.Integer()
    is_over = fields.Boolean()
    itt = fields.Nested(EffectOut)
    complier = fields.Nested(EffectOut)


class LiftOut(WireSchema):
    rows = fields.List(fields.Nested(LiftRowOut))
