"""Keys derived from SECRET_KEY, one per purpose, and the two things done with them: fingerprints and sealed bytes.

Derivation is HKDF-SHA256 (RFC 5869), so that what one purpose reveals says nothing of another. Sealing is AES-256-GCM
with a random nonce; `bound_to` names the place the bytes belong to, so that they cannot be moved to another row.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12


class BrokenSeal(ValueError):
    """The bytes were sealed with another key, for another place, or changed since."""


@functools.cache
def _key(secret_key: str, purpose: str) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=f"creator-hub {purpose}".encode()).derive(secret_key.encode())


def fingerprint(secret_key: str, purpose: str, data: bytes) -> bytes:
    """32 bytes that are the same for the same data, and cannot be guessed back from a copy of the database."""
    return hmac.new(_key(secret_key, purpose), data, hashlib.sha256).digest()


def seal(secret_key: str, purpose: str, data: bytes, *, bound_to: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(_key(secret_key, purpose)).encrypt(nonce, data, bound_to)


def unseal(secret_key: str, purpose: str, sealed: bytes, *, bound_to: bytes) -> bytes:
    """What was sealed; raises BrokenSeal."""
    try:
        return AESGCM(_key(secret_key, purpose)).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError):
        raise BrokenSeal from None
