"""Passwords: Argon2id (RFC 9106) with the library's recommended cost.

Hashing takes tens of milliseconds of CPU and 64 MiB. In a gevent web process that would stop every socket, so it runs
in a thread there, at most `AT_ONCE` at a time: when everybody signs in at once they wait for each other, and there is
memory and time for the rest. Whoever waits at a sign-in or sign-up holds no transaction (`prepare` of the routes).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from gevent.monkey import is_module_patched
from gevent.threadpool import ThreadPool

AT_ONCE = 2
_hasher = PasswordHasher()
Result = TypeVar("Result")


@functools.cache
def _nobodys_hash(hasher: PasswordHasher) -> str:
    """Checked when the e-mail is unknown, so that the answer takes as long as for a known one."""
    return hasher.hash("nobody has this password")


def hash_password(password: str) -> str:
    return _off_hub(lambda: _hasher.hash(password))


def verify(password_hash: str | None, password: str) -> bool:
    """True when the password fits. None (no such person) costs the same time and is never true."""

    def check() -> bool:
        try:
            return _hasher.verify(password_hash or _nobodys_hash(_hasher), password)
        except (VerificationError, InvalidHashError):
            return False

    return _off_hub(check) and password_hash is not None


def needs_rehash(password_hash: str) -> bool:
    """True when the cost has been raised since this hash was made."""
    return _hasher.check_needs_rehash(password_hash)


def _off_hub(work: Callable[[], Result]) -> Result:
    if is_module_patched("threading"):
        return _threads().apply(work)
    return work()


@functools.cache
def _threads() -> ThreadPool:
    """Of this process: made on first use, after gunicorn has forked."""
    return ThreadPool(AT_ONCE)
