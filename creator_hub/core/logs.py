"""Structured logs on stderr, one JSON object a line, without secrets.

Only named fields are logged, never bodies, headers or query strings. As a second line of defence every value under a
telling name is masked, and what looks like a secret is cut out of every text, tracebacks too.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

_TELLING = (
    "password",
    "secret",
    "token",
    "cookie",
    "authorization",
    "passcode",
    "card",
    "email",
    "signature",
)
MASK = "***"
# Mail addresses; tokens of ours and of Stripe; a word of 43 signs, which is how 256 random bits look in base 64;
# user and password in an address; Argon2 hashes; the values PostgreSQL names when a constraint is broken.
_SECRETS = re.compile(
    r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
    r"|\bhub_[\w-]{8,}|\b(?:sk|rk|pk|whsec)_\w{6,}"
    r"|(?<![\w-])[\w-]{43}(?![\w-])"
    r"|(?<=://)[^\s/@]{1,512}@"
    r"|\$argon2\w{1,3}\$\S+"
    r"|(?<=DETAIL: )[^\n]+"
)


def scrub(text: str) -> str:
    """`text` without what looks like a secret."""
    return _SECRETS.sub(MASK, text)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, Mapping):
        return {key: MASK if _is_telling(str(key)) else _clean(held) for key, held in value.items()}
    return [_clean(held) for held in value] if isinstance(value, list | tuple) else value


def _is_telling(name: str) -> bool:
    return any(word in name.lower() for word in _TELLING)


def _mask(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    cleaned: MutableMapping[str, Any] = _clean(event)
    return cleaned


class _Scrubbed(logging.Formatter):
    """For what libraries log by themselves."""

    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))


def configure() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Scrubbed("%(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _mask,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def get(name: str) -> Any:
    return structlog.get_logger(name)
