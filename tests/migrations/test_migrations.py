"""From nothing to head, models and migrations agree, one step down and up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, pool, text

from creator_hub import models
from creator_hub.core import migrate
from creator_hub.core.base import Base
from creator_hub.core.ids import new_id
from tests.support.engines import Engines


@pytest.fixture
def empty(engines: Engines) -> Iterator[str]:
    name = f"m_{new_id().hex}"
    with engines.admin() as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield engines.database_url(name)
    with engines.admin() as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_models_and_migrations_agree(empty: str) -> None:
    assert models.ROOMS
    migrate.upgrade(empty)
    engine = create_engine(empty, poolclass=pool.NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_every_step_can_be_taken_back_and_again(empty: str) -> None:
    migrate.upgrade(empty)
    migrate.downgrade(empty, "-1")
    migrate.upgrade(empty)
    migrate.downgrade(empty, "base")
    engine = create_engine(empty, poolclass=pool.NullPool)
    with engine.connect() as connection:
        left = connection.execute(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")).scalar()
    assert left == 1  # Alembic's own
    migrate.upgrade(empty)
