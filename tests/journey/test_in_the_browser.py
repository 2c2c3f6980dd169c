"""The whole main job, clicked: from Mei's sign-up to the file that finance takes away.

Seven people, each in a browser of their own, on a hub of two web processes, workers, scheduler and Stripe sandbox.
Nobody calls the API; only time, and what dies, is the operator's doing.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from creator_hub.accounts.models import User
from creator_hub.core.db import unit_of_work
from creator_hub.money import ledger
from creator_hub.money.billing_models import Subscription
from tests.browser.test_journey import violations
from tests.journey.people import Person
from tests.support.hub import eventually
from tests.support.whole_hub import PATIENCE_S, WholeHub

DECLINED, GOOD = "4000 0000 0000 0002", "4242 4242 4242 4242"
Enter = Callable[..., Person]


@pytest.mark.timeout(900)
def test_the_main_job_clicked(hub: WholeHub, person: Enter) -> None:
    hub.begin_at_noon()
    mei, ana, bo, chen, dia = (
        person(name, web)
        for name, web in (
            ("Mei", hub.first), ("Ana", hub.first), ("Bo", hub.second), ("Chen", hub.second), ("Dia", hub.first)
        )
    )  # fmt: skip
    passcode = opens_her_kitchen(mei)
    for fan in (ana, bo, chen, dia):
        comes_in(fan, passcode)
    subscribes(ana, "Patissier", opens="pastry")
    subscribes(bo, "Patissier", cards=[DECLINED, GOOD], opens="pastry")
    subscribes(chen, "Baker")
    talk_through_everything(hub, mei, ana, bo)
    decide_what_is_baked(hub, mei, ana, bo)
    write_the_story(mei, ana, bo)
    leaves(mei, dia)
    is_banned(mei, chen)
    looks_at_her_figures(hub, mei, "48.00 USD", "2 paying", "by choice 1", "banned 1", stayed=["50 %"])
    cancels_and_runs_out(hub, mei, ana, bo)
    looks_at_her_figures(hub, mei, "24.00 USD", "1 paying, 1 free", stayed=["50 %", "50 %"])
    is_paid(hub, mei, person("Fay", hub.first), person("Finn", hub.second))


# 1. Mei opens a group.


def opens_her_kitchen(mei: Person) -> str:
    """A free tier and two paid ones, a general channel and one for the higher tier, a passcode; returns it."""
    page = mei.page
    mei.sign_up()
    page.get_by_role("link", name="Start a group").first.click()
    page.get_by_label("Name", exact=True).fill("Mei's kitchen")
    page.get_by_label("Handle").fill("mei")
    page.get_by_role("button", name="Start the group").click()
    page.wait_for_url("**/g/mei/settings")
    offers(page, "Baker", "60.00", "every year", rank="1")
    offers(page, "Patissier", "24.00", "every month", rank="2")
    page.get_by_role("button", name="Add a channel").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("pastry")
    dialog.get_by_label("Who may enter").select_option(label="Patissier and above (rank 2)")
    dialog.get_by_role("button", name="Open the channel").click()
    expect(page.get_by_role("rowheader", name="pastry")).to_be_visible()
    page.get_by_role("button", name="Make an invitation").click()
    dialog.get_by_label("Campaign").fill("spring video")
    dialog.locator("button[type=submit]").click()
    expect(page.locator("#invites").get_by_role("cell", name="spring video")).to_be_visible()
    assert violations(page) == []
    return page.locator("[data-copy-text]").first.inner_text()


def offers(page: Page, name: str, price: str, billed: str, rank: str) -> None:
    page.get_by_role("button", name="Add a tier").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Price").fill(price)
    dialog.get_by_label("Billed").select_option(label=billed)
    dialog.get_by_label("Rank").fill(rank)
    dialog.get_by_role("button", name="Offer this tier").click()
    expect(page.get_by_role("rowheader", name=name)).to_be_visible()


# 2. Fans come in, and pay.


def comes_in(fan: Person, passcode: str) -> None:
    page = fan.page
    page.goto(f"/join/{passcode}")
    page.get_by_role("link", name="Sign up to join").click()
    fan.sign_up()
    page.get_by_role("button", name=f"Join as {fan.name}").click()
    page.wait_for_url("**/g/mei")
    expect(page.locator("[data-channel-name]")).to_have_text("general")


def subscribes(fan: Person, tier: str, *, cards: list[str] | None = None, opens: str | None = None) -> None:
    """In a second tab, on Stripe's page; the first one gains what was bought without being touched."""
    tab = fan.tab()
    tab.goto("/g/mei")
    tab.get_by_role("button", name="See the tiers").click()
    tab.get_by_role("button", name=f"Choose {tier}").click()
    tab.wait_for_url("**/c/pay/**")
    for card in cards or [GOOD]:
        tab.get_by_label("Card number").fill(card)
        tab.get_by_label("Expiry").fill("12 / 34")
        tab.get_by_label("Security code").fill("123")
        tab.get_by_label("Name on card").fill(fan.name)
        tab.locator("#pay").click()
        if card == DECLINED:
            expect(tab.get_by_role("alert")).to_contain_text("another card")
    tab.wait_for_url("**/g/mei")
    tab.close()
    if opens:
        expect(fan.page.get_by_role("link", name=opens)).to_be_visible()
    else:
        fan.page.reload()
    expect(fan.page.locator("[data-part=standing]")).to_contain_text(tier)


