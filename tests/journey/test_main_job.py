"""The whole main job on real parts: two web processes, workers, the Stripe sandbox, browsers for what is paid.

Killed on the way: a web process, the workers, and an emptied Valkey. Nothing is lost and nothing is done twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
from playwright.sync_api import Browser, Page

from creator_hub.accounts.models import User
from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from creator_hub.core.schemas import rfc3339
from creator_hub.embedded.engine import free_port
from creator_hub.money import ledger
from tests.browser.conftest import chromium  # noqa: F401 - the fixture
from tests.support.hub import Fan, Process, Web, eventually

DECLINED, GOOD = "4000000000000002", "4242424242424242"


@dataclass
class World:
    """Everything `make run` starts, and the people of the story."""

    first: Web
    second: Web
    workers: Process
    sandbox: Process
    sandbox_url: str
    redis_url: str
    people: list[Fan] = field(default_factory=list)

    def person(self, handle: str, web: Web | None = None, roles: tuple[str, ...] = ()) -> Fan:
        fan = Fan(handle).sign_up(web or self.first)
        self.people.append(fan)
        if roles:
            me = self.get(fan, "/me")
            with unit_of_work() as session:
                session.get_one(User, uuid.UUID(me["id"])).roles = list(roles)
        return fan

    def get(self, fan: Fan, path: str) -> Any:
        answer = fan.http.get(f"{self.first.url}/api/v1{path}", timeout=10)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    def control(self, path: str, **body: Any) -> requests.Response:
        return requests.post(f"{self.sandbox_url}/_control/{path}", json=body, timeout=60)

    def pass_hours(self, hours: int) -> None:
        """Only the hub's clock: Stripe's own day must not end here, its nightly bank payout is another story."""
        with unit_of_work() as session:
            clock.advance(session, timedelta(hours=hours))


@pytest.fixture
def world(database: str, redis_url: str, tmp_path: Path) -> Iterator[World]:
    ports = [free_port() for _ in range(2)]
    env = {
        "DATABASE_URL": database,
        "REDIS_URL": redis_url,
        "HUB_DATA_DIR": str(tmp_path),
        "HUB_PAYOUT_HOLD_DAYS": "0",
        "STRIPE_SANDBOX_PORT": str(ports[1]),
        "PUBLIC_URL": f"http://127.0.0.1:{ports[0]}",
    }
    hooks = f"http://127.0.0.1:{ports[0]}/api/v1/webhooks/stripe"
    sandbox = Process(
        *("creator_hub.stripe_sandbox", "--port", str(ports[1]), "--data", str(tmp_path / "stripe")),
        *("--webhook-url", hooks, "--connect-webhook-url", f"{hooks}-connect"),
        env=env,
    )
    world = World(
        Web(env, ports[0]), Web(env), Process("workers", env=env), sandbox, f"http://127.0.0.1:{ports[1]}", redis_url
    )
    yield world
    for fan in world.people:
        fan.leave()
    for process in (world.workers, world.first, world.second, world.sandbox):
        process.kill()


def pay(browser: Browser, url: str, cards: list[str]) -> str:
    """Type each card on the hosted page until one is taken; returns the last message the person was told."""
    page: Page = browser.new_page()
    page.set_default_timeout(15_000)
    page.goto(url)
    told = ""
    for card in cards:
        page.fill("#card", card)
        page.fill("#expiry", "12 / 34")
        page.fill("#cvc", "123")
        page.fill("#name", "Ana")
        page.click("#pay")
        if card != cards[-1]:
            page.wait_for_selector("#error:visible")
            told = page.inner_text("#error")
    page.wait_for_url("**/billing/return**")
    page.close()
    return told


def onboard(browser: Browser, url: str) -> None:
    """Fill in Stripe's hosted form as Mei would."""
    page = browser.new_page()
    page.set_default_timeout(15_000)
    page.goto(url)
    page.fill("#name", "Mei Lin")
    page.check("#terms")
    page.click("#finish")
    page.wait_for_url("**/g/mei/payouts**")
    page.close()


