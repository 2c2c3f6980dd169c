"""Reading a story: where one stopped, the book, the picture of its tree."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from creator_hub.accounts.queries import people
from creator_hub.core.access import Actor, Permission
from creator_hub.core.errors import NotFound
from creator_hub.voting import chain_queries
from creator_hub.voting.books import Book, Chapter
from creator_hub.voting.chain_doors import ChainDoor, chain_by_id
from creator_hub.voting.chain_models import Chain, Episode
from creator_hub.voting.season_models import Bookmark


@dataclass(frozen=True, slots=True)
class Node:
    """An episode's place in the picture: `column` is its depth, `row` counts branches from the top."""

    id: uuid.UUID
    parent_id: uuid.UUID | None
    column: int
    row: int


def set_bookmark(session: Session, actor: Actor, chain_id: uuid.UUID, episode_id: uuid.UUID) -> None:
    chain_by_id(session, actor, chain_id, Permission.READ_CHANNEL)
    episode = session.get(Episode, episode_id)
    if episode is None or episode.chain_id != chain_id:
        raise NotFound
    mark = insert(Bookmark).values(chain_id=chain_id, user_id=actor.person(), episode_id=episode_id)
    session.execute(mark.on_conflict_do_update(index_elements=["chain_id", "user_id"], set_={"episode_id": episode_id}))


def bookmark_of(session: Session, chain: Chain, user_id: uuid.UUID) -> uuid.UUID | None:
    found = session.get(Bookmark, (chain.id, user_id))
    return found.episode_id if found else None


def book_of(session: Session, door: ChainDoor) -> Book:
    """The canon as it stands."""
    chain = door.chain
    path = chain_queries.path_to(chain_queries.episodes_of(session, chain), chain.head_episode_id)
    faces = people(session, (each.author_id for each in path))
    return Book(
        identifier=str(chain.id),
        title=chain.title,
        group=door.group.name,
        premise=chain.premise,
        licence=chain.rules["licence"],
        chapters=[Chapter(each.title, faces[each.author_id].display_name, each.body) for each in path],
        changed=max((each.written_at for each in path), default=chain.created_at),
    )


def laid_out(episodes: Sequence[Episode]) -> list[Node]:
    """Every episode its place: children stand right of their parent, the first on its row, each other branch on a row
    of its own below everything that grew from the one before it. `episodes` come parents first."""
    children: dict[uuid.UUID | None, list[Episode]] = {}
    for each in episodes:
        children.setdefault(each.parent_id, []).append(each)
    placed: list[Node] = []
    next_row = 0
    # A stack instead of recursion: a story may be hundreds of episodes deep.
    waiting = [(each, n) for n, each in reversed(list(enumerate(children.get(None, []))))]
    rows: dict[uuid.UUID | None, int] = {None: 0}
    while waiting:
        episode, place = waiting.pop()
        row = rows[episode.parent_id] if place == 0 else next_row
        next_row = max(next_row, row + 1)
        rows[episode.id] = row
        placed.append(Node(episode.id, episode.parent_id, episode.depth, row))
        waiting += [(each, n) for n, each in reversed(list(enumerate(children.get(episode.id, []))))]
    return placed
