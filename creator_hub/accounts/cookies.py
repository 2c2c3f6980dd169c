"""The names of our cookies.

Over HTTPS they carry the `__Host-` prefix: a browser then takes them from this very host only, so that nobody on a
neighbouring name or in the path can plant a session or a visit.
"""

from __future__ import annotations

from creator_hub import settings

SESSION = "hub_session"
VISIT = "hub_visit"


def name_of(cookie: str) -> str:
    """The name under which browsers keep `cookie`."""
    return f"__Host-{cookie}" if settings.current().is_https else cookie
