"""Keyset pages: `?limit=&after=`, answered as `{"items": […], "next": cursor|null}`.

A cursor is the last row's id, opaque to clients. UUIDv7 ids sort by creation, so newest first is `id DESC`.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

from creator_hub.core.errors import Invalid

MAX_LIMIT = 100
DEFAULT_LIMIT = 50
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    items: Sequence[Item]
    next: str | None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What a list route was asked for: how many, after which row."""

    limit: int = DEFAULT_LIMIT
    after: str | None = None


def encode_cursor(row_id: uuid.UUID) -> str:
    return base64.urlsafe_b64encode(row_id.bytes).rstrip(b"=").decode()


def decode_cursor(cursor: str) -> uuid.UUID:
    """The id inside a cursor; raises Invalid for anything that is not one."""
    try:
        return uuid.UUID(bytes=base64.urlsafe_b64decode(cursor + "=="))
    except (ValueError, binascii.Error):
        raise Invalid(errors={"after": ["This cursor is not one of ours."]}) from None


def paginate(
    session: Session, query: Select[Item], key: InstrumentedAttribute[uuid.UUID], asked: PageRequest
) -> Page[Item]:
    """One page of `query`, newest first by `key` (a UUIDv7 primary key)."""
    if asked.after is not None:
        query = query.where(key < decode_cursor(asked.after))
    rows: Sequence[Any] = session.scalars(query.order_by(key.desc()).limit(asked.limit + 1)).all()
    kept = rows[: asked.limit]
    more = len(rows) > asked.limit
    return Page(kept, encode_cursor(getattr(kept[-1], key.key)) if more else None)
