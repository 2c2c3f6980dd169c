"""JSON route and byte routes of uploaded pictures."""

from __future__ import annotations

import uuid
from contextlib import closing
from typing import Any

from flask import request
from sqlalchemy.orm import Session

from creator_hub.chat import pictures, schemas, uploads
from creator_hub.chat.doors import upload_by_id
from creator_hub.core import blobs
from creator_hub.core.access import Actor, Permission
from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import Reply, route
from creator_hub.core.errors import Invalid
from creator_hub.groups.doors import channel_by_id
from creator_hub.groups.mutes import refuse_muted

LARGEST_BYTES = 12 * 1024 * 1024
# The bytes were re-encoded by us; should a browser still take them for a page, that page may do nothing.
PICTURE_HEADERS = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}


@route(
    "POST",
    "/uploads",
    permission=Permission.POST,
    query=schemas.UploadQuery(),
    answer=schemas.AttachmentOut(),
    status=201,
    transaction=False,
    raw_body=True,
    max_bytes=LARGEST_BYTES,
    limit="30/minute",
)
def upload(actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    """Upload a picture for a message (multipart, field `file`); the answer's id goes into `attachments`."""
    with unit_of_work() as session:
        door = channel_by_id(session, actor, query["channel_id"], Permission.POST)
        refuse_muted(session, door.group.id, actor.person())
        uploads.refuse_hoarding(session, actor.person())
    sent = request.files.get("file")
    if sent is None:
        raise Invalid(errors={"file": ["Send the picture as multipart/form-data in a field named file."]})
    with closing(sent):  # a large one lies in a temporary file
        picture = pictures.prepare(sent.read())
    upload_id = uuid.uuid4()  # random: the address of a picture says nothing about when it came
    blobs.put(uploads.full_key(upload_id), picture.full)
    blobs.put(uploads.thumbnail_key(upload_id), picture.thumbnail)
    with unit_of_work() as session:
        channel_by_id(session, actor, query["channel_id"], Permission.POST)
        row = uploads.keep(
            session,
            upload_id=upload_id,
            channel_id=query["channel_id"],
            owner_id=actor.person(),
            name=sent.filename or "",
            picture=picture,
        )
        return uploads.wire(row)


@route("GET", "/uploads/<uuid:upload_id>", permission=Permission.READ_CHANNEL)
def picture(session: Session, actor: Actor, upload_id: uuid.UUID) -> Reply:
    """The picture itself, for whoever may read its message."""
    door = upload_by_id(session, actor, upload_id, Permission.READ_CHANNEL)
    return Reply(blobs.get(uploads.full_key(upload_id)), headers=PICTURE_HEADERS, content_type=door.upload.kind)


@route("GET", "/uploads/<uuid:upload_id>/thumbnail", permission=Permission.READ_CHANNEL)
def thumbnail(session: Session, actor: Actor, upload_id: uuid.UUID) -> Reply:
    """The picture at most 640 pixels wide and high, as WebP."""
    upload_by_id(session, actor, upload_id, Permission.READ_CHANNEL)
    return Reply(blobs.get(uploads.thumbnail_key(upload_id)), headers=PICTURE_HEADERS, content_type="image/webp")
