"""What is left to do after a secret vote or a season has closed."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from creator_hub.core import clock, db
from creator_hub.core.edge import job
from creator_hub.groups.models import Group
from creator_hub.money import contributions
from creator_hub.voting import credits, seasons, secrecy

TABLES = "ballots, voters, ballot_boxes"


@job(secrecy.SWEEP, transaction=False)
def sweep(payload: dict[str, Any]) -> None:
    """Let PostgreSQL wipe the rows that the close replaced, the key of the box among them, instead of some day."""
    with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        try:
            connection.execute(text(f"VACUUM {TABLES}"))
        finally:
            connection.execute(text(f"SET statement_timeout = {db.STATEMENT_TIMEOUT_MS}"))


@job(seasons.CLOSED)
def post_credits(session: Session, payload: dict[str, Any]) -> None:
    """What the season's authors share of what the group earned in it becomes theirs in the ledger. Never more than the
    creator's account holds: what was refunded or paid out already is not owed twice."""
    season, chain, shares = seasons.shares_to_post(session, uuid.UUID(payload["season_id"]))
    if season.posted_at is not None or season.ended_at is None:
        return
    group = session.get_one(Group, chain.group_id)
    held = contributions.owed_at_most(session, group)
    revenue = contributions.earned(session, group, season.started_at, season.ended_at)
    pool = min(credits.pool_of(revenue, season.rules["share_bps"]), held)
    paid, at = credits.amounts(pool, shares), clock.now()
    contributions.post(session, group, f"season:{season.id}", paid, at)
    seasons.note_posted(session, season, group.currency, revenue, paid, at)
