"""Rate limits, counted in Redis so that all processes share them.

While Redis is away each process counts in its own memory: N processes then let through N times the rate, never
everything, and nobody is refused for want of Redis. It is asked again every `AWAY_S`, not with every request.

A limit reads "10/minute" (https://limits.readthedocs.io, fixed window). The HTTP edge and the socket edge use this one
way, before they open a transaction.
"""

from __future__ import annotations

import ipaddress
import time

from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis import RedisError

from creator_hub.core import db, logs
from creator_hub.core.errors import SlowDown

AWAY_S = 5.0
TIMEOUT_S = 0.5
_memory = FixedWindowRateLimiter(MemoryStorage())
_shared: FixedWindowRateLimiter | None = None
_away_until = 0.0
_parsed: dict[str, RateLimitItem] = {}
log = logs.get(__name__)


def configure(redis_url: str) -> None:
    """Count in this Redis; an empty URL counts in this process alone."""
    global _shared, _memory, _away_until
    _away_until = 0.0
    _memory = FixedWindowRateLimiter(MemoryStorage())
    _shared = (
        FixedWindowRateLimiter(RedisStorage(redis_url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S))
        if redis_url
        else None
    )


def hit(limit: str, *key: str) -> None:
    """Count one use of `key`; raises SlowDown with the seconds to wait when `limit` is used up."""
    global _away_until
    db.forbid_transaction()
    item = _parsed.setdefault(limit, parse(limit))
    if _shared is not None and time.monotonic() >= _away_until:
        try:
            _count(_shared, item, key)
            return
        except (RedisError, StorageError, OSError) as error:
            _away_until = time.monotonic() + AWAY_S
            log.warning("limits_without_redis", error=type(error).__name__)
    _count(_memory, item, key)


def address_key(address: str | None) -> str:
    """What an address is counted as: an IPv6 host owns a whole /64 and could change its address with every request."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return address or "unknown"
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def _count(limiter: FixedWindowRateLimiter, item: RateLimitItem, key: tuple[str, ...]) -> None:
    if not limiter.hit(item, *key):
        resets_at = limiter.get_window_stats(item, *key).reset_time
        raise SlowDown(retry_after=max(1, int(resets_at - time.time()) + 1))
