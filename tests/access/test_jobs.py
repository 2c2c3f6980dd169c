"""Work that waited is done with the rights of the moment it runs, whoever asked for it with whatever they had then."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete
from sqlalchemy.orm import Session

import workers.bindings  # noqa: F401 - fills JOBS
from creator_hub.accounts.models import User
from creator_hub.core import clock, outbox
from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import JOBS
from creator_hub.core.ids import new_id
from creator_hub.groups.models import Group
from creator_hub.money import exports, payouts
from creator_hub.money.export_models import EXPORT_FORMATS, Export
from creator_hub.money.payout_models import Payout, PayoutAccount, PayoutRun
from creator_hub.web import digest
from tests.access import cases
from tests.access.spec import ROWS
from tests.access.town import CAST, HOME, Town
from tests.support.till import work

# In whose name each job works. A new one fails until it is named: does somebody's right stand behind it?
IN_WHOSE_NAME = {
    exports.TOPIC: "whoever asked for the export",
    payouts.SEND: "whoever approved the payout run",
    digest.TOPIC: "the group's owner",
}
# The house's own work, decided when it was recorded or by what the processor says now; nobody's right stands behind it.
OF_THE_HOUSE = {
    "accounts.email_change_asked",
    "accounts.reset_asked",
    "chat.forget_upload",
    "groups.person_left",
    "insights.count",
    "insights.holdout_invite",
    "insights.refresh",
    "mail.send",
    "money.cancel_subscription",
    "money.keep_back",
    "money.pause_ended",
    "money.poll_stripe",
    "money.reconcile",
    "money.stripe_event",
    "money.tier_changed",
    "promises.give_days",
    "promises.refund",
    "promises.resume_renewal",
    "promises.stop_renewal",
    "voting.season_closed",
    "voting.sweep",
}


def test_it_is_known_in_whose_name_every_job_works() -> None:
    assert JOBS.keys() - IN_WHOSE_NAME.keys() - OF_THE_HOUSE == set(), "name the new job in this file"


@contextmanager
def nothing_else_waits() -> Iterator[None]:
    """Building the town asked for work of its own; only what a test asks for is done."""
    with unit_of_work() as session:
        session.execute(delete(outbox.OutboxMessage))
    yield


@pytest.mark.timeout(600)
def test_an_export_is_made_only_for_who_may_have_it_when_the_job_runs(app: Flask, town: Town) -> None:
    """One kind is asked for by everybody, every other kind and format by finance and by an admin."""
    everybody = [name for name, person in town.people.items() if person.user_id is not None]
    with nothing_else_waits(), unit_of_work() as session:
        asked = {
            (name, kind, form): ask_for(session, town, name, kind, form)
            for kind, forms in EXPORT_FORMATS.items()
            for form in forms
            for name in (everybody if (kind, form) == ("ledger", "csv") else ("Fi", "Ad"))
        }
    while work():
        pass
    with unit_of_work() as session:
        made = {key: session.get_one(Export, export_id) for key, export_id in asked.items()}
    lost = {key for key, row in made.items() if row.error == exports.RIGHT_LOST}
    assert lost == {key for key in asked if not allowed(key[0], cases.FINANCE)}
    assert {made[key].state for key in lost} == {"refused"}
    assert not {made[key].state for key in asked if key not in lost} & {"queued", "running"}


def ask_for(session: Session, town: Town, name: str, kind: str, form: str) -> uuid.UUID:
    row = Export(
        id=new_id(),
        kind=kind,
        format=form,
        period_from=clock.now() - timedelta(days=60),
        period_to=clock.now() - timedelta(days=30),
        currency="USD",
        creator_id=town.people["Cr"].user_id if kind == "creator_statement" else None,
        state="queued",
        rows_total=0,
        rows_done=0,
        requested_by=town.people[name].user_id,
        created_at=clock.now(),
    )
    session.add(row)
    outbox.record(session, exports.TOPIC, {"export_id": str(row.id)}, key=str(row.id))
    return row.id


def test_a_payout_is_sent_only_while_its_approver_may_approve(app: Flask, town: Town) -> None:
    with nothing_else_waits(), unit_of_work() as session:
        fay = session.get_one(PayoutRun, uuid.UUID(town.platform["run_id"])).requested_by
        creator = session.query(PayoutAccount).one().user_id
        approved = {}
        for name, person in town.people.items():
            if person.user_id is None:
                continue
            run = PayoutRun(
                id=new_id(),
                currency="USD",
                cut_off=clock.now(),
                minimum_minor=0,
                state="approved",
                requested_by=fay,
                approved_by=person.user_id,
                created_at=clock.now(),
                approved_at=clock.now(),
            )
            payout = Payout(
                id=new_id(),
                run_id=run.id,
                creator_id=creator,
                currency="USD",
                amount_minor=100,
                reversed_minor=0,
                state="draft",
            )
            session.add(run)
            session.flush()
            session.add(payout)
            session.flush()
            outbox.record(session, payouts.SEND, {"payout_id": str(payout.id)}, key=str(payout.id))
            approved[name] = payout.id
    work()
    with unit_of_work() as session:
        reasons = {name: session.get_one(Payout, payout_id).reason for name, payout_id in approved.items()}
    lost = {name for name, reason in reasons.items() if reason and "may no longer approve" in reason}
    assert lost == {name for name in approved if not allowed(name, cases.PAYOUTS)}


def test_no_letter_with_figures_goes_to_an_owner_who_is_suspended(app: Flask, town: Town) -> None:
    for suspended_at in (clock.now(), None):
        with nothing_else_waits(), unit_of_work() as session:
            group_id = town.places[HOME]["group_id"]
            owner = session.get_one(User, session.get_one(Group, uuid.UUID(group_id)).owner_id)
            owner.suspended_at = suspended_at
            outbox.record(session, digest.TOPIC, {"group_id": group_id}, key="a week")
        assert ("mail.send" in [topic for _ in range(2) for topic in work()]) == (suspended_at is None)


def allowed(name: str, row: str) -> bool:
    """Towards the platform, whatever somebody is in a group."""
    return bool(set(CAST[name][0].split()) & ROWS[row].allowed)
