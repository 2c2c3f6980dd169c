"""A town with everybody of the table of trust in it, and four groups to try the doors of.

`mei` is where the people stand as their name says; `den` is the same but hidden; `annex` is Mei's too, but nobody else
belongs to it; `oka` belongs to another creator. Each has one of everything that an address can name.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from creator_hub import settings
from creator_hub.accounts import cookies, csrf, passwords, service, sessions
from creator_hub.accounts.models import EmailChange, PasswordReset, User
from creator_hub.accounts.secrets import digest
from creator_hub.chat import uploads
from creator_hub.chat.models import Message
from creator_hub.chat.pictures import Picture
from creator_hub.chat.removal import delete_message
from creator_hub.chat.service import send
from creator_hub.core import blobs, clock
from creator_hub.core.access import Actor
from creator_hub.core.db import unit_of_work
from creator_hub.core.ids import new_id
from creator_hub.core.outbox import OutboxMessage
from creator_hub.groups import entitlements, invites, moderation, mutes
from creator_hub.groups.models import Channel, Group, Tier
from creator_hub.groups.standing import standing_of
from creator_hub.moderation.service import report
from creator_hub.money import adjustments, gateway, inbox, ledger
from creator_hub.money.billing_models import Checkout, Payment, StripeEvent, Subscription
from creator_hub.money.export_models import Export
from creator_hub.money.ledger import Leg
from creator_hub.money.ledger_models import LedgerTransaction
from creator_hub.money.payout_models import PayoutAccount, PayoutRun
from creator_hub.promises import service as promises
from creator_hub.promises.models import Period
from creator_hub.voting import chains, poll_options, polls, qa, rounds
from creator_hub.voting.ballots import options_of
from creator_hub.voting.chain_schemas import RulesIn
from creator_hub.voting.schemas import PollIn
from tests.support.client import PASSWORD
from tests.support.subscribers import end, subscribe
from tests.support.world import a_channel, a_group, a_member, a_tier, as_actor

HOME, HIDDEN, ANNEX, ELSEWHERE = PLACES = ("mei", "den", "annex", "oka")
INSIDE = frozenset({"Fm", "Fl", "Mo", "Cr", "Ts"})
# name → what this person is anywhere, and what more in `mei` and `den`.
CAST: dict[str, tuple[str, str]] = {
    "An": ("An", ""),
    "Fn": ("Fn", ""),
    "Fl": ("Fn", "Fm"),  # of the free tier: a member towards the group, of a lower tier towards the paid channel
    "Fm": ("Fn", "Fm"),
    "Fx": ("Fn", "Fx"),
    "Fb": ("Fn", "Fb"),
    "Mo": ("Fn", "Fm Mo"),
    "Cr": ("Fn", "Cr"),
    "Co": ("Fn", "Co"),
    "Su": ("Fn Su", ""),
    "Ts": ("Fn Ts", ""),
    "Fi": ("Fn Fi", ""),
    "Ad": ("Fn Ad", ""),
    "Sx": ("Sx", ""),
    "Dx": ("", ""),  # deleted, session and token still live
    "Mo∧Fx": ("Fn", "Fx Mo"),
    "Cr∧Fb": ("Fn", "Fb"),  # owns a group of their own, banned here
    "Fi∧Fb": ("Fn Fi", "Fb"),
}
ROLES = {"Su": ["support"], "Ts": ["trust"], "Fi": ["finance"], "Ad": ["admin"], "Fi∧Fb": ["finance"]}
ONCE_PAID = {"Fl", "Fm", "Fx", "Fb", "Mo", "Sx", "Dx", "Mo∧Fx", "Cr∧Fb"}
ENDED = {"Fl", "Fx", "Mo∧Fx", "Cr∧Fb"}
KEPT_WHEN_BANNED = {"Fi", "Ts"}


@dataclass
class Person:
    """Somebody with both kinds of credentials and what is theirs alone."""

    name: str
    user_id: uuid.UUID | None = None
    handle: str = ""
    session_id: str = ""
    cookie: str = ""
    token: str = ""
    own: dict[str, dict[str, str]] = field(default_factory=lambda: {place: {} for place in PLACES})
    account: dict[str, str] = field(default_factory=dict)

    def anywhere(self, credential: str) -> frozenset[str]:
        if self.name == "Dx":
            return frozenset({"An"}) if credential == "cookie" else frozenset()
        return frozenset(CAST[self.name][0].split())

    def at(self, place: str, credential: str, *, in_paid_channel: bool = False) -> frozenset[str]:
        """What this person is in a group, in the letters of the table."""
        base, here = self.anywhere(credential), frozenset(CAST[self.name][1].split())
        if self.name in ("An", "Sx", "Dx"):
            return base
        if place in (HOME, HIDDEN):
            if "Fb" in here:
                return (base & KEPT_WHEN_BANNED) | {"Fb"}
            if self.name == "Fl" and in_paid_channel:
                return base | {"Fl"}
            return base | here
        owner = "Cr" if place == ANNEX else "Co"
        return base | ({"Cr"} if self.name == owner else frozenset())

    def headers(self, credential: str) -> dict[str, str]:
        if credential == "token" and self.token:
            return {"Authorization": f"Bearer {self.token}"}
        key = settings.current().secret_key
        if not self.cookie:
            return {"Cookie": f"{cookies.VISIT}={VISIT}", "X-CSRF-Token": csrf.token_for(key, f"visit:{VISIT}")}
        if self.name == "Dx":  # the cookie is a stranger's by now
            visit = {"X-CSRF-Token": csrf.token_for(key, f"visit:{VISIT}")}
            return {"Cookie": f"{cookies.SESSION}={self.cookie}; {cookies.VISIT}={VISIT}", **visit}
        return {"Cookie": f"{cookies.SESSION}={self.cookie}", "X-CSRF-Token": csrf.token_for(key, self.session_id)}


@dataclass
class Town:
    people: dict[str, Person]
    places: dict[str, dict[str, str]]
    platform: dict[str, str]

    def ids(self, person: Person, target: str) -> dict[str, str]:
        """Everything an address or a body may name, as `person` would name it at `target`: their own things where they
        have some, else somebody's."""
        place = {"another's": HOME, "gone": HOME, "unknown": HOME}.get(target, target)
        found = self.platform | self.places[place] | {"own_handle": person.handle or "nobody"}
        if target == "gone":
            return found | {key.removeprefix("gone_"): value for key, value in found.items() if key.startswith("gone_")}
        if target == "unknown":
            return found | {key: str(uuid.uuid4()) for key in found if key.endswith("_id")} | UNKNOWN
        return found if target == "another's" else found | person.account | person.own[place]