# 3. They talk, whatever breaks.


def talk_through_everything(hub: WholeHub, mei: Person, ana: Person, bo: Person) -> None:
    mei.page.goto("/g/mei")
    everybody = (mei, ana, bo)
    for each in everybody:
        each.enter("pastry")
    said = []
    for n in range(3):
        for speaker in everybody:
            said.append(f"{speaker.name} says {n}")
            speaker.say(said[-1])
            for listener in everybody:
                listener.reads(said[-1])
    ana.context.set_offline(True)
    ana.say("written on the train")
    bo.say("said meanwhile")
    mei.reads("said meanwhile")
    ana.context.set_offline(False)
    for each in everybody:
        each.reads("written on the train")
        each.reads("said meanwhile")
    hub.second.kill()
    ana.say("your server is gone")
    bo.say("is it?")
    hub.second.start()
    for each in everybody:
        each.reads("your server is gone")
        each.reads("is it?")
    ana.message("is it?").hover()
    ana.message("is it?").get_by_role("button", name="Actions for the message of Bo").click()
    ana.page.get_by_role("menuitem", name="React with 🎉").click()
    for each in (ana, bo):
        expect(each.message("is it?").get_by_role("button", name="🎉, 1")).to_be_visible()
        each.page.reload()
        each.reads("is it?")
    mine, theirs = (each.message("is it?").get_by_role("button", name="🎉, 1") for each in (ana, bo))
    expect(mine).to_have_attribute("aria-pressed", "true")
    expect(theirs).to_have_attribute("aria-pressed", "false")
    assert mei.conversation() == ana.conversation() == bo.conversation()
    assert mei.conversation()[: len(said)] == said
    assert len(mei.conversation()) == len(said) + 4


# 4. They vote, and write.


def decide_what_is_baked(hub: WholeHub, mei: Person, ana: Person, bo: Person) -> None:
    page = mei.page
    page.get_by_role("button", name="New poll").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Question").fill("What next?")
    dialog.get_by_label("Options").fill("Tart\nBread")
    dialog.get_by_label("Closes").select_option(label="in 2 minutes")
    dialog.get_by_role("button", name="Open the poll").click()
    for fan, choice in ((ana, "Tart"), (bo, "Tart")):
        ballot = fan.card("What next?")
        ballot.get_by_label(choice).check()
        ballot.get_by_role("button", name="Vote").click()
        expect(ballot.get_by_text("Your vote is counted.")).to_be_visible()
    expect(mei.card("What next?").locator(".bars__row", has_text="Tart").locator(".bars__count")).to_have_text("2")
    bo.page.reload()
    expect(bo.card("What next?").get_by_label("Tart")).to_be_checked()
    hub.let_pass(timedelta(minutes=2))
    for each in (mei, ana, bo):
        expect(each.card("What next?").locator(".bars__row--won")).to_contain_text("Tart")
        expect(each.card("What next?")).to_contain_text("2 of 3 voted")


