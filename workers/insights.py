"""Facts and rollups, brought up to date for a group at a time."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from creator_hub.core.edge import job
from creator_hub.insights import service


@job(service.REFRESH)
def refresh(session: Session, payload: dict[str, Any]) -> None:
    service.refresh(session, uuid.UUID(payload["group_id"]))


@job(service.COUNT)
def count(session: Session, payload: dict[str, Any]) -> None:
    service.count(session, uuid.UUID(payload["group_id"]))
