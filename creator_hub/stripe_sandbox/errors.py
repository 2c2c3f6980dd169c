"""Stripe's error shapes, as exceptions that the server turns into responses."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """One Stripe error. `keep` says that what was written before it stays (a declined charge is a fact)."""

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        keep: bool = False,
        validation: bool = False,
        **extra: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.keep = keep
        self.validation = validation
        known = {"code": code, **extra}
        self.error: dict[str, Any] = {"type": kind, "message": message}
        self.error |= {key: value for key, value in known.items() if value is not None}


def invalid(message: str, *, code: str | None = None, param: str | None = None) -> ApiError:
    """A request that can never work against the present state: 400 invalid_request_error."""
    return ApiError(400, "invalid_request_error", message, code=code, param=param)


def unreadable(message: str, *, code: str | None = None, param: str | None = None) -> ApiError:
    """A request refused before anything ran; Stripe does not store these under the idempotency key."""
    return ApiError(400, "invalid_request_error", message, code=code, param=param, validation=True)


def missing(noun: str, identifier: str, param: str = "id") -> ApiError:
    """404 resource_missing."""
    text = f"No such {noun}: '{identifier}'"
    return ApiError(404, "invalid_request_error", text, code="resource_missing", param=param)


def wrong_key(given: str) -> ApiError:
    """401 for a key that is not the sandbox's."""
    shown = f"{given[:7]}{'*' * max(len(given) - 11, 0)}{given[-4:]}" if len(given) > 11 else "*" * len(given)
    return ApiError(401, "invalid_request_error", f"Invalid API Key provided: {shown}", validation=True)
