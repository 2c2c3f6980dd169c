"""What a creator should look at this morning, what changed since yesterday, and the way to a first paying member."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from creator_hub.chat.models import Message
from creator_hub.core import clock
from creator_hub.groups.models import Channel, Group, Invite, Tier
from creator_hub.insights.queries import Day, Overview
from creator_hub.money.billing_models import Subscription
from creator_hub.money.payout_models import PayoutAccount
from creator_hub.promises import queries as promises
from creator_hub.promises.judging import words
from creator_hub.voting.chain_models import Chain, Round
from creator_hub.voting.models import BallotBox, Poll
from creator_hub.voting.qa_models import WAITING, QaSession, Question

SOON = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to do: how pressing, what it is, where to do it, and by when."""

    tone: str
    text: str
    href: str
    by: datetime | None = None


@dataclass(frozen=True, slots=True)
class GuideStep:
    text: str
    href: str
    done: bool


def needs(session: Session, group: Group, at_risk: int) -> list[Need]:
    """What waits for the creator, the most pressing first."""
    here = f"/g/{group.handle}"
    found = [*_promises(session, group, here), *_questions(session, group, here), *_votes(session, group, here)]
    late = session.scalar(
        select(func.count()).where(Subscription.group_id == group.id, Subscription.state == "past_due")
    )
    if late:
        text = ngettext("%(num)s payment is failing", "%(num)s payments are failing", late)
        found.append(Need("warn", text, f"{here}/dashboard#movement"))
    if at_risk:
        text = ngettext("%(num)s paying member may leave", "%(num)s paying members may leave", at_risk)
        found.append(Need("info", text, f"{here}/dashboard#at-risk"))
    return found


def _promises(session: Session, group: Group, here: str) -> list[Need]:
    return [
        Need(
            "bad" if period.state == "at_risk" else "info",
            _("You promised %(words)s", words=words(promise)),
            f"{here}/promises",
            period.due_at,
        )
        for period, promise in promises.due_soon(session, group)
    ]


def _questions(session: Session, group: Group, here: str) -> list[Need]:
    waiting = session.scalar(
        select(func.count())
        .select_from(Question)
        .join(QaSession, QaSession.id == Question.session_id)
        .join(Channel, Channel.id == QaSession.channel_id)
        .where(Channel.group_id == group.id, QaSession.closed_at.is_(None), Question.state.in_(WAITING))
    )
    if not waiting:
        return []
    text = ngettext("%(num)s question waits for an answer", "%(num)s questions wait for an answer", waiting)
    return [Need("warn", text, f"{here}/qa")]


def _votes(session: Session, group: Group, here: str) -> list[Need]:
    """Rounds that wait for the creator's shortlist, and votes that close within a day."""
    rounds = session.execute(
        select(Chain.id, Chain.title, Round.writing_closes_at)
        .join(Round, Round.chain_id == Chain.id)
        .where(Chain.group_id == group.id, Round.state == "shortlist")
    )
    found = [
        Need("warn", _("“%(title)s” waits for your shortlist", title=title), f"{here}/chains/{chain_id}", by)
        for chain_id, title, by in rounds
    ]
    polls = session.execute(
        select(Poll.title, BallotBox.closes_at)
        .join(BallotBox, BallotBox.id == Poll.id)
        .join(Channel, Channel.id == Poll.channel_id)
        .where(
            Channel.group_id == group.id,
            Poll.opened_at.is_not(None),
            BallotBox.closed_at.is_(None),
            BallotBox.closes_at <= clock.now() + SOON,
        )
        .order_by(BallotBox.closes_at)
    )
    return [*found, *(Need("info", _("“%(title)s” closes", title=title), here, at) for title, at in polls)]


def since_yesterday(days: Sequence[Day], overview: Overview) -> list[str]:
    """What is different from the end of the day before."""
    today, before = days[-1], days[-2]
    said = []
    if today.joins:
        said.append(ngettext("%(num)s person joined", "%(num)s people joined", today.joins))
    if today.departures:
        said.append(ngettext("%(num)s person left", "%(num)s people left", today.departures))
    if today.mrr != before.mrr:
        said.append(_("recurring revenue went from %(before)s to %(now)s", before=before.mrr, now=overview.mrr))
    return said


def guide(session: Session, group: Group, overview: Overview) -> list[GuideStep]:
    """The steps to a first paying member; empty once there is one."""
    if overview.members["paying"]:
        return []
    here, mine = f"/g/{group.handle}", group.id
    done = session.execute(
        select(
            exists().where(Tier.group_id == mine, Tier.rank > 0, Tier.archived_at.is_(None)),
            exists().where(
                Message.author_id == group.owner_id, Message.channel_id == Channel.id, Channel.group_id == mine
            ),
            exists().where(PayoutAccount.user_id == group.owner_id, PayoutAccount.details_submitted),
            exists().where(Invite.group_id == mine),
        )
    ).one()
    promised = bool(promises.reliability(session, group).promises)
    here_now = sum(overview.members.values()) > 0
    return [
        GuideStep(_("Offer a paid tier"), f"{here}/settings#tiers", done[0]),
        GuideStep(_("Write a first message"), here, done[1]),
        GuideStep(_("Promise what members can count on"), f"{here}/promises", promised),
        GuideStep(_("Say where your money goes"), f"{here}/payouts", done[2]),
        GuideStep(_("Make an invitation"), f"{here}/settings#invites", done[3]),
        GuideStep(_("Welcome a first member"), f"{here}/settings#invites", here_now),
        GuideStep(_("Greet a first paying member"), here, False),
    ]