def write_the_story(mei: Person, ana: Person, bo: Person) -> None:
    page = mei.page
    page.get_by_role("button", name="New story chain").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Title").fill("The oven")
    dialog.get_by_label("Premise").fill("It would not light.")
    dialog.get_by_label("Each person").select_option(label="ranks them (Schulze)")
    dialog.get_by_role("button", name="Begin the story").click()
    for writer, title in ((ana, "A spark"), (bo, "A match")):
        card = writer.card("The oven")
        card.get_by_text("Write the next episode").click()
        card.get_by_label("Title of the episode").fill(title)
        card.get_by_label("The episode", exact=True).fill(f"{title}, and it burned.")
        card.get_by_label("I wrote this").check()
        card.get_by_role("button", name="Propose it").click()
        expect(mei.card("The oven")).to_contain_text(title)
    bo.card("The oven").get_by_role("button", name="Like A spark").click()
    expect(mei.card("The oven").get_by_role("button", name="Like A spark, 1 likes")).to_be_visible()
    mei.card("The oven").get_by_role("button", name="Start the vote now").click()
    ranks(ana, "A spark", "A match")
    ranks(mei, "A spark")
    ranks(bo, "A match", "A spark")
    bo.page.reload()
    bo.card("The oven").get_by_role("button", name="Move A spark up").click()
    casts(bo)
    expect(bo.card("The oven").locator(".ranking__text")).to_have_text(["A spark", "A match"])
    mei.card("The oven").get_by_role("button", name="Decide now").click()
    for each in (mei, ana, bo):
        expect(each.card("The oven")).to_contain_text("A spark is now canon.")
    ana.page.get_by_role("link", name="Read the story so far").click()
    expect(ana.page.get_by_role("heading", name="1. A spark")).to_be_visible()
    assert violations(ana.page) == []
    ana.page.go_back()
    ana.enter("pastry")


def ranks(voter: Person, *titles: str) -> None:
    """Touch them in the order one likes them."""
    for title in titles:
        voter.card("The oven").get_by_role("button", name=f"Rank next: {title}").click()
    casts(voter)


def casts(voter: Person) -> None:
    with voter.page.expect_response(lambda answer: answer.url.endswith("/ballot") and answer.ok):
        voter.card("The oven").get_by_role("button", name="Vote").click()
    expect(voter.card("The oven").get_by_text("Your vote is counted.")).to_be_visible()


# 5. Who goes hears nothing more.


def leaves(mei: Person, dia: Person) -> None:
    tab = dia.tab()
    tab.goto("/g/mei")
    tab.get_by_role("button", name="Leave the group").click()
    expect(dia.page.get_by_text("You left this group.")).to_be_visible()
    hears_nothing_more(mei, dia, "has Dia gone?")


def is_banned(mei: Person, chen: Person) -> None:
    mei.enter("general")
    chen.say("buy my pans")
    mei.reads("buy my pans")
    mei.message("buy my pans").hover()
    mei.message("buy my pans").get_by_role("button", name="Actions for the message of Chen").click()
    mei.page.get_by_role("menuitem", name="Ban from the group").click()
    dialog = mei.page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("spam")
    dialog.get_by_role("button", name="Ban", exact=True).click()
    expect(chen.page.get_by_text("You were banned from this group.")).to_be_visible()
    hears_nothing_more(mei, chen, "has Chen gone?")


def cancels_and_runs_out(hub: WholeHub, mei: Person, ana: Person, bo: Person) -> None:
    """Bo keeps what he paid for to the last day; the moment it ends, his open page is put out."""
    tab = bo.tab()
    tab.goto("/billing")
    tab.get_by_role("button", name="Cancel").click()
    expect(tab.get_by_text("You have cancelled.")).to_be_visible()
    assert violations(tab) == []
    hub.keeps_back_what_is_owed()
    end = period_end(bo)
    hub.let_pass_until(end - timedelta(days=10))
    for each in (mei, ana, bo):
        each.page.goto("/g/mei")
        each.enter("pastry")
    bo.say("three weeks on and still here")
    ana.reads("three weeks on and still here")
    hub.let_pass_until(end + timedelta(seconds=5))
    expect(bo.page.get_by_text("Your membership ended.")).to_be_visible()
    hears_nothing_more(mei, bo, "has Bo gone?")
    hub.let_pass(timedelta(hours=2))  # Stripe takes an hour to collect what is renewed
    tab.reload()
    expect(tab.get_by_text("Nothing more is charged.")).to_be_visible()


