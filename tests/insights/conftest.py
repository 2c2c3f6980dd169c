"""Mei's group, its two paid tiers and the fans."""

from __future__ import annotations

import pytest

from creator_hub.core.db import unit_of_work
from tests.support.subscribers import Town


@pytest.fixture
def town(database: str) -> Town:
    with unit_of_work() as session:
        return Town(session)