VISIT = "v" * 43
RESET_SECRET, EMAIL_SECRET = "y" * 43, "z" * 43
UNKNOWN = {
    "handle": "nowhere",
    "user_handle": "nobody-at-all",
    "passcode": "AAAAA-BBBBB-CCCCC",
    "month": "1999-13",
    "checkout_session": "cs_unknown",
}
_hash: list[str] = []


def a_user(session: Session, handle: str, roles: list[str] | None = None) -> User:
    """Like signing up, but the same password is hashed once for the whole town."""
    if not _hash:
        _hash.append(passwords.hash_password(PASSWORD))
    user = User(
        id=new_id(),
        email=f"{handle}@example.test",
        handle=handle,
        display_name=handle.capitalize(),
        password_hash=_hash[0],
        roles=sorted(roles or []),
        settings={},
        created_at=clock.now(),
    )
    session.add(user)
    session.flush()
    return user


def say(session: Session, user: User, channel: Channel, text: str = "hello") -> str:
    return str(send(session, as_actor(user), channel.id, client_msg_id=uuid.uuid4(), text=text).id)


class Builder:
    """Builds the town in one transaction, through the services wherever they have a verb for it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.groups: dict[str, Group] = {}
        self.silver: dict[str, Tier] = {}
        self.lounge: dict[str, Channel] = {}
        self.places: dict[str, dict[str, str]] = {}

    def build(self) -> Town:
        session = self.session
        users = {name: a_user(session, handle_of(name), ROLES.get(name)) for name in CAST if name != "An"}
        self.fay = a_user(session, "fay", ["finance"])
        for place in PLACES:
            self._group(place, users["Co"] if place == ELSEWHERE else users["Cr"])
        a_group(session, users["Cr∧Fb"], "crfb")
        people = {"An": Person("An")} | {name: self._person(name, user) for name, user in users.items()}
        for place in (HOME, HIDDEN):
            for name in CAST:
                if name != "An":
                    self._take_place(place, people[name], users[name])
        users["Sx"].suspended_at = users["Dx"].deleted_at = clock.now()
        session.flush()
        return Town(people, self.places, self._platform(users["Cr∧Fb"]))

    def _person(self, name: str, user: User) -> Person:
        row, secret = sessions.begin(self.session, user, user_agent="a browser", address="192.0.2.1")
        other, _ = sessions.begin(self.session, user, user_agent="another", address="192.0.2.1")
        token, bearer = service.create_token(self.session, user.id, "script")
        spare, _ = service.create_token(self.session, user.id, "spare")
        # Seen in the future: no request has to note that it saw them, so whatever is written is written on purpose.
        row.proved_at = row.seen_at = token.used_at = clock.now() + timedelta(days=1)
        account = {"token_id": str(spare.id), "device_id": str(other.id)}
        return Person(name, user.id, user.handle, str(row.id), secret, bearer, account=account)

    def _take_place(self, place: str, person: Person, user: User) -> None:
        """Make somebody in a group what their name says. Whoever belonged once has left a message behind."""
        session, group, silver = self.session, self.groups[place], self.silver[place]
        owner = Actor(user_id=group.owner_id)
        if person.name == "Cr":
            person.own[place]["message_id"] = say(session, user, self.lounge[place], "welcome")
        if person.name in ONCE_PAID:
            subscription = subscribe(session, group, user, silver)
            session.get_one(Checkout, subscription.id).stripe_id = f"cs_{subscription.id.hex}"
            person.own[place]["message_id"] = say(session, user, self.lounge[place])
            person.own[place]["subscription_id"] = str(subscription.id)
            person.own[place]["checkout_session"] = f"cs_{subscription.id.hex}"
            if person.name in ENDED:
                end(session, subscription, "expired")
        if person.name == "Fl":
            entitlements.grant(
                session,
                group_id=group.id,
                user_id=user.id,
                tier_id=uuid.UUID(self.places[place]["free_tier_id"]),
                source="free",
                source_id=str(new_id()),
                starts_at=clock.now(),
            )
        if person.name in ("Mo", "Mo∧Fx"):
            membership = standing_of(session, group, user.id).membership
            assert membership is not None
            membership.role = "moderator"
        if "∧Fb" in person.name or person.name == "Fb":
            standing = standing_of(session, group, owner)
            moderation.ban(session, owner, group, standing, user_id=user.id, reason="spam", until=None)
        session.flush()

    def _group(self, place: str, owner_user: User) -> None:
        session, owner = self.session, as_actor(owner_user)
        group = self.groups[place] = a_group(session, owner_user, place, hidden=place == HIDDEN)
        silver = self.silver[place] = a_tier(session, group, "Silver")
        gold, gone_tier = a_tier(session, group, "Gold", rank=2, price_minor=900), a_tier(session, group, "Bronze")
        lounge = self.lounge[place] = a_channel(session, group, "lounge", min_tier_rank=1)
        gone_channel = a_channel(session, group, "attic", min_tier_rank=1)
        session.flush()
        victim, outcast = a_user(session, f"vic-{place}"), a_user(session, f"out-{place}")
        subscription = subscribe(session, group, victim, silver)
        payment = session.query(Payment).filter_by(subscription_id=subscription.id).one()
        checkout = session.get_one(Checkout, subscription.id)
        checkout.stripe_id = f"cs_{subscription.id.hex}"
        quiet, helper = a_user(session, f"quiet-{place}"), a_user(session, f"mod-{place}")
        for member in (outcast, quiet, helper):
            a_member(session, group, member)
        standing = standing_of(session, group, owner)
        moderation.ban(session, owner, group, standing, user_id=outcast.id, reason="spam", until=None)
        mutes.mute(session, owner, group, standing, user_id=quiet.id, reason="loud", until=None)
        moderation.make_moderator(session, owner, group, helper.id)
        terms: dict[str, Any] = {"max_uses": None, "expires_at": None, "campaign": "autumn"}
        invite = invites.create_invite(session, owner, group, standing, tier_id=None, **terms)
        spent = invites.create_invite(session, owner, group, standing, tier_id=None, **terms)
        session.flush()
        invites.revoke_invite(session, owner, group, spent)
        message, gone_message = say(session, victim, lounge), say(session, victim, lounge)
        delete_message(session, owner, uuid.UUID(gone_message))
        general = next(c for c in session.query(Channel).filter_by(group_id=group.id) if c.name == "general")
        free = session.query(Tier).filter_by(group_id=group.id, rank=0).one()
        device, _ = sessions.begin(session, victim, user_agent="a browser", address="192.0.2.1")
        token, _ = service.create_token(session, victim.id, "script")
        gone_channel.archived_at = gone_tier.archived_at = clock.now()
        self.places[place] = {
            "handle": place,
            "group_id": str(group.id),
            "tier_id": str(silver.id),
            "gold_id": str(gold.id),
            "free_tier_id": str(free.id),
            "gone_tier_id": str(gone_tier.id),
            "channel_id": str(lounge.id),
            "general_id": str(general.id),
            "gone_channel_id": str(gone_channel.id),
            "user_id": str(victim.id),
            "user_handle": victim.handle,
            "moderator_id": str(helper.id),
            "banned_id": str(outcast.id),
            "muted_id": str(quiet.id),
            "passcode": invite.passcode,
            "invite_id": str(invite.id),
            "gone_invite_id": str(spent.id),
            "gone_passcode": spent.passcode,
            "message_id": message,
            "report_id": str(report(session, as_actor(helper), message_id=uuid.UUID(message), kind="spam", note="").id),
            "upload_id": self._picture(victim, lounge, message),
            "gone_message_id": gone_message,
            "subscription_id": str(subscription.id),
            "checkout_session": checkout.stripe_id,
            "payment_id": str(payment.id),
            "device_id": str(device.id),
            "token_id": str(token.id),
            "promise_id": self._promise(group),
            "n": "1",
            **self._votes(owner, as_actor(victim), group, lounge),
        }

    def _picture(self, owner: User, channel: Channel, message: str) -> str:
        picture = Picture("image/png", 1, 1, b"full", b"small")
        row = uploads.keep(
            self.session,
            upload_id=uuid.uuid4(),
            channel_id=channel.id,
            owner_id=owner.id,
            name="cat.png",
            picture=picture,
        )
        blobs.put(uploads.full_key(row.id), picture.full)
        blobs.put(uploads.thumbnail_key(row.id), picture.thumbnail)
        uploads.attach(self.session, self.session.get_one(Message, uuid.UUID(message)), [row.id])
        return str(row.id)

    def _promise(self, group: Group) -> str:
        """What a creator promised, with a period that is not over."""
        terms: dict[str, Any] = {
            "timezone": "UTC",
            "grace_hours": 24,
            "remedy": "days",
            "remedy_value": 3,
            "evidence": "",
        }
        promise, at = promises.make(self.session, group, kind="qa", count=1, every="month", **terms), clock.now()
        self.session.flush()
        period = Period(
            id=new_id(),
            promise_id=promise.id,
            n=1,
            from_at=at,
            warn_at=at + timedelta(days=7),
            until_at=at + timedelta(days=28),
            due_at=at + timedelta(days=29),
            state="scheduled",
            evidence=[],
        )
        self.session.add(period)
        self.session.flush()
        return str(promise.id)

    def _votes(self, owner: Actor, victim: Actor, group: Group, lounge: Channel) -> dict[str, str]:
        session = self.session

        def poll(title: str) -> Any:
            wanted = {"title": title, "method": "plurality", "options": ["a", "b"], "adding": "approval"}
            return polls.create(session, owner, lounge.id, **PollIn().load(wanted))

        def story(title: str) -> Any:
            rules = RulesIn().load({"proposals_per_member": 2})
            return chains.begin(session, owner, group, channel_id=lounge.id, title=title, premise="…", rules=rules)

        running, closed = poll("now?"), poll("then?")
        polls.close_by_hand(session, owner, closed.id)
        poll_options.add(session, victim, running.id, "something else")
        (waiting,) = options_of(session, [running.id], states=("waiting",))[running.id]
        chain, other, resting = story("The well"), story("The road"), story("The hill")
        first = rounds.open_round(session, owner, chain.id, None)
        told = rounds.propose(session, victim, first.id, "One", "…")
        untold = rounds.propose(session, victim, first.id, "Another", "…")
        rounds.advance(session, owner, first.id, None)
        rounds.vote(session, victim, first.id, {"choices": [told.id]})
        rounds.advance(session, owner, first.id, None)
        writing = rounds.open_round(session, owner, chain.id, None)
        proposal = rounds.propose(session, victim, writing.id, "Two", "…")
        voting = rounds.open_round(session, owner, other.id, None)
        candidate = rounds.propose(session, victim, voting.id, "Three", "…")
        rounds.advance(session, owner, voting.id, None)
        talk = qa.open_session(
            session, owner, lounge.id, title="?", starts_at=None, anonymous_allowed=True, moderated=False
        )
        question = qa.ask(session, victim, talk.id, "Why?", anonymous=False)
        return {
            "qa_id": str(talk.id),
            "question_id": str(question.id),
            "poll_id": str(running.id),
            "option_id": str(options_of(session, [running.id])[running.id][0].id),
            "waiting_id": str(waiting.id),
            "closed_poll_id": str(closed.id),
            "chain_id": str(chain.id),
            "resting_chain_id": str(resting.id),
            "episode_id": str(told.id),
            "branch_id": str(untold.id),
            "round_id": str(writing.id),
            "proposal_id": str(proposal.id),
            "decided_round_id": str(first.id),
            "voting_round_id": str(voting.id),
            "candidate_id": str(candidate.id),
        }

    def _entry(self, source: str, owner_id: uuid.UUID) -> LedgerTransaction:
        return ledger.post(
            self.session,
            source=source,
            kind="goodwill",
            currency="USD",
            occurred_at=clock.now(),
            legs=[Leg(ledger.processor("USD"), 500), Leg(ledger.creator_payable("USD", owner_id), -500)],
        )

    def _platform(self, payee: User) -> dict[str, str]:
        """What belongs to no group: a payout run that Fay opened, an export, a month that is over. Somebody is owed."""
        at = clock.now()
        run = PayoutRun(
            id=new_id(),
            currency="USD",
            cut_off=at,
            minimum_minor=0,
            state="draft",
            requested_by=self.fay.id,
            created_at=at,
        )
        export = Export(
            id=new_id(),
            kind="ledger",
            format="csv",
            period_from=at - timedelta(days=60),
            period_to=at - timedelta(days=30),
            currency="USD",
            state="queued",
            rows_total=0,
            rows_done=0,
            requested_by=self.fay.id,
            created_at=at,
        )
        reset = PasswordReset(
            id=new_id(),
            user_id=self.fay.id,
            secret_hash=digest(RESET_SECRET),
            created_at=at,
            expires_at=at + timedelta(hours=1),
        )
        change = EmailChange(
            id=new_id(),
            user_id=self.fay.id,
            email="fay@elsewhere.test",
            secret_hash=digest(EMAIL_SECRET),
            created_at=at,
            expires_at=at + timedelta(hours=1),
        )
        entry, wrong = self._entry("right", payee.id), self._entry("wrong", payee.id)
        account = PayoutAccount(
            id=new_id(),
            user_id=payee.id,
            stripe_account_id="acct_payee",
            details_submitted=True,
            transfers_active=True,
            bank_payouts_enabled=True,
            created_at=at,
        )
        adjustment = adjustments.propose(self.session, as_actor(self.fay), wrong.id, "booked twice")
        event = StripeEvent(
            id="evt_stuck",
            account="",
            type="charge.updated",
            object_id="ch_none",
            payload={},
            created_at=at,
            received_at=at,
        )
        stuck = OutboxMessage(
            id=new_id(),
            topic=inbox.TOPIC,
            payload={"event_id": event.id},
            recorded_at=at,
            due_at=at,
            attempts=3,
            error="never",
            quarantined_at=at,
        )
        self.session.add_all((run, export, reset, change, account, event, stuck))
        self.session.flush()
        over = at.replace(day=1) - timedelta(days=1)
        return {
            "run_id": str(run.id),
            "export_id": str(export.id),
            "stuck_id": str(stuck.id),
            "month": f"{over:%Y-%m}",
            "reset_token": RESET_SECRET,
            "email_token": EMAIL_SECRET,
            "entry_id": str(entry.id),
            "adjustment_id": str(adjustment.id),
        }


def handle_of(name: str) -> str:
    return name.lower().replace("∧", "-") + "-person"


def charged(town: Town) -> None:
    """Give what is paid for its counterpart at the payment provider: the subscriptions that run, and the charges."""
    for name in ("Fm", "Fb", "Mo", "Sx"):
        found = _subscription_at_stripe()
        with unit_of_work() as session:
            session.get_one(Subscription, uuid.UUID(town.people[name].own[HOME]["subscription_id"])).stripe_id = found
    for place in town.places.values():
        charge = gateway.ask(
            lambda at: at.v1.payment_intents.create(
                {"amount": 500, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
            )
        )["latest_charge"]
        with unit_of_work() as session:
            session.get_one(Payment, uuid.UUID(place["payment_id"])).charge_id = charge


def _subscription_at_stripe() -> str:
    customer = gateway.ask(lambda at: at.v1.customers.create({"email": "fan@example.test"}))["id"]
    card = gateway.ask(lambda at: at.v1.payment_methods.attach("pm_card_visa", {"customer": customer}))["id"]
    product = gateway.ask(lambda at: at.v1.products.create({"name": "Silver"}))["id"]
    price: Any = {"currency": "usd", "product": product, "unit_amount": 500, "recurring": {"interval": "month"}}
    made = gateway.ask(
        lambda at: at.v1.subscriptions.create(
            {"customer": customer, "default_payment_method": card, "items": [{"price_data": price}]}
        )
    )
    return str(made["id"])
