"""Wire shapes of story chains."""

from __future__ import annotations

from marshmallow import fields, validate

from creator_hub.accounts.schemas import PublicUserOut
from creator_hub.core.schemas import Text, WireSchema
from creator_hub.groups.schemas import LONGEST_REASON
from creator_hub.voting.chain_models import LONGEST_EPISODE
from creator_hub.voting.schemas import MOST_OPTIONS, method_field, quorum_field, wait_field, weights_field

LONGEST_TITLE, LONGEST_PREMISE, LONGEST_LICENCE = 200, 4_000, 2_000
LONGEST_PHASE_HOURS = 24 * 60
SHORTLISTS = ("likes", "creator", "none")
LICENCE = "The author keeps the text and lets this group read, perform and continue it."


def hours_field() -> fields.Integer:
    return fields.Integer(strict=True, load_default=24, validate=validate.Range(1, LONGEST_PHASE_HOURS))


class RulesIn(WireSchema):
    """`episodes_per_season`, `share_bps` and `decay` are kept with the chain: they are what contributors agree to."""

    writing_hours = hours_field()
    voting_hours = hours_field()
    shortlist = fields.String(load_default="likes", validate=validate.OneOf(SHORTLISTS))
    shortlist_size = fields.Integer(strict=True, load_default=5, validate=validate.Range(1, MOST_OPTIONS))
    method = method_field(load_default="plurality")
    weights = weights_field()
    quorum = quorum_field()
    min_member_hours = wait_field()
    proposals_per_member = fields.Integer(strict=True, load_default=1, validate=validate.Range(1, 20))
    max_chars = fields.Integer(strict=True, load_default=4_000, validate=validate.Range(1, LONGEST_EPISODE))
    episodes_per_season = fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(1, 1_000)
    )
    veto = fields.Boolean(load_default=True)
    share_bps = fields.Integer(strict=True, load_default=0, validate=validate.Range(0, 10_000))
    decay = fields.Decimal(places=4, load_default=None, allow_none=True, validate=validate.Range(0, 1))
    licence = Text(longest=LONGEST_LICENCE, load_default=LICENCE)


class ChainIn(WireSchema):
    channel_id = fields.UUID(required=True)
    title = Text(longest=LONGEST_TITLE, required=True)
    premise = Text(longest=LONGEST_PREMISE, required=True)
    rules = fields.Nested(RulesIn, load_default=lambda: RulesIn().load({}))


class HeadIn(WireSchema):
    episode_id = fields.UUID(required=True)
    reason = Text(longest=LONGEST_REASON, load_default=None, allow_none=True)


class RoundIn(WireSchema):
    parent_episode_id = fields.UUID(load_default=None, allow_none=True)


class ProposalIn(WireSchema):
    title = Text(longest=LONGEST_TITLE, required=True)
    body = Text(longest=LONGEST_EPISODE, required=True)
    accept_licence = fields.Boolean(
        required=True, validate=validate.Equal(True, error="Accept the licence to propose an episode.")
    )


class AdvanceIn(WireSchema):
    """`shortlist`: the creator's choice, where the rules leave it to them."""

    shortlist = fields.List(fields.UUID(), load_default=None, validate=validate.Length(1, MOST_OPTIONS))


class VetoIn(WireSchema):
    reason = Text(longest=LONGEST_REASON, required=True)


class EpisodeOut(WireSchema):
    id = fields.String()
    parent_id = fields.String(allow_none=True)
    author = fields.Nested(PublicUserOut)
    title = fields.String()
    body = fields.String()
    state = fields.String()
    depth = fields.Integer()


class ChainOut(WireSchema):
    id = fields.String()
    channel_id = fields.String()
    title = fields.String()
    premise = fields.String()
    rules = fields.Dict()
    head_episode_id = fields.String(allow_none=True)
    open_round_id = fields.String(allow_none=True)
    created_at = fields.String()
    episodes = fields.List(fields.Nested(EpisodeOut))


class ChainList(WireSchema):
    items = fields.List(fields.Nested(ChainOut))
    next = fields.String(allow_none=True)


class CanonOut(WireSchema):
    id = fields.String()
    title = fields.String()
    premise = fields.String()
    episodes = fields.List(fields.Nested(EpisodeOut))


class ProposalOut(WireSchema):
    id = fields.String()
    title = fields.String()
    body = fields.String()
    author = fields.Nested(PublicUserOut)
    likes = fields.Integer()
    shortlisted = fields.Boolean()
    liked = fields.Boolean()


class RoundOut(WireSchema):
    id = fields.String()
    chain_id = fields.String()
    parent_episode_id = fields.String(allow_none=True)
    state = fields.String()
    method = fields.String()
    writing_closes_at = fields.String()
    voting_closes_at = fields.String()
    proposals = fields.List(fields.Nested(ProposalOut))
    winner_id = fields.String(allow_none=True)
    vetoed = fields.Boolean()
    reason = fields.String(allow_none=True)
    voted = fields.Boolean()
    ballot = fields.Dict(allow_none=True)
