"""Identifiers: UUID version 7 (RFC 9562), so that rows made later sort later and indexes stay compact."""

from __future__ import annotations

import uuid

from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    return uuid7()
