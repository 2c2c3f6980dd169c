"""Mei's group with its fans; and, where money moves, her shop beside the sandbox."""

from __future__ import annotations

import pytest

from creator_hub.core.db import unit_of_work
from tests.money.conftest import shop, till
from tests.support.subscribers import Town

__all__ = ["shop", "till", "town"]


@pytest.fixture
def town(database: str) -> Town:
    with unit_of_work() as session:
        return Town(session)
