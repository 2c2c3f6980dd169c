"""The ways to load a vote: through the channel it belongs to."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.errors import NotFound
from creator_hub.groups.doors import ChannelDoor, channel_by_id
from creator_hub.groups.models import Channel, Group
from creator_hub.groups.standing import Standing
from creator_hub.voting.models import BallotBox, Poll


@dataclass(frozen=True, slots=True)
class PollDoor:
    poll: Poll
    box: BallotBox
    channel: Channel
    group: Group
    standing: Standing

    @property
    def is_staff(self) -> bool:
        return self.standing.role in ("creator", "moderator")


def poll_by_id(session: Session, actor: Actor, poll_id: uuid.UUID, permission: Permission) -> PollDoor:
    actor.person()  # the anonymous are asked to sign in before anything is looked up
    poll = session.get(Poll, poll_id, populate_existing=True)
    if poll is None:
        actor.proved.add(permission)
        raise NotFound
    door = channel_by_id(session, actor, poll.channel_id, permission)
    return poll_through(session, door, poll)


def poll_through(session: Session, door: ChannelDoor, poll: Poll) -> PollDoor:
    box = session.get_one(BallotBox, poll.id, populate_existing=True)
    return PollDoor(poll, box, door.channel, door.group, door.standing)
