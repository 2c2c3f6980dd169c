"""Beginning stories and moving their heads."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub import streams
from creator_hub.accounts.queries import people
from creator_hub.core import clock
from creator_hub.core.access import Actor, Permission
from creator_hub.core.errors import Conflict, NotFound
from creator_hub.core.ids import new_id
from creator_hub.groups import audit
from creator_hub.groups.doors import channel_by_id
from creator_hub.groups.models import Group
from creator_hub.voting import chain_queries
from creator_hub.voting.chain_doors import chain_by_id
from creator_hub.voting.chain_models import Chain, Episode
from creator_hub.voting.polls import checked_weights
from creator_hub.voting.season_models import Season


def begin(
    session: Session,
    actor: Actor,
    group: Group,
    *,
    channel_id: uuid.UUID,
    title: str,
    premise: str,
    rules: dict[str, Any],
) -> Chain:
    """A story in one of the group's channels."""
    door = channel_by_id(session, actor, channel_id, Permission.RUN_VOTES)
    if door.group.id != group.id:
        raise NotFound
    chain = Chain(
        id=new_id(),
        group_id=group.id,
        channel_id=channel_id,
        title=title,
        premise=premise,
        rules=kept_rules(session, group, rules),
        created_by=actor.person(),
        created_at=clock.now(),
    )
    session.add(chain)
    session.flush()
    begin_season(session, chain)
    return chain


def kept_rules(session: Session, group: Group, rules: dict[str, Any]) -> dict[str, Any]:
    """Rules as they are stored: exact numbers as text, tiers checked."""
    decay = None if rules["decay"] is None else str(rules["decay"])
    return rules | {"weights": checked_weights(session, group, rules["weights"]), "decay": decay}


def begin_season(session: Session, chain: Chain) -> Season:
    """The first season of a new chain, or the next one; it freezes the chain's rules."""
    last = session.scalars(select(Season).filter_by(chain_id=chain.id).order_by(Season.number.desc()).limit(1)).first()
    season = Season(
        id=new_id(),
        chain_id=chain.id,
        number=last.number + 1 if last else 1,
        rules=chain.rules,
        started_at=last.ended_at if last and last.ended_at else clock.now(),
        after_episode_id=chain.head_episode_id,
    )
    session.add(season)
    session.flush()
    return season


def lock(session: Session, chain_id: uuid.UUID) -> Chain:
    """The chain as it is now, its row locked: its head and the round under way hang on it."""
    return session.scalars(
        select(Chain).where(Chain.id == chain_id).with_for_update().execution_options(populate_existing=True)
    ).one()


def move_head(session: Session, actor: Actor, chain_id: uuid.UUID, episode_id: uuid.UUID, reason: str | None) -> Chain:
    """Let the canon take another branch. Everybody in the channel sees it, and the group remembers who did it."""
    chain_by_id(session, actor, chain_id, Permission.MANAGE_GROUP)
    chain = lock(session, chain_id)
    door = chain_by_id(session, actor, chain_id, Permission.MANAGE_GROUP)
    episode = session.get(Episode, episode_id, populate_existing=True)
    if episode is None or episode.chain_id != chain.id:
        raise NotFound
    if episode.state != "alternate":
        raise Conflict("Only an episode that was voted on can lead the story.", code="not_settled")
    if chain.head_episode_id == episode.id:
        return chain
    audit.note(session, door.group, actor, "chain.head_moved", subject_id=episode.id, reason=reason)
    set_head(session, chain, episode)
    return chain


def set_head(session: Session, chain: Chain, episode: Episode) -> None:
    """Point a locked chain at `episode` and tell the channel."""
    chain.head_episode_id = episode.id
    session.flush()
    author = people(session, [episode.author_id])[episode.author_id]
    shown = chain_queries.episode_wire(episode, author, is_canon=True)
    data = {"chain_id": str(chain.id), "episode": shown}
    streams.append(session, chain.channel_id, "episode.canonised", data, subject_id=episode.id)
