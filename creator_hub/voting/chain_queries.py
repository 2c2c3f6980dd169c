"""Reads of stories: the tree, the canon, rounds."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from creator_hub.accounts.queries import PublicUser, people
from creator_hub.core.schemas import rfc3339
from creator_hub.groups.models import Group
from creator_hub.groups.queries import channels_visible_to
from creator_hub.groups.standing import Standing
from creator_hub.voting.ballots import has_voted, own
from creator_hub.voting.chain_models import UNDER_WAY, Chain, Episode, EpisodeLike, Round
from creator_hub.voting.models import BallotBox


def chains_for(session: Session, group: Group, standing: Standing) -> Sequence[Chain]:
    """The stories in the channels this person sees, newest first."""
    visible = [channel.id for channel in channels_visible_to(session, group, standing)]
    return session.scalars(select(Chain).where(Chain.channel_id.in_(visible)).order_by(Chain.id.desc())).all()


def episodes_of(session: Session, chain: Chain) -> Sequence[Episode]:
    """The whole tree, parents before children."""
    return session.scalars(
        select(Episode).where(Episode.chain_id == chain.id).order_by(Episode.depth, Episode.id)
    ).all()


def path_to(episodes: Iterable[Episode], head: uuid.UUID | None) -> list[Episode]:
    """The episodes from the root to `head`."""
    by_id = {episode.id: episode for episode in episodes}
    path: list[Episode] = []
    while head is not None:
        path.append(by_id[head])
        head = by_id[head].parent_id
    return path[::-1]


def open_rounds(session: Session, chain_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Round]:
    """The round under way, by chain."""
    rows = session.scalars(select(Round).where(Round.chain_id.in_(chain_ids), Round.state.in_(UNDER_WAY)))
    return {found.chain_id: found for found in rows}


def rounds_of(session: Session, chain: Chain) -> Sequence[Round]:
    """Every round of a chain, newest first."""
    return session.scalars(select(Round).where(Round.chain_id == chain.id).order_by(Round.id.desc())).all()


def proposals_of(session: Session, found: Round) -> Sequence[Episode]:
    return session.scalars(select(Episode).where(Episode.round_id == found.id).order_by(Episode.id)).all()


def likes_of(session: Session, episode_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    rows = session.execute(
        select(EpisodeLike.episode_id, func.count().label("likes"))
        .where(EpisodeLike.episode_id.in_(episode_ids))
        .group_by(EpisodeLike.episode_id)
    ).all()
    return dict.fromkeys(episode_ids, 0) | {row.episode_id: row.likes for row in rows}


def chain_wire(session: Session, chain: Chain) -> dict[str, Any]:
    """A chain with its tree."""
    episodes = episodes_of(session, chain)
    canon = {episode.id for episode in path_to(episodes, chain.head_episode_id)}
    faces = people(session, (episode.author_id for episode in episodes))
    shown = [episode_wire(each, faces[each.author_id], is_canon=each.id in canon) for each in episodes]
    return listed(session, [chain])[0] | {"episodes": shown}


def listed(session: Session, chains: Sequence[Chain]) -> list[dict[str, Any]]:
    """Chains without their trees, with the round that is under way."""
    rounds = open_rounds(session, [chain.id for chain in chains])
    return [
        {
            "id": str(chain.id),
            "channel_id": str(chain.channel_id),
            "title": chain.title,
            "premise": chain.premise,
            "rules": _rules(chain),
            "head_episode_id": _text(chain.head_episode_id),
            "open_round_id": str(rounds[chain.id].id) if chain.id in rounds else None,
            "created_at": rfc3339(chain.created_at),
        }
        for chain in chains
    ]


def canon_wire(session: Session, chain: Chain) -> dict[str, Any]:
    """The story as it stands, in reading order."""
    path = path_to(episodes_of(session, chain), chain.head_episode_id)
    faces = people(session, (episode.author_id for episode in path))
    shown = [episode_wire(episode, faces[episode.author_id], is_canon=True) for episode in path]
    return {"id": str(chain.id), "title": chain.title, "premise": chain.premise, "episodes": shown}


def episode_wire(episode: Episode, author: PublicUser, *, is_canon: bool) -> dict[str, Any]:
    return {
        "id": str(episode.id),
        "parent_id": _text(episode.parent_id),
        "author": author.as_json(),
        "title": episode.title,
        "body": episode.body,
        "state": "canon" if is_canon else episode.state,
        "depth": episode.depth,
    }


def round_wire(session: Session, found: Round, method: str, viewer: uuid.UUID | None = None) -> dict[str, Any]:
    """A round in the contract's shape. For a `viewer`: what they liked, whether they have voted, and while the vote is
    open what."""
    proposals = proposals_of(session, found)
    ids = [proposal.id for proposal in proposals]
    likes, faces = likes_of(session, ids), people(session, (proposal.author_id for proposal in proposals))
    liked = _liked_by(session, ids, viewer) if viewer else set()
    wire: dict[str, Any] = {
        "id": str(found.id),
        "chain_id": str(found.chain_id),
        "parent_episode_id": _text(found.parent_episode_id),
        "state": found.state,
        "method": method,
        "writing_closes_at": rfc3339(found.writing_closes_at),
        "voting_closes_at": rfc3339(found.voting_closes_at),
        "proposals": [
            {
                "id": str(each.id),
                "title": each.title,
                "body": each.body,
                "author": faces[each.author_id].as_json(),
                "likes": likes[each.id],
                "shortlisted": each.shortlisted,
            }
            | ({"liked": each.id in liked} if viewer else {})
            for each in proposals
        ],
        "winner_id": _text(found.winner_id),
        "vetoed": found.vetoed,
        "reason": found.reason,
    }
    if viewer:
        box = session.get(BallotBox, found.id)
        wire["voted"] = bool(has_voted(session, [found.id], viewer))
        wire["ballot"] = own(session, [box], viewer).get(found.id) if box else None
    return wire


def is_due(at: datetime) -> ColumnElement[bool]:
    """SQL: the round's present phase is over."""
    writing = (Round.state == "writing") & (Round.writing_closes_at <= at)
    return writing | (Round.state.in_(("shortlist", "voting")) & (Round.voting_closes_at <= at))


def phase_is_over(found: Round, at: datetime) -> bool:
    """The same of a loaded round."""
    return at >= (found.writing_closes_at if found.state == "writing" else found.voting_closes_at)


def _rules(chain: Chain) -> dict[str, Any]:
    """Exact numbers are kept as text and shown as numbers."""
    decay = chain.rules["decay"]
    weights = {tier: float(weight) for tier, weight in chain.rules["weights"].items()}
    return chain.rules | {"weights": weights, "decay": None if decay is None else float(decay)}


def _liked_by(session: Session, episode_ids: Sequence[uuid.UUID], user_id: uuid.UUID) -> set[uuid.UUID]:
    return set(
        session.scalars(
            select(EpisodeLike.episode_id).where(
                EpisodeLike.episode_id.in_(episode_ids), EpisodeLike.user_id == user_id
            )
        )
    )


def _text(value: uuid.UUID | None) -> str | None:
    return None if value is None else str(value)
