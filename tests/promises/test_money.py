"""A missed promise gives money back once; a creator who vanishes is not paid again until they return."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from creator_hub.core.ids import new_id
from creator_hub.money import ledger
from creator_hub.money.billing_models import Refund, Subscription
from creator_hub.promises import judging, silence
from creator_hub.promises.models import Period, Remedy
from tests.money.conftest import Shop
from tests.support.till import Till


def test_a_missed_day_gives_a_part_of_the_payment_back_once(till: Till, shop: Shop) -> None:
    promised = shop.mei.post(
        "/groups/mei/promises",
        {"kind": "messages", "count": 1, "every": "day", "remedy": "refund", "remedy_value": 10, "grace_hours": 0},
    )
    assert promised.status_code == 201, promised.get_data(as_text=True)
    shop.subscriber("ana")
    with unit_of_work() as session:
        tomorrow = (clock.now() + timedelta(days=2)).replace(hour=0, minute=5)
        ahead = tomorrow - clock.now()
    till.days_pass(ahead.total_seconds() / 86_400)
    for _ in range(2):
        with unit_of_work() as session:
            judging.keep_time(session)
        till.settle()
    with unit_of_work() as session:
        (refund,) = session.scalars(select(Refund)).all()
        assert (refund.amount_minor, refund.state) == (120, "succeeded")
        (remedy,) = session.scalars(select(Remedy)).all()
        assert (remedy.state, remedy.refund_id) == ("given", refund.id)
        assert session.scalars(select(Period.state).order_by(Period.n)).first() == "remedied"
        assert ledger.check(session) == []


def test_thirty_silent_days_stop_the_renewals_and_a_word_brings_them_back(till: Till, shop: Shop) -> None:
    ana, bo = shop.subscriber("ana"), shop.subscriber("bo")
    till.days_pass(29)
    watch(till)
    assert cancelled() == [False, False]
    till.days_pass(1.5)
    watch(till)
    watch(till)
    assert cancelled() == [True, True]
    assert bo.post("/groups/mei/leave").status_code == 204
    channel = shop.mei.get("/groups/mei/channels").json["items"][0]["id"]
    said = shop.mei.post(f"/channels/{channel}/messages", {"client_msg_id": str(new_id()), "text": "I am back"})
    assert said.status_code == 201
    watch(till)
    assert sorted(cancelled()) == [False, True]  # Bo has left and stays gone
    assert ana.get("/me/subscriptions").json["items"][0]["cancel_at_period_end"] is False


def watch(till: Till) -> None:
    with unit_of_work() as session:
        silence.watch(session)
    till.settle()


def cancelled() -> list[bool]:
    with unit_of_work() as session:
        return list(session.scalars(select(Subscription.cancel_at_period_end).order_by(Subscription.id)))
