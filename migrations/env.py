"""Alembic's entry: one migration at a time, and none that waits forever.

An advisory lock keeps two deploys from migrating at once; lock and statement time-outs keep a migration from queueing
behind a long query while everybody queues behind it.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, pool, text

from creator_hub import models
from creator_hub.core.base import Base
from creator_hub.settings import Settings

MIGRATION_LOCK = 7_260_118  # any number, the same for every deploy
LOCK_TIMEOUT = "5s"
STATEMENT_TIMEOUT = "10min"


def run() -> None:
    url = context.config.attributes.get("url") or Settings.from_env().database_url
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'; SET statement_timeout = '{STATEMENT_TIMEOUT}'"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            compare_type=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": MIGRATION_LOCK})
        connection.commit()


assert models.ROOMS  # importing every room's tables is what fills the metadata
run()
