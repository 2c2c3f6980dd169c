"""Wire shapes of ballots and polls."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from creator_hub.core.schemas import Text, Timestamp, WireSchema
from creator_hub.groups.schemas import rank_field
from creator_hub.voting.ballots import BEST_SCORE
from creator_hub.voting.models import HEAVIEST
from creator_hub.voting.options import folded
from creator_hub.voting.tally import CHOOSING, METHODS, ONE_WINNER

# Exact transfers double the length of their fractions with every surplus: beyond this a count could take minutes.
MOST_STV_SEATS = 10
MOST_OPTIONS, LONGEST_OPTION, LONGEST_TITLE, LONGEST_EXPLANATION = 100, 200, 200, 2_000
LONGEST_WAIT_HOURS = 24 * 365


def count_field(**kwargs: Any) -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(1, MOST_OPTIONS), **kwargs)


def weights_field() -> fields.Dict:
    """Tier id → how much a ballot counts, 1 to 3 with at most two decimals."""
    weight = fields.Decimal(places=2, validate=validate.Range(1, HEAVIEST))
    return fields.Dict(keys=fields.UUID(), values=weight, load_default=dict, validate=validate.Length(max=50))


def method_field(**kwargs: Any) -> fields.String:
    return fields.String(validate=validate.OneOf(tuple(METHODS)), **kwargs)


def quorum_field() -> fields.Integer:
    """The fewest ballots that make a decision."""
    return fields.Integer(strict=True, allow_none=True, load_default=None, validate=validate.Range(1, 1_000_000))


def wait_field() -> fields.Integer:
    return fields.Integer(strict=True, load_default=0, validate=validate.Range(0, LONGEST_WAIT_HOURS))


class QuizIn(WireSchema):
    answer = Text(longest=LONGEST_OPTION, required=True)
    explanation = Text(shortest=0, longest=LONGEST_EXPLANATION, load_default="")


class PollIn(WireSchema):
    title = Text(longest=LONGEST_TITLE, required=True)
    method = method_field(required=True)
    options = fields.List(
        Text(longest=LONGEST_OPTION), required=True, validate=validate.Length(min=2, max=MOST_OPTIONS)
    )
    seats = count_field(load_default=1)
    min_choices = count_field(load_default=1)
    max_choices = count_field(load_default=None, allow_none=True)
    identity = fields.String(load_default="anonymous", validate=validate.OneOf(("public", "anonymous")))
    results = fields.String(load_default="live", validate=validate.OneOf(("live", "sealed")))
    min_tier_rank = rank_field(0, load_default=0)
    min_member_hours = wait_field()
    weights = weights_field()
    quorum = quorum_field()
    opens_at = Timestamp(load_default=None, allow_none=True)
    closes_at = Timestamp(load_default=None, allow_none=True)
    revote = fields.Boolean(load_default=None, allow_none=True)
    shuffle = fields.Boolean(load_default=False)
    quiz = fields.Nested(QuizIn, load_default=None, allow_none=True)
    adding = fields.String(load_default="staff", validate=validate.OneOf(("staff", "members", "approval")))

    @validates_schema
    def _fits_together(self, data: dict[str, Any], **_: Any) -> None:
        options, method = data["options"], data["method"]
        if len({folded(option) for option in options}) != len(options):
            raise ValidationError("Each option once; capitals make no other option.", "options")
        most_seats = 1 if method in ONE_WINNER else MOST_STV_SEATS if method == "stv" else MOST_OPTIONS
        if data["seats"] > min(most_seats, len(options)):
            raise ValidationError("There are fewer winners than that to find.", "seats")
        if data["max_choices"] is None and method == "plurality":
            data["max_choices"] = data["min_choices"]
        if not data["min_choices"] <= (data["max_choices"] or len(options)) <= len(options):
            raise ValidationError("Give a number from min_choices to the number of options.", "max_choices")
        self._quiz_fits(data)

    def _quiz_fits(self, data: dict[str, Any]) -> None:
        """Who has seen the answer must not vote again, nor may options come that make another answer right."""
        quiz = data["quiz"]
        if quiz and (data["method"] not in CHOOSING or quiz["answer"] not in data["options"]):
            raise ValidationError({"answer": ["The answer is one of the options of a choice."]}, "quiz")
        if quiz and data["revote"]:
            raise ValidationError("In a quiz ballots are final.", "revote")
        if quiz and data["adding"] != "staff":
            raise ValidationError("Nobody adds options to a quiz.", "adding")
        data["revote"] = not quiz if data["revote"] is None else data["revote"]


class OptionIn(WireSchema):
    text = Text(longest=LONGEST_OPTION, required=True)


class BallotIn(WireSchema):
    """One of the three, by the vote's method."""

    choices = fields.List(fields.UUID(), validate=validate.Length(max=MOST_OPTIONS))
    ranking = fields.List(
        fields.List(fields.UUID(), validate=validate.Length(1, MOST_OPTIONS)),
        validate=validate.Length(max=MOST_OPTIONS),
    )
    scores = fields.Dict(
        keys=fields.UUID(),
        values=fields.Integer(strict=True, validate=validate.Range(0, BEST_SCORE)),
        validate=validate.Length(max=MOST_OPTIONS),
    )

    @validates_schema
    def _one_kind(self, data: dict[str, Any], **_: Any) -> None:
        if len(data) != 1:
            raise ValidationError("Give one of choices, ranking and scores.", "choices")


class ReceiptOut(WireSchema):
    receipt = fields.String()


class OptionOut(WireSchema):
    id = fields.String()
    text = fields.String()


class PollOut(WireSchema):
    id = fields.String()
    channel_id = fields.String()
    title = fields.String()
    method = fields.String()
    state = fields.String()
    options = fields.List(fields.Nested(OptionOut))
    seats = fields.Integer()
    min_choices = fields.Integer()
    max_choices = fields.Integer()
    identity = fields.String()
    results = fields.String()
    min_tier_rank = fields.Integer()
    min_member_hours = fields.Integer()
    weights = fields.Dict(keys=fields.String(), values=fields.Float())
    quorum = fields.Integer(allow_none=True)
    revote = fields.Boolean()
    shuffle = fields.Boolean()
    is_quiz = fields.Boolean()
    quiz = fields.Dict(allow_none=True)
    adding = fields.String()
    waiting_options = fields.List(fields.Nested(OptionOut))
    opens_at = fields.String(allow_none=True)
    closes_at = fields.String(allow_none=True)
    created_at = fields.String()
    voted = fields.Boolean()
    ballot = fields.Dict(allow_none=True)


class PollPage(WireSchema):
    items = fields.List(fields.Nested(PollOut))
    next = fields.String(allow_none=True)


class ResultOut(WireSchema):
    winner_ids = fields.List(fields.String())
    order = fields.List(fields.String())
    raw = fields.Dict()
    weighted = fields.Dict()
    differs = fields.Boolean()
    turnout = fields.Integer()
    eligible = fields.Integer()
    quorum_met = fields.Boolean()
    weights_rounded = fields.Boolean()
    ballots = fields.List(fields.Dict())
