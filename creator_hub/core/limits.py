"""Rate limits, counted in Redis so that all processes share them, in memory while Redis is away.

A limit reads "10/minute" (https://limits.readthedocs.io, fixed window). The HTTP edge, the socket edge and sign-in use
this one way.
"""

from __future__ import annotations

import time

from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis import RedisError

from creator_hub.core import logs
from creator_hub.core.errors import SlowDown

_memory = FixedWindowRateLimiter(MemoryStorage())
_shared: FixedWindowRateLimiter | None = None
_parsed: dict[str, RateLimitItem] = {}
log = logs.get(__name__)


def configure(redis_url: str) -> None:
    """Count in this Redis; an empty URL counts in this process alone."""
    global _shared, _memory
    _memory = FixedWindowRateLimiter(MemoryStorage())
    _shared = (
        FixedWindowRateLimiter(RedisStorage(redis_url, socket_timeout=0.5, socket_connect_timeout=0.5))
        if redis_url
        else None
    )


def hit(limit: str, *key: str) -> None:
    """Count one use of `key`; raises SlowDown with the seconds to wait when `limit` is used up."""
    item = _parsed.setdefault(limit, parse(limit))
    if _shared is not None:
        try:
            _count(_shared, item, key)
            return
        except (RedisError, StorageError, OSError) as error:
            log.warning("limits_without_redis", error=type(error).__name__)
    _count(_memory, item, key)


def _count(limiter: FixedWindowRateLimiter, item: RateLimitItem, key: tuple[str, ...]) -> None:
    if not limiter.hit(item, *key):
        resets_at = limiter.get_window_stats(item, *key).reset_time
        raise SlowDown(retry_after=max(1, int(resets_at - time.time()) + 1))
