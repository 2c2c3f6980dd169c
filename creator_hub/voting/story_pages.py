"""A story to read like a book, to walk through like a tree, and to write on."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from flask import render_template
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import page
from creator_hub.core.errors import NotFound
from creator_hub.core.money import Money, decimals
from creator_hub.core.schemas import WireSchema
from creator_hub.voting import chain_queries, reading, seasons
from creator_hub.voting.books import paragraphs
from creator_hub.voting.chain_doors import ChainDoor, chain_by_id, round_by_id
from creator_hub.voting.chain_models import Episode

MOST_REVENUE = 99_999_999


class RevenueQuery(WireSchema):
    """A season's revenue in major units, to try the rule with."""

    revenue = fields.Decimal(load_default=None, allow_nan=False, validate=validate.Range(0, MOST_REVENUE))


COLUMN, ROW, BOX_WIDTH, BOX_HEIGHT, EDGE = 210, 74, 170, 52, 16


@page("/chains/<uuid:chain_id>/read", permission=Permission.READ_CHANNEL)
def read_page(session: Session, actor: Actor, chain_id: uuid.UUID) -> str:
    """The canon as a book; it opens where one stopped."""
    door = chain_by_id(session, actor, chain_id, Permission.READ_CHANNEL)
    canon = chain_queries.canon_wire(session, door.chain)
    stopped = reading.bookmark_of(session, door.chain, actor.person())
    ids = [each["id"] for each in canon["episodes"]]
    return render_template(
        "voting/read.html",
        **_frame(door),
        story=canon,
        premise=paragraphs(canon["premise"]),
        chapters=[each | {"paragraphs": paragraphs(each["body"])} for each in canon["episodes"]],
        stopped=str(stopped) if str(stopped) in ids else None,
        seasons=seasons.credits_wire(session, door.chain)["seasons"],
    )


@page("/chains/<uuid:chain_id>/tree", permission=Permission.READ_CHANNEL)
def tree_page(session: Session, actor: Actor, chain_id: uuid.UUID) -> str:
    """Every branch as a picture; each episode can be opened."""
    door = chain_by_id(session, actor, chain_id, Permission.READ_CHANNEL)
    episodes = chain_queries.episodes_of(session, door.chain)
    wire = {each["id"]: each for each in chain_queries.chain_wire(session, door.chain)["episodes"]}
    nodes = [_node(place, wire[str(place.id)]) for place in reading.laid_out(episodes)]
    at = {node["id"]: node for node in nodes}
    return render_template(
        "voting/tree.html",
        **_frame(door),
        chain=chain_queries.listed(session, [door.chain])[0],
        nodes=nodes,
        lines=[_line(at[node["parent_id"]], node) for node in nodes if node["parent_id"]],
        width=max((node["x"] + BOX_WIDTH for node in nodes), default=0) + EDGE,
        height=max((node["y"] + BOX_HEIGHT for node in nodes), default=0) + EDGE,
        box={"width": BOX_WIDTH, "height": BOX_HEIGHT},
    )


@page("/chains/<uuid:chain_id>/season", permission=Permission.READ_CHANNEL, query=RevenueQuery())
def season_page(session: Session, actor: Actor, chain_id: uuid.UUID, query: dict[str, Decimal | None]) -> str:
    """What contributors earn: the rule, tried out with a number, and every season's credits."""
    door = chain_by_id(session, actor, chain_id, Permission.READ_CHANNEL)
    currency, major = door.group.currency, query["revenue"]
    tried = None
    if major is not None:
        revenue = Money(int(major.scaleb(decimals(currency)).to_integral_value()), currency)
        tried = seasons.simulate(session, actor, chain_id, revenue, None)
    return render_template(
        "voting/season.html",
        **_frame(door),
        chain=chain_queries.listed(session, [door.chain])[0],
        seasons=seasons.credits_wire(session, door.chain)["seasons"],
        tried=tried,
        revenue=major,
        as_money=lambda wire: Money(wire["amount_minor"], wire["currency"]),
    )


@page("/episodes/<uuid:episode_id>", permission=Permission.READ_CHANNEL)
def episode_page(session: Session, actor: Actor, episode_id: uuid.UUID) -> str:
    """One episode of any branch, with what comes before and what grew from it."""
    actor.person()
    episode = session.get(Episode, episode_id)
    if episode is None:
        actor.proved.add(Permission.READ_CHANNEL)
        raise NotFound
    door = chain_by_id(session, actor, episode.chain_id, Permission.READ_CHANNEL)
    wire = {each["id"]: each for each in chain_queries.chain_wire(session, door.chain)["episodes"]}
    shown = wire[str(episode.id)]
    return render_template(
        "voting/episode.html",
        **_frame(door),
        chain=chain_queries.listed(session, [door.chain])[0],
        episode=shown | {"paragraphs": paragraphs(shown["body"])},
        before=wire.get(shown["parent_id"]),
        after=[each for each in wire.values() if each["parent_id"] == shown["id"]],
    )


@page("/rounds/<uuid:round_id>/write", permission=Permission.VOTE)
def desk_page(session: Session, actor: Actor, round_id: uuid.UUID) -> str:
    """The writing desk: the text so far beside one's own, which keeps itself."""
    door = round_by_id(session, actor, round_id, Permission.VOTE)
    wire = chain_queries.round_wire(session, door.round, door.chain.rules["method"], actor.person())
    path = chain_queries.path_to(chain_queries.episodes_of(session, door.chain), door.round.parent_episode_id)
    return render_template(
        "voting/desk.html",
        **_frame(ChainDoor(door.chain, door.channel, door.group, door.standing)),
        chain=chain_queries.listed(session, [door.chain])[0],
        round=wire,
        before=[{"title": each.title, "paragraphs": paragraphs(each.body)} for each in path[-2:]],
        premise=paragraphs(door.chain.premise),
        mine=[each for each in wire["proposals"] if each["author"]["id"] == str(actor.person())],
    )


def _frame(door: ChainDoor) -> dict[str, Any]:
    role = door.standing.role
    return {"group": door.group, "is_staff": role in ("creator", "moderator"), "owns": role == "creator"}


def _node(place: reading.Node, episode: dict[str, Any]) -> dict[str, Any]:
    x, y = EDGE + (place.column - 1) * COLUMN, EDGE + place.row * ROW
    return episode | {"x": x, "y": y, "middle": y + BOX_HEIGHT // 2}


def _line(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """A curve from the right of one box to the left of the next."""
    start, end = before["x"] + BOX_WIDTH, after["x"]
    bend = (start + end) // 2
    path = f"M{start} {before['middle']} C{bend} {before['middle']} {bend} {after['middle']} {end} {after['middle']}"
    return {"path": path, "canon": after["state"] == "canon"}
