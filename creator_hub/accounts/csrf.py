"""Cross-site request forgery: a token another site cannot read, bound to the cookie another site cannot choose.

The token is an HMAC over the session's id, or before sign-in over the anonymous visit cookie (so that nobody can be
signed in to a stranger's account). OWASP: signed double-submit bound to the session.
"""

from __future__ import annotations

import hashlib
import hmac

from creator_hub.core.errors import CsrfFailed


def token_for(secret_key: str, bound_to: str) -> str:
    """The token for one session id or one visit cookie."""
    return hmac.new(secret_key.encode(), b"csrf:" + bound_to.encode(), hashlib.sha256).hexdigest()


def check(secret_key: str, bound_to: str | None, token: str | None) -> None:
    """Pass, or raise CsrfFailed."""
    if not bound_to or not token or not hmac.compare_digest(token_for(secret_key, bound_to).encode(), token.encode()):
        raise CsrfFailed
