"""The room that every chat test plays in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.client import Browser
from tests.support.rooms import Room, a_room


@pytest.fixture
def room(browser: Callable[[], Browser]) -> Room:
    return a_room(browser(), browser(), browser())
