"""Structured logs on stderr, one JSON object a line, without secrets.

Only named fields are logged, never bodies, headers or query strings. As a second line of defence every value under a
telling name is masked.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
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


def _mask(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in event:
        if any(word in key.lower() for word in _TELLING):
            event[key] = MASK
    return event


def configure() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
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
