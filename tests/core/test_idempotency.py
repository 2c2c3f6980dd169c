"""What the hub keeps for an Idempotency-Key, and what becomes of a request whose process died."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import text

from creator_hub.core import clock, idempotency, sealing
from creator_hub.core.db import unit_of_work
from creator_hub.core.errors import Conflict
from creator_hub.core.idempotency import LEASE, Held, Replay
from tests.support.client import Browser

Open = Callable[[], Browser]
KEY = {"Idempotency-Key": "k1"}
SECRET_KEY = "a secret key of one process"


def everything_kept() -> str:
    with unit_of_work() as session:
        rows = session.execute(text("SELECT * FROM idempotency_claims")).all()
    return "\n".join(
        value.hex() + bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
        for row in rows
        for value in row
    )


def test_no_token_cookie_or_passcode_is_kept_in_clear(browser: Open) -> None:
    ana = browser()
    body = {"email": "ana@example.test", "password": "correct-horse-battery", "handle": "ana", "display_name": "A"}
    signed_up = ana.post("/users", body, headers=KEY)
    ana._csrf = signed_up.json["csrf_token"]
    token = ana.post("/me/tokens", {"name": "bot"}, headers=KEY).json["token"]
    ana.post("/groups", {"handle": "ana", "name": "Ana", "about": "", "currency": "USD"})
    passcode = ana.post("/groups/ana/invites", {}, headers={"Idempotency-Key": "k2"}).json["passcode"]
    kept = everything_kept()
    assert kept
    for secret in (token, ana.cookie("hub_session"), passcode, ana._csrf, body["password"]):
        assert secret
        assert secret not in kept


def test_a_repeated_sign_in_signs_in(browser: Open) -> None:
    browser().sign_up("ana")
    phone = browser()
    body = {"email": "ana@example.test", "password": "correct-horse-battery"}
    first = phone.post("/session", body, headers=KEY)
    phone._client.delete_cookie("hub_session")  # the answer never arrived
    again = phone.post("/session", body, headers=KEY)
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert phone.get("/me").json["handle"] == "ana"


def test_a_sign_in_of_somebody_else_under_the_same_key_is_another_request(browser: Open) -> None:
    browser().sign_up("ana")
    browser().sign_up("bo")
    phone = browser()
    body = {"email": "ana@example.test", "password": "correct-horse-battery"}
    assert phone.post("/session", body, headers=KEY).status_code == 201
    phone._client.delete_cookie("hub_session")
    guessed = phone.post("/session", body | {"password": "a guess"}, headers=KEY)
    assert guessed.json["code"] == "no_match"
    again = phone.post("/session", body | {"email": "bo@example.test"}, headers=KEY)
    assert again.json["code"] == "same_key_other_body"


def claim(request: bytes = b"POST /x\n{}", secret_key: str = SECRET_KEY) -> Held | Replay:
    with unit_of_work() as session:
        return idempotency.claim(session, secret_key, "ana", "k1", request)


def held() -> Held:
    found = claim()
    assert isinstance(found, Held)
    return found


@pytest.fixture
def later(database: str) -> Iterator[Callable[[timedelta], None]]:
    with time_machine.travel(clock.now(), tick=False) as traveller:
        yield lambda by: traveller.shift(by)


def test_a_request_under_way_is_not_begun_twice_until_its_lease_is_over(later: Callable[[timedelta], None]) -> None:
    first = held()
    with pytest.raises(Conflict) as refused:
        claim()
    assert (refused.value.code, refused.value.retry_after) == ("in_progress", 61)
    later(LEASE - timedelta(seconds=1))
    with pytest.raises(Conflict):
        claim()
    later(timedelta(seconds=1))
    second = held()
    assert second.name == first.name
    with pytest.raises(Conflict):
        claim()


def test_who_lost_the_claim_neither_answers_nor_releases_it(later: Callable[[timedelta], None]) -> None:
    slow = held()
    later(LEASE)
    retry = held()
    with unit_of_work() as session:
        slow.store(session, 201, b"the first")
    with unit_of_work() as session:
        slow.release(session)
    with unit_of_work() as session:
        retry.store(session, 201, b"the second")
    assert claim() == Replay(201, b"the second")


def test_a_taken_over_claim_still_belongs_to_its_body(later: Callable[[timedelta], None]) -> None:
    held()
    later(LEASE)
    with pytest.raises(Conflict, match="different request"):
        claim(b"POST /x\n{'amount': 2}")


def test_after_a_new_secret_key_a_used_key_has_no_second_effect(database: str) -> None:
    with unit_of_work() as session:
        found = idempotency.claim(session, SECRET_KEY, "ana", "k1", b"POST")
        assert isinstance(found, Held)
        found.store(session, 201, b"done")
    with pytest.raises(Conflict) as refused:
        claim(b"POST", "the next secret key")
    assert refused.value.code == "same_key_other_body"


def test_a_sealed_answer_cannot_be_moved_to_another_persons_row() -> None:
    sealed = sealing.seal(SECRET_KEY, "answers", b"a token", bound_to=b"ana")
    assert sealing.unseal(SECRET_KEY, "answers", sealed, bound_to=b"ana") == b"a token"
    for purpose, place, changed in (
        ("answers", b"bo", sealed),
        ("others", b"ana", sealed),
        ("answers", b"ana", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        ("answers", b"ana", b""),
    ):
        with pytest.raises(sealing.BrokenSeal):
            sealing.unseal(SECRET_KEY, purpose, changed, bound_to=place)
