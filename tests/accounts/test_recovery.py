"""Taking an account back: whoever had got in is out, by every way they had."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from flask import Flask
from sqlalchemy import select

from creator_hub.accounts import service
from creator_hub.core import outbox
from creator_hub.core.db import unit_of_work
from creator_hub.core.mail import TOPIC
from creator_hub.core.outbox import OutboxMessage
from creator_hub.streams import ACCOUNT_LOG, read_after
from tests.support.client import API, Browser
from tests.support.world import a_person
from workers import jobs

Open = Callable[[], Browser]
NEW = "a-new-long-password"


def waiting() -> list[uuid.UUID]:
    with unit_of_work() as session:
        return [row.id for row in outbox.lease(session, 100)]


def reset_links(browser: Open, handle: str) -> list[str]:
    """Ask for a link; the links that wait to be mailed, oldest first."""
    assert browser().post("/password-resets", {"email": f"{handle}@example.test"}).status_code == 202
    with unit_of_work() as session:
        asked = session.scalars(select(OutboxMessage.id).where(OutboxMessage.topic == service.RESET_TOPIC)).all()
    for row in asked:
        jobs.run(str(row))
    with unit_of_work() as session:
        mails = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == TOPIC).order_by(OutboxMessage.id))
        return [link for mail in mails for link in re.findall(r"/reset-password/(\S+)", mail.payload["text"])]


def test_a_used_reset_link_ends_the_other_links_and_the_api_tokens(app: Flask, browser: Open) -> None:
    thief = browser()
    thief.sign_up("ana")
    token = thief.post("/me/tokens", {"name": "thief"}).json["token"]
    reset_links(browser, "ana")
    first, second = reset_links(browser, "ana")
    assert browser().post(f"/password-resets/{second}", {"password": NEW}).status_code == 201
    assert browser().post(f"/password-resets/{first}", {"password": "the-thief-again"}).status_code == 410
    assert thief.get("/me").status_code == 401
    assert app.test_client().get(API + "/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_changed_password_ends_reset_links_that_were_asked_for_before(browser: Open) -> None:
    ana = browser()
    ana.sign_up("ana")
    (link,) = reset_links(browser, "ana")
    assert ana.patch("/me", {"password": NEW, "current_password": "correct-horse-battery"}).status_code == 200
    assert browser().post(f"/password-resets/{link}", {"password": "the-thief-again"}).status_code == 410


def test_a_sent_reset_link_is_not_kept(browser: Open) -> None:
    browser().sign_up("ana")
    (link,) = reset_links(browser, "ana")
    for row in waiting():
        jobs.run(str(row))
    with unit_of_work() as session:
        rows = session.scalars(select(OutboxMessage)).all()
        assert [row.done_at is not None for row in rows] == [True, True]
        assert link not in str([row.payload for row in rows])


def test_asking_for_a_reset_does_the_same_work_whether_or_not_the_account_exists(browser: Open) -> None:
    browser().sign_up("ana")
    work = []
    for handle in ("ana", "nobody"):
        assert browser().post("/password-resets", {"email": f"{handle}@example.test"}).status_code == 202
        with unit_of_work() as session:
            rows = session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).all()
            work.append([(row.topic, row.payload.keys()) for row in rows])
    assert work[1] == 2 * work[0]


def test_one_mailbox_is_not_flooded_from_many_addresses_known_or_not(browser: Open) -> None:
    browser().sign_up("ana")
    for handle in ("ana", "nobody"):
        body = {"email": f"{handle}@example.test"}
        asked = [
            browser().post("/password-resets", body, environ_overrides={"REMOTE_ADDR": f"10.0.0.{n}"}) for n in range(6)
        ]
        assert [answer.status_code for answer in asked] == [202] * 5 + [429]


def test_whoever_loses_a_platform_role_leaves_the_channels_it_opened(database: str) -> None:
    with unit_of_work() as session:
        trust = a_person(session, "tess", ["trust"])
        service.set_roles(session, trust, ["support", "trust"], changed_by=None)
        assert read_after(session, ACCOUNT_LOG, 0, 10) == []
        service.set_roles(session, trust, [], changed_by=None)
        (row,) = read_after(session, ACCOUNT_LOG, 0, 10)
    assert (row.kind, row.data["user_id"], row.data["session_ids"]) == ("session.ended", str(trust.id), None)
