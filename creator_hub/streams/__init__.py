"""The ordered, gap-free event log that every live surface is built on.

One stream per channel, plus one *account log* for what concerns a person everywhere (access granted, sessions ended).
"""

from creator_hub.streams.models import ACCOUNT_LOG, Stream, StreamEvent
from creator_hub.streams.queries import heads, read_after, read_before
from creator_hub.streams.service import Entry, Evict, append, append_all, create, find_by_client_id, lock, rewrite

__all__ = [
    "ACCOUNT_LOG",
    "Entry",
    "Evict",
    "Stream",
    "StreamEvent",
    "append",
    "append_all",
    "create",
    "find_by_client_id",
    "heads",
    "lock",
    "read_after",
    "read_before",
    "rewrite",
]
