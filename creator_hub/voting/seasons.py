"""Seasons: what their canon's authors earn, tried out with numbers beforehand, owed for good at the close."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub.accounts.queries import people
from creator_hub.core import clock, outbox
from creator_hub.core.access import Actor, Permission
from creator_hub.core.errors import Conflict
from creator_hub.core.money import Money
from creator_hub.core.schemas import rfc3339, wire_money
from creator_hub.groups import audit
from creator_hub.voting import chain_queries, chains, credits
from creator_hub.voting.chain_doors import chain_by_id
from creator_hub.voting.chain_models import Chain, Episode
from creator_hub.voting.season_models import Credit, Season

CLOSED = "voting.season_closed"
EXAMPLE_EPISODES = 5


def current(session: Session, chain: Chain) -> Season:
    return session.scalars(
        select(Season)
        .where(Season.chain_id == chain.id, Season.ended_at.is_(None))
        .execution_options(populate_existing=True)
    ).one()


def canon_of(session: Session, chain: Chain, season: Season) -> list[Episode]:
    """The canon that belongs to an open season: what lies on the path to the head and did not when it began."""
    episodes = chain_queries.episodes_of(session, chain)
    before = {each.id for each in chain_queries.path_to(episodes, season.after_episode_id)}
    return [each for each in chain_queries.path_to(episodes, chain.head_episode_id) if each.id not in before]


def is_full(session: Session, chain: Chain) -> bool:
    """Whether the season has all the episodes its rules give it."""
    most = chain.rules["episodes_per_season"]
    return most is not None and len(canon_of(session, chain, current(session, chain))) >= most


def simulate(
    session: Session, actor: Actor, chain_id: uuid.UUID, revenue: Money, episodes: int | None
) -> dict[str, Any]:
    """What a season's authors would get of `revenue`: of the canon as it stands, or before there is one of as many
    example episodes as asked for, each by somebody else."""
    chain = chain_by_id(session, actor, chain_id, Permission.READ_CHANNEL).chain
    canon = [] if episodes else canon_of(session, chain, current(session, chain))
    authors: list[Any] = [each.author_id for each in canon]
    if not authors:
        number = episodes or chain.rules["episodes_per_season"] or EXAMPLE_EPISODES
        authors = [f"author of episode {n}" for n in range(1, number + 1)]
    faces = people(session, [each for each in authors if isinstance(each, uuid.UUID)])
    share = credits.shares(authors, decay_of(chain.rules))
    pool = credits.pool_of(revenue.minor, chain.rules["share_bps"])
    paid = credits.amounts(pool, share)
    return {
        "revenue": wire_money(revenue),
        "pool": wire_money(Money(pool, revenue.currency)),
        "credits": [
            {
                "author": faces[author].as_json() if author in faces else None,
                "name": faces[author].display_name if author in faces else author,
                "episodes": authors.count(author),
                "share": str(share[author]),
                "amount": wire_money(Money(paid[author], revenue.currency)),
            }
            for author in share
        ],
    }


def close(session: Session, actor: Actor, chain_id: uuid.UUID, rules: dict[str, Any] | None) -> Season:
    """End the season: its credits are fixed, what is owed for them goes to the ledger, and the next season begins, by
    new rules if there are any. Not while a round is under way."""
    chain_by_id(session, actor, chain_id, Permission.MANAGE_GROUP)
    chain = chains.lock(session, chain_id)
    door = chain_by_id(session, actor, chain_id, Permission.MANAGE_GROUP)
    if chain_queries.open_rounds(session, [chain.id]):
        raise Conflict("A round of this story is under way. Let it end first.", code="round_open")
    season = current(session, chain)
    authors = [each.author_id for each in canon_of(session, chain, season)]
    if not authors:
        raise Conflict("This season has no canon yet.", code="season_empty")
    share, written = credits.shares(authors, decay_of(season.rules)), Counter(authors)
    season.ended_at = clock.now()
    session.add_all(
        Credit(season_id=season.id, author_id=author, episodes=written[author], share=str(part))
        for author, part in share.items()
    )
    session.flush()
    audit.note(session, door.group, actor, "season.closed", subject_id=season.id)
    outbox.record(session, CLOSED, {"season_id": str(season.id)}, key=str(season.id))
    if rules is not None:
        chain.rules = chains.kept_rules(session, door.group, rules)
    session.flush()
    chains.begin_season(session, chain)
    return season


def shares_to_post(session: Session, season_id: uuid.UUID) -> tuple[Season, Chain, dict[uuid.UUID, Fraction]]:
    """What the ledger needs to know of a closed season; the season is locked."""
    season = session.get_one(Season, season_id, with_for_update=True, populate_existing=True)
    credited = session.scalars(select(Credit).filter_by(season_id=season_id).order_by(Credit.author_id)).all()
    return season, session.get_one(Chain, season.chain_id), {each.author_id: Fraction(each.share) for each in credited}


def note_posted(
    session: Session, season: Season, currency: str, revenue: int, paid: Mapping[uuid.UUID, int], at: datetime
) -> None:
    """Keep what was posted, for everybody to see."""
    season.currency, season.revenue_minor, season.pool_minor, season.posted_at = (
        currency,
        revenue,
        sum(paid.values()),
        at,
    )
    for each in session.scalars(select(Credit).filter_by(season_id=season.id)):
        each.amount_minor = paid[each.author_id]
    session.flush()


def decay_of(rules: Mapping[str, Any]) -> Fraction:
    return Fraction(rules["decay"] or "0")


def credits_wire(session: Session, chain: Chain) -> dict[str, Any]:
    """Every season's contributors: the open one's as they stand, the closed ones' as they were fixed."""
    seasons = session.scalars(select(Season).filter_by(chain_id=chain.id).order_by(Season.number.desc())).all()
    fixed = session.scalars(select(Credit).where(Credit.season_id.in_([each.id for each in seasons]))).all()
    running = [each.author_id for each in canon_of(session, chain, current(session, chain))]
    faces = people(session, [*running, *(each.author_id for each in fixed)])
    shown = []
    for season in seasons:
        if season.ended_at is None:
            share = credits.shares(running, decay_of(season.rules))
            lines: list[tuple[uuid.UUID, int, str, int | None]] = [
                (author, running.count(author), str(part), None) for author, part in share.items()
            ]
        else:
            lines = [(c.author_id, c.episodes, c.share, c.amount_minor) for c in fixed if c.season_id == season.id]
        lines.sort(key=lambda line: (-Fraction(line[2]), faces[line[0]].handle))
        shown.append(
            {
                "number": season.number,
                "started_at": rfc3339(season.started_at),
                "ended_at": rfc3339(season.ended_at) if season.ended_at else None,
                "share_bps": season.rules["share_bps"],
                "decay": season.rules["decay"],
                "pool": _money(season, season.pool_minor),
                "revenue": _money(season, season.revenue_minor),
                "credits": [
                    {
                        "author": faces[author].as_json(),
                        "episodes": number,
                        "share": part,
                        "amount": _money(season, amount),
                    }
                    for author, number, part, amount in lines
                ],
            }
        )
    return {"id": str(chain.id), "seasons": shown}


def _money(season: Season, minor: int | None) -> dict[str, Any] | None:
    return None if minor is None or season.currency is None else wire_money(Money(minor, season.currency))
