"""The main job by a script: HTTP and Socket.IO only, with everything dying on the way.

Killed: a web process, the workers, and an emptied Valkey. Nothing is lost and nothing is done twice. The same job,
clicked, is test_in_the_browser.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from sqlalchemy import select

from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from creator_hub.core.schemas import rfc3339
from creator_hub.money import ledger
from creator_hub.money.payout_models import PayoutAccount
from tests.support.client import PASSWORD
from tests.support.hub import Fan, Web, eventually
from tests.support.whole_hub import PATIENCE_S, WholeHub

DECLINED, GOOD = "4000000000000002", "4242424242424242"


@pytest.fixture
def person(hub: WholeHub) -> Iterator[Callable[..., Fan]]:
    """Somebody who has signed up, or works in finance and has signed in."""
    people: list[Fan] = []

    def enter(handle: str, web: Web | None = None, *, hired: bool = False) -> Fan:
        fan = Fan(handle)
        people.append(fan)
        if hired:
            hub.hire(handle)
            return fan.sign_in(web or hub.first)
        return fan.sign_up(web or hub.first)

    yield enter
    for fan in people:
        fan.leave()


@pytest.mark.timeout(400)
def test_the_main_job_over_the_api(hub: WholeHub, person: Callable[..., Fan]) -> None:
    web = hub.first

    # 1. Mei opens a group with a free tier and two paid ones, a channel for the higher, and a passcode.
    mei = person("mei")
    mei.post(web, "/groups", handle="mei", name="Mei's kitchen", about="", currency="USD")
    tier = {"benefits": [], "interval": "month"}
    baker = mei.post(web, "/groups/mei/tiers", name="Baker", price=usd(500), rank=1, **tier)
    mei.post(web, "/groups/mei/tiers", name="Patissier", price=usd(12000), rank=2, **{**tier, "interval": "year"})
    table = mei.post(web, "/groups/mei/channels", name="table", kind="talk", min_tier_rank=1)["id"]
    general = next(c["id"] for c in mei.get(web, "/groups/mei/channels")["items"] if c["name"] == "general")
    passcode = mei.post(web, "/groups/mei/invites", campaign="spring")["passcode"]

    # 2. Ana redeems it, is declined once, pays, and her socket hears of the channel.
    ana, bo = person("ana"), person("bo", hub.second)
    for fan in (ana, bo):
        membership = fan.post(web, f"/invites/{passcode}/redeem")
        assert membership["campaign"] == "spring"
    ana.connect(hub.second).join(general)
    checkout = ana.post(web, f"/tiers/{baker['id']}/checkout")
    assert hub.control(f"checkout/{checkout['session_id']}/pay", card=DECLINED).status_code == 402
    assert hub.control(f"checkout/{checkout['session_id']}/pay", card=GOOD).status_code == 200
    granted = eventually(lambda: ana.has_heard("access.granted", table), "the paid channel opens", PATIENCE_S)
    assert granted[0]["group"]["handle"] == "mei"
    ana.join(table)
    [subscription] = ana.get(web, "/me/subscriptions")["items"]
    assert (subscription["state"], subscription["price"]) == ("active", usd(500))

    # 3. They chat on two processes; one is killed; Valkey is emptied.
    mei.connect(hub.first).join(table)
    assert mei.say(table, "welcome")["ok"]
    eventually(lambda: ana.texts(table) == ["welcome"], "ana hears it on the other process")
    hub.first.kill()
    assert ana.say(table, "the first process is gone")["ok"]
    hub.first.start()
    with redis.Redis.from_url(hub.redis_url) as client:
        client.flushdb()
    mei.heard.clear()
    mei.events.clear()
    mei.connect(hub.first).join(table, after_seq=0)
    assert mei.texts(table) == ["welcome", "the first process is gone"]

    # 4. A poll closes on time and shows its result; a round makes canon.
    poll = mei.post(
        web,
        f"/channels/{table}/polls",
        title="Next?",
        method="plurality",
        options=["tart", "bread"],
        closes_at=rfc3339(clock.now() + timedelta(hours=1)),
    )
    tart = poll["options"][0]["id"]
    ana.send(web, "PUT", f"/polls/{poll['id']}/ballot", choices=[tart])
    hub.pass_hours(2)
    closed = eventually(lambda: kinds(ana, table, "poll.closed"), "the poll closes by itself", PATIENCE_S)
    assert closed[0]["result"]["winner_ids"] == [tart]
    chain = mei.post(
        web,
        "/groups/mei/chains",
        channel_id=table,
        title="The oven",
        premise="It would not light.",
        rules={"shortlist": "none", "method": "plurality"},
    )
    around = mei.post(web, f"/chains/{chain['id']}/rounds")
    proposal = ana.post(
        web, f"/rounds/{around['id']}/proposals", title="A spark", body="Then it did.", accept_licence=True
    )
    mei.post(web, f"/rounds/{around['id']}/advance")
    ana.send(web, "PUT", f"/rounds/{around['id']}/ballot", choices=[proposal["id"]])
    mei.post(web, f"/rounds/{around['id']}/advance")
    eventually(lambda: kinds(ana, table, "episode.canonised"), "the winner becomes canon")
    assert ana.get(web, f"/chains/{chain['id']}/canon")["episodes"][-1]["title"] == "A spark"

    # 5. Bo is banned: an open socket hears nothing more, not even what is said in the same breath.
    bo.connect(hub.second).join(general)
    mei.join(general)
    mei.post(web, "/groups/mei/bans", user_id=bo.get(web, "/me")["id"], reason="spam")
    assert mei.say(general, "has Bo gone?")["ok"]
    eventually(lambda: bo.has_heard("access.revoked", general), "bo is put out")
    eventually(lambda: ana.texts(general) == ["has Bo gone?"], "ana hears it on the same process")
    assert bo.texts(general) == []

    # 7. Mei onboards; Fay opens a run and may not approve it; Finn does; the transfer goes out, though workers die.
    mei.post(web, "/session/proof", password=PASSWORD)  # she signed in hours ago
    mei.post(web, "/groups/mei/payout-account")
    assert hub.control(f"onboard/{stripe_account()}").status_code == 200
    eventually(lambda: mei.get(web, "/groups/mei/payout-account")["transfers_active"], "mei can be paid", PATIENCE_S)
    fay, finn = person("fay", hired=True), person("finn", hired=True)
    run = fay.post(web, "/finance/payout-runs", currency="USD")
    assert run["total"] == usd(450)
    own = fay.http.post(f"{web.url}/api/v1/finance/payout-runs/{run['id']}/approve", json={}, timeout=30)
    assert own.json()["code"] == "same_person"
    finn.post(web, f"/finance/payout-runs/{run['id']}/approve")
    hub.restart_workers()
    [payout] = eventually(lambda: sent(fay, web), "the transfer is sent", PATIENCE_S)
    assert payout["transfer_id"].startswith("tr_")
    assert payout["amount"] == usd(450)
    with unit_of_work() as session:
        assert ledger.check(session) == []


def usd(minor: int) -> dict[str, Any]:
    return {"amount_minor": minor, "currency": "USD"}


def stripe_account() -> str:
    with unit_of_work() as session:
        return str(session.scalars(select(PayoutAccount.stripe_account_id)).one())


def kinds(fan: Fan, channel: str, kind: str) -> list[dict[str, Any]]:
    return [event["data"] for event in fan.events.get(channel, []) if event["kind"] == kind]


def sent(fan: Fan, web: Web) -> list[dict[str, Any]]:
    return [each for each in fan.get(web, "/finance/payouts")["items"] if each["state"] in ("sent", "confirmed")]
