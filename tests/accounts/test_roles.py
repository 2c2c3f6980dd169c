"""Platform roles: who gives them, and what is remembered of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from creator_hub.accounts.models import RoleChange, UserSession
from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from creator_hub.core.ids import new_id
from tests.support.client import PASSWORD, Browser

Open = Callable[[], Browser]


def an_admin(browser: Open) -> tuple[Browser, str]:
    ada = browser()
    user = ada.sign_up_with_roles("ada", ["admin"])
    return ada, user["id"]


def test_an_admin_does_not_make_herself_finance(browser: Open) -> None:
    ada, own = an_admin(browser)
    answer = ada.put(f"/users/{own}/roles", {"roles": ["admin", "finance"]})
    assert (answer.status_code, answer.json["code"]) == (403, "not_allowed")
    assert ada.get("/session").json["user"]["roles"] == ["admin"]
    assert ada.get("/finance/balances").status_code == 403
    assert ada.get("/role-changes").json["items"] == []


def test_every_change_of_roles_is_on_the_record(browser: Open) -> None:
    ada, own = an_admin(browser)
    fay = browser().sign_up("fay")["id"]
    for roles in (["finance"], ["finance"], ["support", "finance"], []):
        assert ada.put(f"/users/{fay}/roles", {"roles": roles}).status_code == 200
    kept = ada.get("/role-changes").json["items"]
    assert [(row["before"], row["after"]) for row in kept] == [
        (["finance", "support"], []),
        (["finance"], ["finance", "support"]),
        ([], ["finance"]),
    ]
    assert {(row["user_id"], row["changed_by"]) for row in kept} == {(fay, own)}


def test_only_admins_read_the_record(browser: Open) -> None:
    fay = browser()
    fay.sign_up_with_roles("fay", ["finance", "support", "trust"])
    assert fay.get("/role-changes").status_code == 403


@pytest.mark.parametrize("change", ["DELETE FROM role_changes", "UPDATE role_changes SET after = '{}'"])
def test_the_record_is_never_changed(browser: Open, change: str) -> None:
    ada, _ = an_admin(browser)
    fay = browser().sign_up("fay")["id"]
    assert ada.put(f"/users/{fay}/roles", {"roles": ["finance"]}).status_code == 200
    with pytest.raises(IntegrityError, match="kept as they were"), unit_of_work() as session:
        session.execute(text(change))


def test_the_database_itself_refuses_a_change_of_ones_own_roles(browser: Open) -> None:
    _, own = an_admin(browser)
    ada = uuid.UUID(own)
    with pytest.raises(IntegrityError, match="never_ones_own"), unit_of_work() as session:
        session.add(RoleChange(id=new_id(), user_id=ada, changed_by=ada, before=[], after=["finance"], at=clock.now()))


def test_roles_are_given_by_somebody_who_showed_their_password_lately(browser: Open) -> None:
    ada, own = an_admin(browser)
    fay = browser().sign_up("fay")["id"]
    with unit_of_work() as session:
        (row,) = session.query(UserSession).filter(UserSession.user_id == uuid.UUID(own)).all()
        row.proved_at -= timedelta(minutes=16)
    refused = ada.put(f"/users/{fay}/roles", {"roles": ["finance"]})
    assert (refused.status_code, refused.json["code"]) == (403, "prove_again")
    assert ada.post("/session/proof", {"password": "a guess"}).status_code == 422
    assert ada.put(f"/users/{fay}/roles", {"roles": ["finance"]}).json["code"] == "prove_again"
    assert ada.post("/session/proof", {"password": PASSWORD}).status_code == 204
    assert ada.put(f"/users/{fay}/roles", {"roles": ["finance"]}).status_code == 200


def test_guesses_at_the_password_of_an_open_session_are_counted(browser: Open) -> None:
    ana = browser()
    ana.sign_up("ana")
    answers = [ana.post("/session/proof", {"password": f"guess {n}"}).status_code for n in range(11)]
    assert answers == [422] * 10 + [429]
