"""Pictures: cleaned before anybody sees them, and seen only by those who may read their message."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from PIL import Image
from werkzeug.test import TestResponse

from creator_hub import settings
from creator_hub.chat import uploads
from creator_hub.chat.models import Upload
from creator_hub.core import clock, outbox
from creator_hub.core.db import unit_of_work
from tests.support.client import Browser
from tests.support.rooms import Room
from workers import media

DESCRIPTION, ORIENTATION, TURNED = 0x010E, 0x0112, 6


def photo(form: str = "JPEG", size: tuple[int, int] = (1200, 800)) -> bytes:
    """A picture as a phone takes it: turned, and telling where it was taken."""
    exif = Image.Exif()
    exif[DESCRIPTION], exif[ORIENTATION] = "Mei's kitchen, 12 Canal Street", TURNED
    out = io.BytesIO()
    Image.new("RGB", size, "orange").save(out, form, exif=exif)
    return out.getvalue()


def upload(room: Room, who: Browser, content: bytes, name: str = "cat.jpg") -> TestResponse:
    return who.upload(f"/uploads?channel_id={room.channel}", name, content)


def fetch(who: Browser, address: str) -> TestResponse:
    return who.page(address)


def test_a_picture_is_sent_with_a_message_upright_and_without_its_metadata(room: Room) -> None:
    sent = upload(room, room.ana, photo())
    assert sent.status_code == 201
    assert (sent.json["kind"], sent.json["width"], sent.json["height"]) == ("image/jpeg", 800, 1200)
    message = room.say(room.ana, "", attachments=[sent.json["id"]]).json
    assert message["attachments"] == [sent.json]
    assert room.events(room.bo)[-1]["data"]["attachments"] == [sent.json]
    seen = fetch(room.bo, sent.json["url"])
    assert seen.content_type == "image/jpeg"
    assert b"Canal Street" not in seen.data
    assert dict(Image.open(io.BytesIO(seen.data)).getexif()) == {}
    assert "no-store" in seen.headers["Cache-Control"]
    assert seen.headers["X-Content-Type-Options"] == "nosniff"
    small = Image.open(io.BytesIO(fetch(room.bo, sent.json["thumbnail_url"]).data))
    assert (small.format, max(small.size)) == ("WEBP", 640)


def test_strangers_and_the_banned_see_no_picture_and_an_unsent_one_is_its_authors_alone(
    room: Room, browser: Callable[[], Browser]
) -> None:
    sent = upload(room, room.ana, photo()).json
    assert fetch(room.ana, sent["url"]).status_code == 200
    assert fetch(room.mei, sent["url"]).status_code == 404
    room.say(room.ana, "look", attachments=[sent["id"]])
    stranger = browser()
    stranger.sign_up("zoe")
    unknown = fetch(stranger, f"/api/v1/uploads/{uuid.uuid4()}").json
    hidden = fetch(stranger, sent["url"]).json
    assert {**unknown, "request_id": ""} == {**hidden, "request_id": ""}
    assert fetch(browser(), sent["url"]).status_code == 401
    bo = room.bo.get("/session").json["user"]["id"]
    room.mei.post("/groups/mei/bans", {"user_id": bo, "reason": "spam"})
    assert fetch(room.bo, sent["url"]).status_code == 404


def test_only_ones_own_unsent_pictures_of_the_channel_can_be_attached(room: Room) -> None:
    anas = upload(room, room.ana, photo()).json["id"]
    assert room.say(room.bo, "mine?", attachments=[anas]).status_code == 422
    elsewhere = room.mei.post("/groups/mei/channels", {"name": "other", "kind": "talk", "min_tier_rank": 0}).json["id"]
    body = {"client_msg_id": str(uuid.uuid4()), "text": "x", "attachments": [anas]}
    assert room.ana.post(f"/channels/{elsewhere}/messages", body).status_code == 422
    assert room.say(room.ana, "one", attachments=[anas, anas]).status_code == 422
    assert room.say(room.ana, "one", attachments=[anas]).status_code == 201
    assert room.say(room.ana, "again", attachments=[anas]).status_code == 422
    assert room.say(room.ana, "").status_code == 422
    assert room.texts(room.bo) == ["one"]


def test_a_retry_is_one_message_and_other_pictures_are_another_body(room: Room) -> None:
    first, second = (upload(room, room.ana, photo()).json["id"] for _ in range(2))
    body = {"client_msg_id": str(uuid.uuid4()), "text": "", "attachments": [first]}
    path = f"/channels/{room.channel}/messages"
    sent = room.ana.post(path, body)
    assert room.ana.post(path, body).json == sent.json
    assert room.ana.post(path, body | {"attachments": [second]}).json["code"] == "same_key_other_body"


def test_what_is_no_picture_or_too_much_of_one_is_refused(room: Room) -> None:
    bomb = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(bomb, "PNG")
    hostile = {
        "page.jpg": b"<html><script>alert(1)</script>",
        "vector.png": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        "cut.jpg": photo()[:300],
        "bomb.png": bomb.getvalue(),
        "none.png": b"",
    }
    for name, content in hostile.items():
        refused = upload(room, room.ana, content, name)
        assert (refused.status_code, list(refused.json["errors"])) == (422, ["file"]), name
    assert upload(room, room.ana, b"\0" * (13 * 1024 * 1024)).status_code == 413
    assert room.ana.post(f"/uploads?channel_id={room.channel}").status_code == 422


def test_what_hides_behind_a_picture_does_not_come_out_again(room: Room) -> None:
    polyglot = photo("PNG") + b"<script>alert('behind')</script>"
    sent = upload(room, room.ana, polyglot, "both.png").json
    assert b"behind" not in fetch(room.ana, sent["url"]).data


def test_a_deleted_message_takes_its_pictures_along(room: Room) -> None:
    sent = upload(room, room.ana, photo()).json
    message = room.say(room.ana, "oops", attachments=[sent["id"]]).json
    room.ana.delete(f"/messages/{message['id']}")
    assert fetch(room.bo, sent["url"]).status_code == 410
    assert room.events(room.bo)[0]["data"] is not None
    assert not any(event["data"].get("attachments") for event in room.events(room.bo))
    forget_due()
    assert stored() == []


def test_pictures_that_were_never_sent_are_forgotten_after_a_day(room: Room) -> None:
    upload(room, room.ana, photo())
    sent = upload(room, room.ana, photo()).json
    room.say(room.ana, "kept", attachments=[sent["id"]])
    with unit_of_work() as session:
        clock.advance(session, timedelta(hours=25))
    forget_due()
    assert stored() == sorted([uploads.full_key(uuid.UUID(sent["id"])), uploads.thumbnail_key(uuid.UUID(sent["id"]))])
    with unit_of_work() as session:
        assert session.query(Upload).count() == 1


def forget_due() -> None:
    """What the schedule and a worker do."""
    with unit_of_work() as session:
        uploads.ask_to_forget(session)
    with unit_of_work() as session:
        due = [row.payload for row in outbox.lease(session, 10) if row.topic == uploads.FORGET_TOPIC]
    for payload in due:
        media.forget_upload(payload)


def stored() -> list[str]:
    folder = Path(settings.current().media_url.removeprefix("file://"))
    return sorted(path.name for path in folder.rglob("*") if path.is_file())