@pytest.mark.timeout(400)
def test_the_main_job_from_sign_up_to_payout(world: World, request: pytest.FixtureRequest) -> None:
    browser = request.getfixturevalue("chromium")
    web = world.first

    # 1. Mei opens a group with a free tier and two paid ones, a channel for the higher, and a passcode.
    mei = world.person("mei")
    mei.post(web, "/groups", handle="mei", name="Mei's kitchen", about="", currency="USD")
    tier = {"benefits": [], "interval": "month"}
    baker = mei.post(web, "/groups/mei/tiers", name="Baker", price=usd(500), rank=1, **tier)
    mei.post(web, "/groups/mei/tiers", name="Patissier", price=usd(12000), rank=2, **{**tier, "interval": "year"})
    table = mei.post(web, "/groups/mei/channels", name="table", kind="talk", min_tier_rank=1)["id"]
    general = next(c["id"] for c in world.get(mei, "/groups/mei/channels")["items"] if c["name"] == "general")
    passcode = mei.post(web, "/groups/mei/invites", campaign="spring")["passcode"]

    # 2. Ana redeems it, is declined once, pays, and her open page gains the channel.
    ana, bo = world.person("ana"), world.person("bo", world.second)
    for fan in (ana, bo):
        membership = fan.post(web, f"/invites/{passcode}/redeem")
        assert membership["campaign"] == "spring"
    ana.connect(world.second).join(general)
    checkout = ana.post(web, f"/tiers/{baker['id']}/checkout")
    told = pay(browser, checkout["url"], [DECLINED, GOOD])
    assert "declined" in told
    granted = eventually(lambda: ana.has_heard("access.granted", table), "the paid channel opens", 90)
    assert granted[0]["group"]["handle"] == "mei"
    ana.join(table)
    [subscription] = world.get(ana, "/me/subscriptions")["items"]
    assert (subscription["state"], subscription["price"]) == ("active", usd(500))

    # 3. They chat on two processes; one is killed; Valkey is emptied.
    mei.connect(world.first).join(table)
    assert mei.say(table, "welcome")["ok"]
    eventually(lambda: ana.texts(table) == ["welcome"], "ana hears it on the other process")
    world.first.kill()
    assert ana.say(table, "the first process is gone")["ok"]
    world.first.start()
    with redis.Redis.from_url(world.redis_url) as client:
        client.flushdb()
    mei.heard.clear()
    mei.events.clear()
    mei.connect(world.first).join(table, after_seq=0)
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
    world.pass_hours(2)
    closed = eventually(lambda: kinds(ana, table, "poll.closed"), "the poll closes by itself", 90)
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
    assert [e["title"] for e in canon(world, ana, chain)][-1] == "A spark"

    # 5. Bo is banned: an open socket hears nothing more.
    bo.connect(world.second).join(general)
    mei.post(web, "/groups/mei/bans", user_id=world.get(bo, "/me")["id"], reason="spam")
    eventually(lambda: bo.has_heard("access.revoked", general), "bo is put out", 2)

    # 7. Mei onboards; Fay opens a run and may not approve it; Finn does; the transfer goes out, though workers die.
    url = mei.post(web, "/groups/mei/payout-account")["url"]
    onboard(browser, url)
    eventually(lambda: world.get(mei, "/groups/mei/payout-account")["transfers_active"], "mei can be paid", 90)
    fay, finn = world.person("fay", roles=("finance",)), world.person("finn", roles=("finance",))
    run = fay.post(web, "/finance/payout-runs", currency="USD")
    assert run["total"] == usd(450)
    own = fay.http.post(f"{web.url}/api/v1/finance/payout-runs/{run['id']}/approve", json={}, timeout=10)
    assert own.json()["code"] == "same_person"
    finn.post(web, f"/finance/payout-runs/{run['id']}/approve")
    world.workers.kill()
    world.workers.start()
    sent = eventually(lambda: [p for p in payouts(world, fay) if p["state"] in ("sent", "confirmed")], "it is sent", 90)
    assert sent[0]["transfer_id"].startswith("tr_")
    assert sent[0]["amount"] == usd(450)
    with unit_of_work() as session:
        assert ledger.check(session) == []


def usd(minor: int) -> dict[str, Any]:
    return {"amount_minor": minor, "currency": "USD"}


def kinds(fan: Fan, channel: str, kind: str) -> list[dict[str, Any]]:
    return [event["data"] for event in fan.events.get(channel, []) if event["kind"] == kind]


def canon(world: World, fan: Fan, chain: dict[str, Any]) -> list[dict[str, Any]]:
    told = world.get(fan, f"/chains/{chain['id']}/canon")
    episodes: list[dict[str, Any]] = told.get("episodes", told.get("items"))
    return episodes


def payouts(world: World, fan: Fan) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.get(fan, "/finance/payouts")["items"]
    return found
