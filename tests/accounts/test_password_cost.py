"""The cost of a password is real where it counts, though this test process pays less."""

from __future__ import annotations

import importlib.util

from creator_hub.accounts import passwords


def test_the_hub_hashes_at_or_above_the_published_minimum() -> None:
    """OWASP Password Storage Cheat Sheet: Argon2id with at least 19 MiB and two passes."""
    spec = importlib.util.find_spec(passwords.__name__)
    assert spec is not None
    assert spec.loader is not None
    untouched = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(untouched)
    hashed = untouched.hash_password("correct-horse-battery")
    assert hashed.startswith("$argon2id$")
    assert untouched._hasher.memory_cost >= 19 * 1024
    assert untouched._hasher.time_cost >= 2
