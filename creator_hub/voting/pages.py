"""Stories to read and write, and the permanent address of a poll."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from flask import render_template
from sqlalchemy.orm import Session

from creator_hub.core import clock
from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import page
from creator_hub.groups.doors import group_by_handle
from creator_hub.groups.queries import channels_visible_to
from creator_hub.groups.standing import Standing
from creator_hub.voting import chain_queries, polls, queries, rounds
from creator_hub.voting.chain_doors import ChainDoor, RoundDoor, chain_by_id
from creator_hub.voting.doors import PollDoor, poll_by_id
from creator_hub.voting.models import BallotBox


@page("/g/<handle>/chains", permission=Permission.READ_CHANNEL)
def chains_page(session: Session, actor: Actor, handle: str) -> str:
    """A group's stories."""
    door = group_by_handle(session, actor, handle, Permission.READ_CHANNEL)
    found = chain_queries.chains_for(session, door.group, door.standing)
    return render_template(
        "voting/chains.html",
        group=door.group,
        is_staff=_runs_votes(door.standing),
        owns=door.standing.role == "creator",
        chains=chain_queries.listed(session, found),
        channels=[(each.id, f"# {each.name}") for each in channels_visible_to(session, door.group, door.standing)],
    )


@page("/chains/<uuid:chain_id>", permission=Permission.READ_CHANNEL)
def chain_page(session: Session, actor: Actor, chain_id: uuid.UUID) -> str:
    """A story: its canon, its branches, and the round that is under way."""
    door = chain_by_id(session, actor, chain_id, Permission.READ_CHANNEL)
    chain = chain_queries.chain_wire(session, door.chain)
    canon = [each for each in chain["episodes"] if each["state"] == "canon"]
    branches = [each for each in chain["episodes"] if each["state"] in ("alternate", "vetoed")]
    context: dict[str, Any] = {
        "group": door.group,
        "is_staff": _runs_votes(door.standing),
        "owns": door.standing.role == "creator",
        "chain": chain,
        "canon": canon,
        "branches": branches,
        "titles": {each["id"]: each["title"] for each in chain["episodes"]},
        "round": _open_round(session, actor, door),
        "past": _past_rounds(session, door),
    }
    return render_template("voting/chain.html", **context)


@page("/polls/<uuid:poll_id>", permission=Permission.READ_CHANNEL)
def poll_page(session: Session, actor: Actor, poll_id: uuid.UUID) -> str:
    """A poll with its result as bars and as a table."""
    door = poll_by_id(session, actor, poll_id, Permission.READ_CHANNEL)
    poll = queries.as_wire(session, [door.poll], actor.person())[0]
    shown = _visible_result(session, door)
    return render_template(
        "voting/poll.html",
        group=door.group,
        is_staff=_runs_votes(door.standing),
        owns=door.standing.role == "creator",
        poll=poll,
        result=shown,
        rows=bars(poll["options"], shown) if shown else [],
        published=door.box.closed_at is not None,
        waiting=queries.waiting_options(session, door.poll) if door.is_staff else [],
        may_add=poll["state"] == "open" and (door.is_staff or poll["adding"] != "staff"),
        differs=bool(shown and shown["differs"]),
    )


def bars(options: Sequence[Mapping[str, str]], result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row per option: raw and weighted totals, and the weighted share of all that was given, in percent."""
    weighted = {option: Fraction(total) for option, total in result["weighted"]["totals"].items()}
    everything = sum(weighted.values(), Fraction(0))
    return [
        {
            "text": option["text"],
            "raw": result["raw"]["totals"][option["id"]],
            "weighted": result["weighted"]["totals"][option["id"]],
            "percent": round(weighted[option["id"]] * 100 / everything) if everything else 0,
            "won": option["id"] in result["winner_ids"],
        }
        for option in options
    ]


def _runs_votes(standing: Standing) -> bool:
    return standing.role in ("creator", "moderator")


def _visible_result(session: Session, door: PollDoor) -> dict[str, Any] | None:
    sealed = door.box.results == "sealed" and not door.box.is_over(clock.now())
    return None if sealed else polls.result(session, door)


def _open_round(session: Session, actor: Actor, door: ChainDoor) -> dict[str, Any] | None:
    found = chain_queries.open_rounds(session, [door.chain.id]).get(door.chain.id)
    if found is None:
        return None
    return chain_queries.round_wire(session, found, door.chain.rules["method"], actor.person())


def _past_rounds(session: Session, door: ChainDoor) -> list[dict[str, Any]]:
    """What was decided and how, newest first; vetoes with their reasons."""
    past = []
    for found in chain_queries.rounds_of(session, door.chain):
        if found.decided_at is None:
            continue
        wire = chain_queries.round_wire(session, found, door.chain.rules["method"])
        outcome, rows = None, []
        if session.get(BallotBox, found.id) is not None:
            outcome = rounds.result(session, RoundDoor(found, door.chain, door.channel, door.group, door.standing))
            stood = [{"id": each["id"], "text": each["title"]} for each in wire["proposals"] if each["shortlisted"]]
            rows = bars(stood, outcome)
        past.append({"round": wire, "decided_at": found.decided_at, "result": outcome, "rows": rows})
    return past
