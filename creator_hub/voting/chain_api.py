"""JSON routes of story chains."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import route
from creator_hub.groups.doors import group_by_handle
from creator_hub.voting import chain_queries, chain_schemas, chains, rounds, schemas
from creator_hub.voting.chain_doors import chain_by_id, round_by_id
from creator_hub.voting.poll_api import VOTES


@route(
    "POST",
    "/groups/<handle>/chains",
    permission=Permission.RUN_VOTES,
    body=chain_schemas.ChainIn(),
    answer=chain_schemas.ChainOut(),
    status=201,
)
def begin_chain(session: Session, actor: Actor, handle: str, body: dict[str, Any]) -> dict[str, Any]:
    """Begin a story chain in a channel."""
    door = group_by_handle(session, actor, handle, Permission.RUN_VOTES)
    return chain_queries.chain_wire(session, chains.begin(session, actor, door.group, **body))


@route("GET", "/groups/<handle>/chains", permission=Permission.READ_CHANNEL, answer=chain_schemas.ChainList())
def list_chains(session: Session, actor: Actor, handle: str) -> dict[str, Any]:
    """The group's story chains, without their episodes."""
    door = group_by_handle(session, actor, handle, Permission.READ_CHANNEL)
    found = chain_queries.chains_for(session, door.group, door.standing)
    return {"items": chain_queries.listed(session, found), "next": None}


@route("GET", "/chains/<uuid:chain_id>", permission=Permission.READ_CHANNEL, answer=chain_schemas.ChainOut())
def get_chain(session: Session, actor: Actor, chain_id: uuid.UUID) -> dict[str, Any]:
    """A story chain with its whole tree."""
    door = chain_by_id(session, actor, chain_id, Permission.READ_CHANNEL)
    return chain_queries.chain_wire(session, door.chain)


@route("GET", "/chains/<uuid:chain_id>/canon", permission=Permission.READ_CHANNEL, answer=chain_schemas.CanonOut())
def get_canon(session: Session, actor: Actor, chain_id: uuid.UUID) -> dict[str, Any]:
    """The canon in reading order."""
    door = chain_by_id(session, actor, chain_id, Permission.READ_CHANNEL)
    return chain_queries.canon_wire(session, door.chain)


@route(
    "PUT",
    "/chains/<uuid:chain_id>/head",
    permission=Permission.MANAGE_GROUP,
    body=chain_schemas.HeadIn(),
    answer=chain_schemas.ChainOut(),
)
def move_head(session: Session, actor: Actor, chain_id: uuid.UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Let the canon take another branch, visibly."""
    chain = chains.move_head(session, actor, chain_id, body["episode_id"], body["reason"])
    return chain_queries.chain_wire(session, chain)


@route(
    "POST",
    "/chains/<uuid:chain_id>/rounds",
    permission=Permission.RUN_VOTES,
    body=chain_schemas.RoundIn(),
    answer=chain_schemas.RoundOut(),
    status=201,
    body_optional=True,
)
def open_round(session: Session, actor: Actor, chain_id: uuid.UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Ask the group for the next episode."""
    found = rounds.open_round(session, actor, chain_id, body["parent_episode_id"])
    return _shown(session, actor, found.id)


@route("GET", "/rounds/<uuid:round_id>", permission=Permission.READ_CHANNEL, answer=chain_schemas.RoundOut())
def get_round(session: Session, actor: Actor, round_id: uuid.UUID) -> dict[str, Any]:
    """A round with its proposals."""
    return _shown(session, actor, round_id)


@route(
    "POST",
    "/rounds/<uuid:round_id>/proposals",
    permission=Permission.VOTE,
    body=chain_schemas.ProposalIn(),
    answer=chain_schemas.ProposalOut(),
    status=201,
)
def propose(session: Session, actor: Actor, round_id: uuid.UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Propose the next episode."""
    made = rounds.propose(session, actor, round_id, body["title"], body["body"])
    shown = _shown(session, actor, round_id, Permission.VOTE)
    return next(each for each in shown["proposals"] if each["id"] == str(made.id))


@route("PUT", "/proposals/<uuid:proposal_id>/like", permission=Permission.VOTE, status=204, limit=VOTES)
def like(session: Session, actor: Actor, proposal_id: uuid.UUID) -> None:
    """Like a proposal."""
    rounds.like(session, actor, proposal_id, present=True)


@route("DELETE", "/proposals/<uuid:proposal_id>/like", permission=Permission.VOTE, status=204, limit=VOTES)
def unlike(session: Session, actor: Actor, proposal_id: uuid.UUID) -> None:
    """Take a like back."""
    rounds.like(session, actor, proposal_id, present=False)


@route(
    "PUT",
    "/rounds/<uuid:round_id>/ballot",
    permission=Permission.VOTE,
    body=schemas.BallotIn(),
    answer=schemas.ReceiptOut(),
    limit=VOTES,
)
def vote_in_round(session: Session, actor: Actor, round_id: uuid.UUID, body: dict[str, Any]) -> dict[str, str]:
    """Cast or replace one's ballot on the next episode."""
    return {"receipt": rounds.vote(session, actor, round_id, body)}


@route(
    "POST",
    "/rounds/<uuid:round_id>/advance",
    permission=Permission.RUN_VOTES,
    body=chain_schemas.AdvanceIn(),
    answer=chain_schemas.RoundOut(),
    body_optional=True,
)
def advance(session: Session, actor: Actor, round_id: uuid.UUID, body: dict[str, Any]) -> dict[str, Any]:
    """End the present phase now."""
    rounds.advance(session, actor, round_id, body["shortlist"])
    return _shown(session, actor, round_id)


@route(
    "POST",
    "/rounds/<uuid:round_id>/veto",
    permission=Permission.MANAGE_GROUP,
    body=chain_schemas.VetoIn(),
    answer=chain_schemas.RoundOut(),
)
def veto(session: Session, actor: Actor, round_id: uuid.UUID, body: dict[str, str]) -> dict[str, Any]:
    """Refuse the outcome of a round, with the reason for everybody to read."""
    rounds.veto(session, actor, round_id, body["reason"])
    return _shown(session, actor, round_id)


@route("GET", "/rounds/<uuid:round_id>/result", permission=Permission.READ_CHANNEL, answer=schemas.ResultOut())
def get_round_result(session: Session, actor: Actor, round_id: uuid.UUID) -> dict[str, Any]:
    """Both tallies of a round's vote."""
    return rounds.result(session, round_by_id(session, actor, round_id, Permission.READ_CHANNEL))


def _shown(
    session: Session, actor: Actor, round_id: uuid.UUID, permission: Permission = Permission.READ_CHANNEL
) -> dict[str, Any]:
    door = round_by_id(session, actor, round_id, permission)
    return chain_queries.round_wire(session, door.round, door.chain.rules["method"], actor.person())
