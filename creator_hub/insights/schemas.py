"""Wire shapes of the reports."""

from __future__ import annotations

from marshmallow import fields, validate

from creator_hub.core.schemas import MoneyField, Timestamp, WireSchema
from creator_hub.insights.queries import MOVEMENTS, REASONS, STATES

LONGEST_SPAN_DAYS = 366
MOST_MONTHS = 36


class ReportQuery(WireSchema):
    """`?format=csv` gives the same numbers as a file."""

    format = fields.String(load_default="json", validate=validate.OneOf(["json", "csv"]))


class OverviewQuery(ReportQuery):
    days = fields.Integer(load_default=30, validate=validate.Range(1, LONGEST_SPAN_DAYS))


class MonthsQuery(ReportQuery):
    months = fields.Integer(load_default=12, validate=validate.Range(1, MOST_MONTHS))


Members = WireSchema.from_dict({state: fields.Integer() for state in STATES}, name="MembersByState")
Movement = WireSchema.from_dict({kind: MoneyField() for kind in MOVEMENTS}, name="MrrMovement")
Departures = WireSchema.from_dict({reason: fields.Integer() for reason in REASONS}, name="Departures")


class OverviewOut(WireSchema):
    """Movement, joins and departures are of the days from `since` on; contraction and churn count positive."""

    as_of = Timestamp()
    since = fields.Date()
    members = fields.Nested(Members)
    mrr = MoneyField()
    movement = fields.Nested(Movement)
    joins = fields.Integer()
    departures = fields.Nested(Departures)
    creator_authored_share = fields.Float(allow_none=True)


class CohortOut(WireSchema):
    cohort = fields.Date(format="%Y-%m")
    size = fields.Integer()
    retained = fields.List(fields.Integer())
    revenue = fields.List(MoneyField())


class CohortsOut(WireSchema):
    by = fields.String()
    rows = fields.List(fields.Nested(CohortOut))


class RevenueMonthOut(WireSchema):
    month = fields.Date(format="%Y-%m")
    mrr = MoneyField()
    movement = fields.Nested(Movement)
    paid = MoneyField()
    refunded = MoneyField()


class RevenueOut(WireSchema):
    rows = fields.List(fields.Nested(RevenueMonthOut))


class ChurnMonthOut(WireSchema):
    month = fields.Date(format="%Y-%m")
    members_at_start = fields.Integer()
    joins = fields.Integer()
    departures = fields.Nested(Departures)
    rate = fields.Float(allow_none=True)


class ChurnOut(WireSchema):
    rows = fields.List(fields.Nested(ChurnMonthOut))
