"""The only place that talks to Stripe: one client, its API version pinned, never inside a transaction.

Retries of the client carry the same idempotency key, so a repeated call is the same call. Stripe away is `Unavailable`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import stripe

from creator_hub import settings
from creator_hub.core import db
from creator_hub.core.errors import Unavailable

API_VERSION = "2026-10-28.endive"
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 3.0, 20.0
RETRIES = 2
COME_BACK_S = 5
Answer = TypeVar("Answer", bound=stripe.StripeObject)


def ask(call: Callable[[stripe.StripeClient], Answer]) -> dict[str, Any]:
    """Make one call and return the object as plain data. Raises Unavailable when Stripe is away or too busy; what
    Stripe refuses (`stripe.InvalidRequestError`) is the caller's to understand."""
    db.forbid_transaction()
    try:
        return call(_client(settings.current().stripe_secret_key, settings.current().stripe_api_base)).to_dict(
            for_json=True
        )
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError) as error:
        raise Unavailable(retry_after=COME_BACK_S) from error


@functools.cache
def _client(key: str, base: str | None) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        stripe_version=API_VERSION,
        base_addresses={"api": base} if base else {},
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)),
    )


def moment(unix_seconds: int) -> datetime:
    """Stripe's time as an aware moment."""
    return datetime.fromtimestamp(unix_seconds, UTC)
