"""Jobs of uploaded media."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from creator_hub.chat import uploads
from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import job


@job(uploads.FORGET_TOPIC, transaction=False)
def forget_upload(payload: Mapping[str, str]) -> None:
    """Remove a picture that nobody may see any more."""
    upload_id = uuid.UUID(payload["upload_id"])
    uploads.forget_bytes(upload_id)
    with unit_of_work() as session:
        uploads.forget_row(session, upload_id)
