"""Wire shapes of the reports."""

from __future__ import annotations

from marshmallow import fields, validate

from creator_hub.core.schemas import MoneyField, Timestamp, WireSchema
from creator_hub.insights.facts import MOVEMENTS, REASONS, STATES
from creator_hub.insights.periods import GRAINS
from creator_hub.insights.reading import BY
from creator_hub.insights.rollups import BASES, PAID

LONGEST_SPAN_DAYS = 366
MOST_MONTHS = 36


class ReportQuery(WireSchema):
    """`?format=csv` gives the same numbers as a file."""

    format = fields.String(load_default="json", validate=validate.OneOf(["json", "csv"]))


class OverviewQuery(ReportQuery):
    days = fields.Integer(load_default=30, validate=validate.Range(1, LONGEST_SPAN_DAYS))


class MonthsQuery(ReportQuery):
    months = fields.Integer(load_default=12, validate=validate.Range(1, MOST_MONTHS))


class RevenueQuery(MonthsQuery):
    by = fields.String(load_default=None, validate=validate.OneOf(BY))


class CohortsQuery(ReportQuery):
    """`of`: people by when they first paid, or first joined. `by`: months or weeks, of which `months` counts."""

    by = fields.String(load_default="month", validate=validate.OneOf(GRAINS))
    of = fields.String(load_default=PAID, validate=validate.OneOf(BASES))
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
    """A month (2026-11) or the Monday of a week (2026-11-23)."""

    cohort = fields.String()
    size = fields.Integer()
    retained = fields.List(fields.Integer())
    revenue = fields.List(MoneyField())


class CohortsOut(WireSchema):
    by = fields.String()
    of = fields.String()
    rows = fields.List(fields.Nested(CohortOut))


class RevenueMonthOut(WireSchema):
    month = fields.Date(format="%Y-%m")
    slice = fields.String(allow_none=True)
    mrr = MoneyField()
    movement = fields.Nested(Movement)
    gross_retention = fields.Float(allow_none=True)
    net_retention = fields.Float(allow_none=True)
    paying = fields.Integer()
    arpu = MoneyField(allow_none=True)
    trials = fields.Integer()
    conversions = fields.Integer()
    trial_conversion = fields.Float(allow_none=True)
    paid = MoneyField()
    refunded = MoneyField()


class RevenueOut(WireSchema):
    by = fields.String(allow_none=True)
    rows = fields.List(fields.Nested(RevenueMonthOut))


class ChurnMonthOut(WireSchema):
    month = fields.Date(format="%Y-%m")
    members_at_start = fields.Integer()
    joins = fields.Integer()
    departures = fields.Nested(Departures)
    rate = fields.Float(allow_none=True)


class ChurnOut(WireSchema):
    rows = fields.List(fields.Nested(ChurnMonthOut))
