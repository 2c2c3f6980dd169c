"""The one way in which a person's access to a group changes: locked, compared before and after, told to the live edge.

Lock order of the room, everywhere: group row → streams in id order → the account log (which has the highest id). The
group row covers memberships, entitlements, seats, invites, bans and channel ranks of that group, so two changes never
see half of each other. It is locked FOR NO KEY UPDATE: rows that merely point at the group are not held up.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub import streams
from creator_hub.accounts.queries import people
from creator_hub.core.errors import NotFound
from creator_hub.groups.models import Channel, Group
from creator_hub.groups.standing import standing_of

EVICTION_REASONS = frozenset({"banned", "left", "expired", "refunded", "disputed", "suspended", "tier"})


def lock_group(session: Session, group_id: uuid.UUID) -> Group:
    """Hold the group until the commit, and read it as it is now."""
    group = session.scalars(
        select(Group)
        .where(Group.id == group_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if group is None:
        raise NotFound
    return group


@contextmanager
def changing_access(session: Session, group_id: uuid.UUID, user_id: uuid.UUID, *, reason: str) -> Iterator[Group]:
    """Change anything about one person's access inside; what they gained and lost is announced at the end.

    `reason` is what `access.revoked` tells the person themselves; the others see only that somebody left.
    """
    group = lock_group(session, group_id)
    before = _visible(session, group, user_id)
    yield group
    session.flush()
    after = _visible(session, group, user_id)
    gained = [channel for channel in after if channel not in before]
    lost = [channel for channel in before if channel not in after]
    _announce(session, group, user_id, gained, lost, reason)


def _visible(session: Session, group: Group, user_id: uuid.UUID) -> list[Channel]:
    standing = standing_of(session, group, user_id)
    return [channel for channel in channels_of(session, group.id) if standing.sees(channel)]


def channels_of(session: Session, group_id: uuid.UUID) -> Sequence[Channel]:
    """The open channels of a group, oldest first."""
    return session.scalars(
        select(Channel)
        .where(Channel.group_id == group_id, Channel.archived_at.is_(None))
        .order_by(Channel.id)
        .execution_options(populate_existing=True)
    ).all()


def _announce(
    session: Session,
    group: Group,
    user_id: uuid.UUID,
    gained: Sequence[Channel],
    lost: Sequence[Channel],
    reason: str,
) -> None:
    if gained or lost:
        log = [streams.ACCOUNT_LOG] if gained else []
        streams.lock(session, [channel.id for channel in (*gained, *lost)] + log)
    for channel in lost:
        tell_left(session, channel, user_id, reason)
    for channel in gained:
        tell_joined(session, channel, [user_id])
    for channel in gained:
        tell_granted(session, group, channel, [user_id])


def tell_left(session: Session, channel: Channel, user_id: uuid.UUID, reason: str) -> None:
    """Nobody else learns why; the person's sockets leave the channel before the row is emitted."""
    shown = reason if reason in EVICTION_REASONS else "expired"
    evict = streams.Evict(user_id, shown)
    streams.append(session, channel.id, "member.left", {"user_id": str(user_id)}, evict=evict)


def tell_joined(session: Session, channel: Channel, user_ids: Iterable[uuid.UUID]) -> None:
    for person in people(session, user_ids).values():
        streams.append(session, channel.id, "member.joined", {"user": person.as_json()})


def tell_granted(session: Session, group: Group, channel: Channel, user_ids: Iterable[uuid.UUID]) -> None:
    """To the account log, which is locked last: call this after everything else is appended."""
    shown: dict[str, Any] = {"id": str(group.id), "handle": group.handle, "name": group.name}
    for user_id in user_ids:
        data = {"user_id": str(user_id), "channel_id": str(channel.id), "group": shown}
        streams.append(session, streams.ACCOUNT_LOG, "access.granted", data)
