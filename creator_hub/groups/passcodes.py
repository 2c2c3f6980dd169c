"""Passcodes: read aloud, typed on a phone, hopeless to guess.

Thirty signs without look-alikes (0 O 1 I L U), fifteen of them: 15 · log2 30 ≈ 73 bits.
"""

from __future__ import annotations

import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUPS, GROUP_LENGTH = 3, 5


def new_passcode() -> str:
    return _grouped("".join(secrets.choice(ALPHABET) for _ in range(GROUPS * GROUP_LENGTH)))


def canonical(typed: str) -> str:
    """The stored form of what a person typed: capitals, dashes where they belong. Nonsense stays nonsense."""
    return _grouped("".join(sign for sign in typed.upper() if sign in ALPHABET)[: GROUPS * GROUP_LENGTH + 1])


def _grouped(signs: str) -> str:
    return "-".join(signs[at : at + GROUP_LENGTH] for at in range(0, len(signs), GROUP_LENGTH))