def hears_nothing_more(speaker: Person, gone: Person, words: str) -> None:
    """What is said now does not even reach the socket of the open page."""
    speaker.say(words)
    speaker.reads(words)
    gone.page.evaluate("new Promise(requestAnimationFrame)")
    assert not gone.was_told(words)


def period_end(fan: Person) -> datetime:
    with unit_of_work() as session:
        return session.scalars(
            select(Subscription.current_period_end)
            .join(User, User.id == Subscription.user_id)
            .where(User.handle == fan.handle)
        ).one()


# 6. What it comes to.


def looks_at_her_figures(hub: WholeHub, mei: Person, *figures: str, stayed: list[str]) -> None:
    """What the workers wrote down, drawn as well as listed. The page only reads: it is opened again until they have."""
    hub.settled()
    page = mei.page

    def shows() -> bool:
        page.goto("/g/mei/dashboard")
        tiles = " ".join(page.locator("dl.tiles").inner_text().split())
        return all(figure in tiles for figure in figures)

    eventually(shows, f"the dashboard shows {figures}", PATIENCE_S)
    expect(page.locator("#cohort-chart [data-plot] .cohort__cell")).to_have_text(stayed)
    for drawn in ("members", "mrr", "movement"):
        expect(page.locator(f"#{drawn}-chart canvas")).to_be_visible()
    assert violations(page) == []


# 7. Mei is paid, and finance takes the file away.


def is_paid(hub: WholeHub, mei: Person, fay: Person, finn: Person) -> None:
    page = mei.page
    page.get_by_role("link", name="Payouts").click()
    page.get_by_role("button", name="Set up payouts").click()
    mei.proves_herself()  # where money goes is not for whoever finds an open page
    page.get_by_role("button", name="Set up payouts").click()
    page.get_by_label("Legal name").fill("Mei Lin")
    page.get_by_label("I agree").check()
    page.get_by_role("button", name="Agree and finish").click()
    page.wait_for_url("**/g/mei/payouts")
    hub.settled()
    page.reload()
    expect(page.get_by_text("Your payout account is ready.")).to_be_visible()
    hub.hire("fay")
    hub.hire("finn")
    fay.sign_in("/finance")
    fay.page.get_by_role("button", name="Open a payout run").click()
    fay.page.get_by_role("button", name="Open", exact=True).click()
    expect(fay.page.get_by_text("a colleague of finance has to approve it")).to_be_visible()
    expect(fay.page.get_by_role("button", name="Approve and send")).to_have_count(0)
    finn.sign_in("/finance")
    finn.page.get_by_role("button", name="Approve and send").click()
    expect(finn.page.get_by_text("Approved by Finn.")).to_be_visible()
    hub.settled()
    page.reload()
    expect(page.get_by_role("cell", name="Sent", exact=True)).to_be_visible()
    hub.keeps_back_what_is_owed()
    hub.let_pass(timedelta(days=2))  # Stripe pays the platform's bank by night
    takes_the_file(hub, fay)


def takes_the_file(hub: WholeHub, fay: Person) -> None:
    page = fay.page
    hub.workers.kill()
    page.reload()
    page.get_by_role("button", name="New export").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What").select_option(label="Payout reconciliation")
    dialog.get_by_label("From").fill("2020-01-01T00:00")
    dialog.get_by_label("Until").fill("2040-01-01T00:00")
    dialog.get_by_role("button", name="Make the file").click()
    files = page.locator("#exports")
    expect(files.get_by_role("progressbar")).to_be_visible()
    hub.workers.start()
    expect(files.get_by_role("cell", name="Ready", exact=True)).to_be_visible(timeout=1000 * PATIENCE_S)
    with page.expect_download() as taken:
        files.get_by_role("link", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(taken.value.path()).read_text())))
    assert {"charge", "fee", "transfer"} <= {row["category"] for row in rows}
    net = sum(cents(row["net"]) for row in rows)
    at_the_bank = page.locator("#balances").get_by_role("row", name=re.compile("^At the bank"))
    assert net == cents(at_the_bank.get_by_role("cell").last.inner_text())
    with unit_of_work() as session:
        assert ledger.check(session) == []


def cents(amount: str) -> int:
    """ "-1,234.50 USD" → -123450"""
    return int(re.sub(r"[^\d-]", "", amount))
