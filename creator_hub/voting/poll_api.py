"""JSON routes of polls."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import Reply, route
from creator_hub.core.paging import PageRequest
from creator_hub.core.schemas import ListQuery
from creator_hub.groups.doors import channel_by_id
from creator_hub.voting import poll_options, polls, queries, schemas
from creator_hub.voting.doors import poll_by_id
from creator_hub.voting.models import Poll

VOTES, ADDITIONS = "120/minute", "20/minute"


@route(
    "POST",
    "/channels/<uuid:channel_id>/polls",
    permission=Permission.RUN_VOTES,
    body=schemas.PollIn(),
    answer=schemas.PollOut(),
    status=201,
)
def create_poll(session: Session, actor: Actor, channel_id: uuid.UUID, body: dict[str, Any]) -> dict[str, Any]:
    """Put a question to a channel."""
    return _shown(session, actor, polls.create(session, actor, channel_id, **body))


@route(
    "GET",
    "/channels/<uuid:channel_id>/polls",
    permission=Permission.READ_CHANNEL,
    query=ListQuery(),
    answer=schemas.PollPage(),
)
def list_polls(session: Session, actor: Actor, channel_id: uuid.UUID, query: PageRequest) -> dict[str, Any]:
    """A channel's polls, newest first."""
    channel_by_id(session, actor, channel_id, Permission.READ_CHANNEL)
    page = queries.polls_in(session, channel_id, query)
    return {"items": queries.as_wire(session, page.items, actor.person()), "next": page.next}


@route("GET", "/polls/<uuid:poll_id>", permission=Permission.READ_CHANNEL, answer=schemas.PollOut())
def get_poll(session: Session, actor: Actor, poll_id: uuid.UUID) -> dict[str, Any]:
    """A poll."""
    return _shown(session, actor, poll_by_id(session, actor, poll_id, Permission.READ_CHANNEL).poll)


@route(
    "PUT",
    "/polls/<uuid:poll_id>/ballot",
    permission=Permission.VOTE,
    body=schemas.BallotIn(),
    answer=schemas.ReceiptOut(),
    limit=VOTES,
)
def vote(session: Session, actor: Actor, poll_id: uuid.UUID, body: dict[str, Any]) -> dict[str, str]:
    """Cast or replace one's ballot."""
    return {"receipt": polls.vote(session, actor, poll_id, body)}


@route("DELETE", "/polls/<uuid:poll_id>/ballot", permission=Permission.VOTE, status=204, limit=VOTES)
def take_back(session: Session, actor: Actor, poll_id: uuid.UUID) -> None:
    """Take one's ballot back."""
    polls.take_back(session, actor, poll_id)


@route(
    "POST",
    "/polls/<uuid:poll_id>/options",
    permission=Permission.VOTE,
    body=schemas.OptionIn(),
    answer=schemas.PollOut(),
    status=201,
    limit=ADDITIONS,
)
def add_option(session: Session, actor: Actor, poll_id: uuid.UUID, body: dict[str, str]) -> dict[str, Any]:
    """Add an option to a poll that runs, if its rules let one; some polls ask the staff first."""
    return _shown(session, actor, poll_options.add(session, actor, poll_id, body["text"]))


@route(
    "POST",
    "/polls/<uuid:poll_id>/options/<uuid:option_id>/approve",
    permission=Permission.RUN_VOTES,
    answer=schemas.PollOut(),
)
def approve_option(session: Session, actor: Actor, poll_id: uuid.UUID, option_id: uuid.UUID) -> dict[str, Any]:
    """Let an option that waits stand."""
    return _shown(session, actor, poll_options.decide(session, actor, poll_id, option_id, stands=True))


@route(
    "POST",
    "/polls/<uuid:poll_id>/options/<uuid:option_id>/refuse",
    permission=Permission.RUN_VOTES,
    answer=schemas.PollOut(),
)
def refuse_option(session: Session, actor: Actor, poll_id: uuid.UUID, option_id: uuid.UUID) -> dict[str, Any]:
    """Refuse an option that waits."""
    return _shown(session, actor, poll_options.decide(session, actor, poll_id, option_id, stands=False))


@route("POST", "/polls/<uuid:poll_id>/close", permission=Permission.RUN_VOTES, answer=schemas.PollOut())
def close_poll(session: Session, actor: Actor, poll_id: uuid.UUID) -> dict[str, Any]:
    """Close a poll now."""
    return _shown(session, actor, polls.close_by_hand(session, actor, poll_id))


@route("GET", "/polls/<uuid:poll_id>/result", permission=Permission.READ_CHANNEL, answer=schemas.ResultOut())
def get_result(session: Session, actor: Actor, poll_id: uuid.UUID) -> dict[str, Any]:
    """Both tallies, raw and weighted, with every round, matrix and tie-break."""
    return polls.result(session, poll_by_id(session, actor, poll_id, Permission.READ_CHANNEL))


@route("GET", "/polls/<uuid:poll_id>/ballots.csv", permission=Permission.READ_CHANNEL)
def get_ballots(session: Session, actor: Actor, poll_id: uuid.UUID) -> Reply:
    """The ballots of a closed poll, to repeat the tally from."""
    door = poll_by_id(session, actor, poll_id, Permission.READ_CHANNEL)
    headers = {"Content-Disposition": f'attachment; filename="ballots-{poll_id}.csv"'}
    return Reply(polls.ballots_csv(session, door), headers=headers, content_type="text/csv; charset=utf-8")


def _shown(session: Session, actor: Actor, poll: Poll) -> dict[str, Any]:
    """The poll for this viewer; for the staff with the options that wait."""
    shown = queries.as_wire(session, [poll], actor.person())[0]
    door = poll_by_id(session, actor, poll.id, Permission.READ_CHANNEL)
    return shown | ({"waiting_options": queries.waiting_options(session, poll)} if door.is_staff else {})
