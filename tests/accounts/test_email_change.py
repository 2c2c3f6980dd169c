"""Another e-mail address: with the password, with the link, and without telling who has an account."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import time_machine
from sqlalchemy import select

from creator_hub.core import clock, mail
from creator_hub.core.db import unit_of_work
from creator_hub.core.outbox import OutboxMessage
from tests.support.client import PASSWORD, Browser
from workers import jobs

Open = Callable[[], Browser]
NEW = "ana@elsewhere.test"


def mails() -> list[dict[str, str]]:
    """Do what a worker would up to the mails themselves; what waits to be sent, oldest first."""
    with unit_of_work() as session:
        asked = session.scalars(select(OutboxMessage.id).where(OutboxMessage.topic != mail.TOPIC)).all()
    for row in asked:
        jobs.run(str(row))
    with unit_of_work() as session:
        rows = session.scalars(
            select(OutboxMessage).where(OutboxMessage.topic == mail.TOPIC).order_by(OutboxMessage.id)
        )
        return [row.payload for row in rows]


def link(to: str = NEW) -> str:
    (sent,) = [found["text"] for found in mails() if found["to"] == to]
    return re.findall(r"/confirm-email/(\S+)", sent)[0]


def ask(person: Browser, email: str = NEW, password: str = PASSWORD) -> int:
    return person.patch("/me", {"email": email, "current_password": password}).status_code


def test_the_new_address_is_true_once_its_link_is_opened_and_every_session_ends(browser: Open) -> None:
    ana, phone = browser(), browser()
    ana.sign_up("ana")
    phone.sign_in("ana")
    assert ask(ana) == 200
    assert ana.get("/me").json["email"] == "ana@example.test"
    secret = link()
    assert {found["to"] for found in mails()} == {NEW, "ana@example.test"}
    assert ana.post(f"/email-changes/{secret}").status_code == 204
    assert [person.get("/me").status_code for person in (ana, phone)] == [401, 401]
    again = browser()
    assert again.sign_in("ana").status_code == 400
    assert again.post("/session", {"email": NEW, "password": PASSWORD}).status_code == 201
    assert browser().post(f"/email-changes/{secret}").json["code"] == "link_expired"


def test_it_needs_the_password_and_a_session(browser: Open) -> None:
    ana = browser()
    ana.sign_up("ana")
    assert ask(ana, password="a guess") == 422
    assert ana.patch("/me", {"email": NEW}).status_code == 422
    assert mails() == []


def test_a_taken_address_is_told_to_its_mailbox_only(browser: Open) -> None:
    ana = browser()
    ana.sign_up("ana")
    browser().sign_up("bo")
    assert [ask(ana, "bo@example.test"), ask(ana, "nobody@example.test")] == [200, 200]
    to_bo = [found["text"] for found in mails() if found["to"] == "bo@example.test"]
    assert len(to_bo) == 1
    assert "confirm-email" not in to_bo[0]


def test_an_address_taken_meanwhile_is_not_taken_over(browser: Open) -> None:
    ana = browser()
    ana.sign_up("ana")
    ask(ana, "bo@example.test")
    secret = link("bo@example.test")
    bo = browser()
    bo.sign_up("bo")
    assert ana.post(f"/email-changes/{secret}").status_code == 410
    assert (ana.get("/me").json["email"], bo.get("/me").json["email"]) == ("ana@example.test", "bo@example.test")


def test_a_link_dies_after_an_hour_and_with_a_new_password(browser: Open) -> None:
    ana = browser()
    ana.sign_up("ana")
    ask(ana)
    secret = link()
    with time_machine.travel(clock.now() + timedelta(hours=1, seconds=1), tick=False):
        assert browser().post(f"/email-changes/{secret}").status_code == 410
    change = {"password": "a-new-long-password", "current_password": PASSWORD}
    assert ana.patch("/me", change).status_code == 200
    assert browser().post(f"/email-changes/{secret}").status_code == 410
    assert ana.get("/me").json["email"] == "ana@example.test"


def test_the_pages_ask_before_they_change_anything(browser: Open) -> None:
    ana = browser()
    ana.sign_up("ana")
    ask(ana)
    secret = link()
    assert browser().page(f"/confirm-email/{secret}").status_code == 200
    assert ana.page("/confirm-password?next=/g/ana").status_code == 200
    assert ana.get("/me").json["email"] == "ana@example.test"
