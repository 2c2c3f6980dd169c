"""One tree of errors. The edges map it: to problem+json (RFC 9457), to a socket acknowledgement, to an HTML page.

`message` is an English sentence for the person who sees it (a gettext msgid, `%(name)s` filled from `params`): it says
what to do. `code` is fixed by the wire contract; clients switch on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class HubError(Exception):
    """What every refusal has: an HTTP status, a title, a stable code and a sentence."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"
    default_code: ClassVar[str] = "internal"
    default_message: ClassVar[str] = "Something went wrong on our side. Please try again."

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        errors: Mapping[str, Any] | None = None,
        retry_after: int | None = None,
        **params: Any,
    ) -> None:
        self.message = message or self.default_message
        self.code = code or self.default_code
        self.errors = errors
        self.retry_after = retry_after
        self.params = params
        super().__init__(self.detail)

    @property
    def detail(self) -> str:
        return self.message % self.params if self.params else self.message


class BadRequest(HubError):
    status, title, default_code = 400, "Unreadable request", "bad_request"
    default_message = "The request could not be read."


class BadSignature(BadRequest):
    default_code = "bad_signature"
    default_message = "The signature does not match."


class SignInRequired(HubError):
    status, title, default_code = 401, "Please sign in", "sign_in_required"
    default_message = "Sign in to continue."


class NotAllowed(HubError):
    status, title, default_code = 403, "Not allowed", "not_allowed"
    default_message = "You are not allowed to do this."


class CsrfFailed(NotAllowed):
    default_code = "csrf"
    default_message = "This page is out of date. Reload it and try again."


class ProveAgain(NotAllowed):
    """The session is alive, but too long ago it was shown that its person still sits there."""

    default_code = "prove_again"
    default_message = "Confirm your password to do this."


class NotFound(HubError):
    """Also the answer for what exists but is private: the two must not be told apart."""

    status, title, default_code = 404, "Not found", "not_found"
    default_message = "There is nothing here, or it is not visible to you."


class Conflict(HubError):
    """The request is understood and collides with the present state. Give the `code` of the contract."""

    status, title, default_code = 409, "Conflict", "conflict"
    default_message = "That is not possible in the present state."


class Gone(HubError):
    status, title, default_code = 410, "No longer available", "gone"
    default_message = "This is no longer available."


class TooLarge(HubError):
    status, title, default_code = 413, "Too large", "too_large"
    default_message = "That is too large."


class WrongType(HubError):
    status, title, default_code = 415, "Wrong content type", "wrong_type"
    default_message = "Send JSON with Content-Type: application/json."


class Invalid(HubError):
    """Fields that break a rule; `errors` maps each field to a list of sentences."""

    status, title, default_code = 422, "Please check your input", "invalid"
    default_message = "Some fields need your attention."


class SlowDown(HubError):
    status, title, default_code = 429, "Too often", "slow_down"
    default_message = "That was too often. Please wait a moment."


class Unavailable(HubError):
    status, title, default_code = 503, "Temporarily unavailable", "unavailable"
    default_message = "This is temporarily unavailable. Nothing was lost; please try again in a moment."


class PaymentDeclined(HubError):
    status, title, default_code = 402, "Payment declined", "payment_declined"
    default_message = "The payment was declined. Try another card or ask your bank."
