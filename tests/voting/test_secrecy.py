"""Sealed means sealed, secret means secret: what the tables, files, events and hints do not tell; and what anybody can
check for themselves."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from creator_hub.accounts.models import User
from creator_hub.core.db import unit_of_work
from creator_hub.core.outbox import OutboxMessage
from creator_hub.groups.models import Group
from creator_hub.voting import secrecy, tellings
from creator_hub.voting.models import Ballot, BallotBox, Poll
from creator_hub.voting.secrecy import FEWEST_ALIKE, blurred
from tests.support.world import a_member, a_tier
from tests.voting.conftest import Room
from tests.voting.test_polls import vote
from workers.voting import sweep

RECOUNT = Path(__file__).resolve().parents[2] / "docs" / "recount.py"


def physically(table: str, column: str) -> list[tuple[Any, Any]]:
    """Rows as they lie on disk, with the transaction that wrote each."""
    with unit_of_work() as session:
        return [tuple(row) for row in session.execute(text(f"SELECT {column}, xmin::text FROM {table} ORDER BY ctid"))]


def test_a_sealed_poll_makes_no_sound_while_people_vote(room: Room) -> None:
    poll = room.poll(results="sealed")
    before = room.events()
    vote(room.ana, poll, "Cake")
    vote(room.bo, poll, "Pie")
    assert room.events() == before
    with unit_of_work() as session:
        assert session.scalars(select(tellings.TallyMark.id)).all() == []
        assert session.scalars(select(tellings.Telling.subject_id)).all() == []
    untouched = {k: v for k, v in poll.items() if k not in ("ids", "voted", "ballot", "waiting_options")}
    for who in (room.chen, room.mei):
        seen = who.get(f"/polls/{poll['id']}").json
        assert {k: seen[k] for k in untouched} == untouched
        for path in ("result", "ballots.csv"):
            assert who.get(f"/polls/{poll['id']}/{path}").json["code"] == "poll_sealed"
        assert who.page(f"/polls/{poll['id']}").status_code == 200


def test_after_the_close_neither_order_nor_transaction_tells_whose_a_ballot_is(room: Room) -> None:
    poll = room.poll()
    receipts = [vote(who, poll, "Cake").json["receipt"] for who in (room.ana, room.bo, room.chen, room.mei)]
    assert [row[0] for row in physically("ballots", "receipt")] == receipts
    assert len({row[1] for row in physically("ballots", "receipt")}) == 4
    room.mei.post(f"/polls/{poll['id']}/close")
    rows = physically("ballots", "receipt")
    assert [row[0] for row in rows] == sorted(receipts)
    assert len({xmin for _, xmin in rows} | {xmin for _, xmin in physically("voters", "user_id")}) == 1
    voters = [row[0] for row in physically("voters", "user_id")]
    assert voters == sorted(voters)
    with unit_of_work() as session:
        assert session.scalars(select(Ballot.user_id)).all() == [None] * 4
        assert session.scalars(select(BallotBox.ballot_key)).all() == [None]
        assert session.scalars(select(OutboxMessage.payload).filter_by(topic=secrecy.SWEEP)).all() == [
            {"box_id": poll["id"]}
        ]


def test_what_the_close_replaced_is_wiped(room: Room) -> None:
    poll = room.poll()
    vote(room.ana, poll, "Cake")
    room.mei.post(f"/polls/{poll['id']}/close")
    sweep({"box_id": poll["id"]})
    with unit_of_work() as session:
        dead = text("SELECT relname, last_vacuum FROM pg_stat_user_tables WHERE relname IN ('ballots', 'voters')")
        assert all(row.last_vacuum is not None for row in session.execute(dead))


def test_weights_that_few_share_are_not_published(room: Room) -> None:
    with unit_of_work() as session:
        group = session.scalars(select(Group)).one()
        gold = a_tier(session, group, "Gold", rank=2, price_minor=900)
        a_member(session, group, session.scalars(select(User).where(User.handle == "ana")).one(), tier=gold)
    poll = room.poll(weights={str(gold.id): 3})
    for who in (room.ana, room.bo, room.chen):
        vote(who, poll, "Cake")
    room.mei.post(f"/polls/{poll['id']}/close")
    result = room.bo.get(f"/polls/{poll['id']}/result").json
    assert result["weighted"]["totals"][poll["ids"]["Cake"]] == "5"
    assert result["weights_rounded"] is True
    rows = csv.DictReader(io.StringIO(room.bo.get(f"/polls/{poll['id']}/ballots.csv").get_data(as_text=True)))
    assert {row["weight"] for row in rows} == {"1.67"}


@given(
    st.dictionaries(st.integers(100, 300).map(lambda n: Decimal(n) / 100), st.integers(1, 30), min_size=1, max_size=8)
)
def test_every_published_weight_is_shared_by_enough_or_by_all(counts: dict[Decimal, int]) -> None:
    shown = blurred(counts)
    assert shown.keys() == counts.keys()
    sharing: dict[Decimal, int] = {}
    for weight, number in counts.items():
        sharing[shown[weight]] = sharing.get(shown[weight], 0) + number
    assert len(sharing) == 1 or min(sharing.values()) >= FEWEST_ALIKE
    assert all(1 <= weight <= 3 for weight in sharing)
    assert abs(sum(shown[w] * n for w, n in counts.items()) - sum(w * n for w, n in counts.items())) <= Decimal(
        "0.01"
    ) * sum(counts.values())


def test_a_public_poll_names_its_voters_and_a_secret_one_never_does(room: Room) -> None:
    public, secret = room.poll(identity="public"), room.poll(identity="anonymous")
    for poll in (public, secret):
        vote(room.ana, poll, "Cake")
    named = room.bo.get(f"/polls/{public['id']}/result").json["ballots"]
    assert [(each["user"]["handle"], each["ballot"]) for each in named] == [
        ("ana", {"choices": [public["ids"]["Cake"]]})
    ]
    assert "ballots" not in room.bo.get(f"/polls/{secret['id']}/result").json


@pytest.mark.parametrize(
    "change",
    [
        update(BallotBox).values(method="approval"),
        update(BallotBox).values(identity="public"),
        update(BallotBox).values(results="sealed"),
        update(BallotBox).values(quorum=3),
        update(BallotBox).values(weights={"x": "2"}),
        update(Poll).values(title="Something else?"),
        update(Poll).values(adding="members"),
    ],
)
def test_the_database_itself_refuses_to_change_the_rules(room: Room, change: Any) -> None:
    room.poll()
    with pytest.raises(IntegrityError), unit_of_work() as session:
        session.execute(change)


def test_the_database_refuses_to_change_a_published_result(room: Room) -> None:
    poll = room.poll()
    vote(room.ana, poll, "Cake")
    room.mei.post(f"/polls/{poll['id']}/close")
    with pytest.raises(IntegrityError), unit_of_work() as session:
        session.execute(update(BallotBox).values(result={}))


BALLOTS: dict[str, list[Any]] = {
    "plurality": [{"choices": [0]}, {"choices": [1]}, {"choices": [1]}, {"choices": [2]}],
    "approval": [{"choices": [0, 1]}, {"choices": [1]}, {"choices": [0]}, {"choices": [2]}],
    "score": [{"scores": {0: 5, 1: 4}}, {"scores": {1: 5}}, {"scores": {2: 5}}, {"scores": {0: 3, 2: 4}}],
    "star": [{"scores": {0: 5, 1: 4}}, {"scores": {1: 5, 2: 1}}, {"scores": {2: 5}}, {"scores": {0: 3, 2: 4}}],
    "irv": [{"ranking": [[0], [1]]}, {"ranking": [[1], [2]]}, {"ranking": [[2], [0]]}, {"ranking": [[2]]}],
    "schulze": [{"ranking": [[0], [1, 2]]}, {"ranking": [[1], [2]]}, {"ranking": [[2], [0]]}, {"ranking": [[1]]}],
    "stv": [{"ranking": [[0], [1]]}, {"ranking": [[0], [2]]}, {"ranking": [[0], [1], [2]]}, {"ranking": [[2]]}],
}


def with_ids(ballot: Any, ids: list[str]) -> Any:
    if "scores" in ballot:
        return {"scores": {ids[n]: points for n, points in ballot["scores"].items()}}
    if "ranking" in ballot:
        return {"ranking": [[ids[n] for n in rank] for rank in ballot["ranking"]]}
    return {"choices": [ids[n] for n in ballot["choices"]]}


def test_anybody_counts_again_from_the_published_file_and_finds_their_own_ballot(room: Room, tmp_path: Path) -> None:
    for method, cast in BALLOTS.items():
        poll = room.poll(method=method, seats=2 if method in ("stv", "approval") else 1)
        ids = list(poll["ids"].values())
        receipts = []
        for who, ballot in zip((room.mei, room.ana, room.bo, room.chen), cast, strict=True):
            answer = who.put(f"/polls/{poll['id']}/ballot", with_ids(ballot, ids))
            assert answer.status_code == 200, (method, answer.json)
            receipts.append(answer.json["receipt"])
        room.mei.post(f"/polls/{poll['id']}/close")
        files = {"poll.json": "", "ballots.csv": "/ballots.csv", "result.json": "/result"}
        for name, path in files.items():
            (tmp_path / name).write_bytes(room.ana.get(f"/polls/{poll['id']}{path}").data)
        command = [sys.executable, str(RECOUNT), *(str(tmp_path / name) for name in files), "--receipt", receipts[1]]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, ""), (method, ran.stdout, ran.stderr)
        assert "agrees with the recount" in ran.stdout
        assert "your ballot: {" in ran.stdout
        order = room.ana.get(f"/polls/{poll['id']}/result").json["order"]
        words = {option: word for word, option in poll["ids"].items()}
        assert "weighted: " + " > ".join(words[option] for option in order) in ran.stdout
        forged = json.loads((tmp_path / "result.json").read_text())
        forged["winner_ids"] = forged["winner_ids"][::-1] if len(forged["winner_ids"]) > 1 else [order[-1]]
        (tmp_path / "result.json").write_text(json.dumps(forged))
        assert subprocess.run(command, capture_output=True, text=True, check=False).returncode == 1
