"""The ways to load what belongs to a story: through its channel."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.errors import NotFound
from creator_hub.groups.doors import channel_by_id
from creator_hub.groups.models import Channel, Group
from creator_hub.groups.standing import Standing
from creator_hub.voting.chain_models import Chain, Episode, Round


@dataclass(frozen=True, slots=True)
class ChainDoor:
    chain: Chain
    channel: Channel
    group: Group
    standing: Standing


@dataclass(frozen=True, slots=True)
class RoundDoor:
    round: Round
    chain: Chain
    channel: Channel
    group: Group
    standing: Standing


def chain_by_id(session: Session, actor: Actor, chain_id: uuid.UUID, permission: Permission) -> ChainDoor:
    actor.person()  # the anonymous are asked to sign in before anything is looked up
    chain = session.get(Chain, chain_id, populate_existing=True)
    if chain is None:
        actor.proved.add(permission)
        raise NotFound
    door = channel_by_id(session, actor, chain.channel_id, permission)
    return ChainDoor(chain, door.channel, door.group, door.standing)


def round_by_id(session: Session, actor: Actor, round_id: uuid.UUID, permission: Permission) -> RoundDoor:
    actor.person()
    found = session.get(Round, round_id, populate_existing=True)
    if found is None:
        actor.proved.add(permission)
        raise NotFound
    door = chain_by_id(session, actor, found.chain_id, permission)
    return RoundDoor(found, door.chain, door.channel, door.group, door.standing)


def round_of_proposal(session: Session, actor: Actor, episode_id: uuid.UUID, permission: Permission) -> RoundDoor:
    actor.person()
    episode = session.get(Episode, episode_id)
    if episode is None:
        actor.proved.add(permission)
        raise NotFound
    return round_by_id(session, actor, episode.round_id, permission)
