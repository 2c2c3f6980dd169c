"""JSON routes of seasons, and of a story as something to read and take along."""

from __future__ import annotations

import uuid
from typing import Any

from marshmallow import fields, validate
from sqlalchemy.orm import Session

from creator_hub.accounts.schemas import PublicUserOut
from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import Reply, route
from creator_hub.core.schemas import MoneyField, WireSchema
from creator_hub.voting import books, reading, seasons
from creator_hub.voting.chain_doors import chain_by_id
from creator_hub.voting.chain_schemas import RulesIn
from creator_hub.voting.poll_api import VOTES

MOST_EXAMPLES = 100


class SimulateIn(WireSchema):
    revenue = MoneyField(positive=True, required=True)
    episodes = fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(1, MOST_EXAMPLES)
    )


class SeasonIn(WireSchema):
    """`rules`: the next season's; left out, they stay."""

    rules = fields.Nested(RulesIn, load_default=None, allow_none=True)


class BookmarkIn(WireSchema):
    episode_id = fields.UUID(required=True)


class CreditOut(WireSchema):
    author = fields.Nested(PublicUserOut, allow_none=True)
    name = fields.String()
    episodes = fields.Integer()
    share = fields.String()
    amount = fields.Dict(allow_none=True)


class SimulationOut(WireSchema):
    revenue = fields.Dict()
    pool = fields.Dict()
    credits = fields.List(fields.Nested(CreditOut))


class SeasonOut(WireSchema):
    number = fields.Integer()
    started_at = fields.String()
    ended_at = fields.String(allow_none=True)
    share_bps = fields.Integer()
    decay = fields.String(allow_none=True)
    pool = fields.Dict(allow_none=True)
    revenue = fields.Dict(allow_none=True)
    credits = fields.List(fields.Nested(CreditOut))


class CreditsOut(WireSchema):
    id = fields.String()
    seasons = fields.List(fields.Nested(SeasonOut))


@route("GET", "/chains/<uuid:chain_id>/credits", permission=Permission.READ_CHANNEL, answer=CreditsOut())
def get_credits(session: Session, actor: Actor, chain_id: uuid.UUID) -> dict[str, Any]:
    """Each season's contributors with their shares, and what was posted for them."""
    return seasons.credits_wire(session, chain_by_id(session, actor, chain_id, Permission.READ_CHANNEL).chain)


@route(
    "POST",
    "/chains/<uuid:chain_id>/season/simulate",
    permission=Permission.READ_CHANNEL,
    body=SimulateIn(),
    answer=SimulationOut(),
)
def simulate(session: Session, actor: Actor, chain_id: uuid.UUID, body: dict[str, Any]) -> dict[str, Any]:
    """What authors would get of a revenue, by the season's rule."""
    return seasons.simulate(session, actor, chain_id, body["revenue"], body["episodes"])


@route(
    "POST",
    "/chains/<uuid:chain_id>/season/close",
    permission=Permission.MANAGE_GROUP,
    body=SeasonIn(),
    answer=CreditsOut(),
    body_optional=True,
)
def close_season(session: Session, actor: Actor, chain_id: uuid.UUID, body: dict[str, Any]) -> dict[str, Any]:
    """End the season: credits are fixed, and posted to the ledger; the next season begins."""
    seasons.close(session, actor, chain_id, body["rules"])
    return seasons.credits_wire(session, chain_by_id(session, actor, chain_id, Permission.MANAGE_GROUP).chain)


@route(
    "PUT",
    "/chains/<uuid:chain_id>/bookmark",
    permission=Permission.READ_CHANNEL,
    body=BookmarkIn(),
    status=204,
    limit=VOTES,
)
def set_bookmark(session: Session, actor: Actor, chain_id: uuid.UUID, body: dict[str, Any]) -> None:
    """Remember where one stopped reading."""
    reading.set_bookmark(session, actor, chain_id, body["episode_id"])


@route("GET", "/chains/<uuid:chain_id>/canon.epub", permission=Permission.READ_CHANNEL)
def get_epub(session: Session, actor: Actor, chain_id: uuid.UUID) -> Reply:
    """The canon as an EPUB 3 book with credits."""
    book = reading.book_of(session, chain_by_id(session, actor, chain_id, Permission.READ_CHANNEL))
    return _file(books.epub(book), chain_id, "epub", "application/epub+zip")


@route("GET", "/chains/<uuid:chain_id>/canon.md", permission=Permission.READ_CHANNEL)
def get_markdown(session: Session, actor: Actor, chain_id: uuid.UUID) -> Reply:
    """The canon as Markdown with credits."""
    book = reading.book_of(session, chain_by_id(session, actor, chain_id, Permission.READ_CHANNEL))
    return _file(books.markdown(book), chain_id, "md", "text/markdown; charset=utf-8")


def _file(content: str | bytes, chain_id: uuid.UUID, ending: str, kind: str) -> Reply:
    headers = {"Content-Disposition": f'attachment; filename="story-{chain_id}.{ending}"'}
    return Reply(content, headers=headers, content_type=kind)
