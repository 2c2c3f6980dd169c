"""Pictures that go with messages.

An upload belongs to its channel and its author from the start and to one message once it is sent. Until then only its
author sees it; afterwards whoever may read the message. Unsent ones are forgotten after a day, those of deleted
messages with the message's words.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from creator_hub.chat.models import Message, RemovedText, Upload
from creator_hub.chat.pictures import Picture
from creator_hub.core import blobs, clock, outbox
from creator_hub.core.edge import API_PREFIX
from creator_hub.core.errors import Conflict, Invalid

FORGET_TOPIC = "chat.forget_upload"
UNSENT_FOR = timedelta(days=1)
MOST_UNSENT = 50
LONGEST_NAME = 120


def refuse_hoarding(session: Session, user_id: uuid.UUID) -> None:
    """Raises Conflict when a person has too many pictures that were never sent."""
    unsent = session.scalar(
        select(func.count()).select_from(Upload).where(Upload.owner_id == user_id, Upload.message_id.is_(None))
    )
    if (unsent or 0) >= MOST_UNSENT:
        raise Conflict("Too many pictures wait to be sent. Send or wait for some of them.", code="too_many_uploads")


def keep(
    session: Session, *, upload_id: uuid.UUID, channel_id: uuid.UUID, owner_id: uuid.UUID, name: str, picture: Picture
) -> Upload:
    """Note a picture whose bytes are stored already."""
    row = Upload(
        id=upload_id,
        channel_id=channel_id,
        owner_id=owner_id,
        message_id=None,
        position=None,
        name=name[-LONGEST_NAME:] or "picture",
        kind=picture.kind,
        width=picture.width,
        height=picture.height,
        size=len(picture.full),
        created_at=clock.now(),
    )
    session.add(row)
    session.flush()
    return row


def attach(session: Session, message: Message, ids: Sequence[uuid.UUID]) -> list[dict[str, Any]]:
    """Give the author's own unsent pictures of this channel to a message, in order; returns them as the wire shows
    them. Raises Invalid for any other."""
    if not ids:
        return []
    found = {
        row.id: row
        for row in session.scalars(
            select(Upload)
            .where(
                Upload.id.in_(ids),
                Upload.owner_id == message.author_id,
                Upload.channel_id == message.channel_id,
                Upload.message_id.is_(None),
            )
            .with_for_update()
        )
    }
    if len(found) != len(ids):
        raise Invalid(errors={"attachments": ["There is no such unsent picture of yours in this channel."]})
    for position, upload_id in enumerate(ids):
        found[upload_id].message_id, found[upload_id].position = message.id, position
    return [wire(found[upload_id]) for upload_id in ids]


def of_messages(session: Session, message_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[dict[str, Any]]]:
    """The pictures of messages as the wire shows them."""
    rows = session.scalars(
        select(Upload).where(Upload.message_id.in_(list(message_ids))).order_by(Upload.message_id, Upload.position)
    )
    shown: dict[uuid.UUID, list[dict[str, Any]]] = {}
    for row in rows:
        if row.message_id is not None:
            shown.setdefault(row.message_id, []).append(wire(row))
    return shown


def wire(row: Upload) -> dict[str, Any]:
    """One picture: where it is fetched, its size in bytes and pixels."""
    address = f"{API_PREFIX}/uploads/{row.id}"
    return {
        "id": str(row.id),
        "name": row.name,
        "kind": row.kind,
        "width": row.width,
        "height": row.height,
        "size": row.size,
        "url": address,
        "thumbnail_url": f"{address}/thumbnail",
    }


def full_key(upload_id: uuid.UUID) -> str:
    return upload_id.hex


def thumbnail_key(upload_id: uuid.UUID) -> str:
    return f"{upload_id.hex}-thumbnail"


def ask_to_forget(session: Session) -> None:
    """Periodic: have the bytes removed of what was never sent, and of deleted messages past their appeal."""
    kept_for_appeal = select(RemovedText.message_id).where(RemovedText.message_id == Message.id).exists()
    due = session.scalars(
        select(Upload.id)
        .outerjoin(Message, Message.id == Upload.message_id)
        .where(
            or_(
                and_(Upload.message_id.is_(None), Upload.created_at < clock.now() - UNSENT_FOR),
                and_(Message.deleted_at.is_not(None), ~kept_for_appeal),
            )
        )
        .limit(1000)
    )
    for upload_id in due:
        outbox.record(session, FORGET_TOPIC, {"upload_id": str(upload_id)}, key=f"forget:{upload_id}")


def forget_bytes(upload_id: uuid.UUID) -> None:
    """Remove the bytes first: a row whose bytes are gone is asked about again, bytes without a row never would be."""
    blobs.delete(full_key(upload_id))
    blobs.delete(thumbnail_key(upload_id))


def forget_row(session: Session, upload_id: uuid.UUID) -> None:
    row = session.get(Upload, upload_id)
    if row is not None:
        session.delete(row)
