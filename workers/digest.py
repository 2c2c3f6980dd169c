"""The weekly letter to creators."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from creator_hub.core.edge import job
from creator_hub.web import digest


@job(digest.TOPIC)
def write(session: Session, payload: dict[str, Any]) -> None:
    digest.write(session, uuid.UUID(payload["group_id"]))
