"""What is left to do after a secret vote has closed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from creator_hub.core import db
from creator_hub.core.edge import job
from creator_hub.voting import secrecy

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
