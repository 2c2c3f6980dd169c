"""How alive the group is, and whether its creator is in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Date, cast, exists, extract, func, or_, select
from sqlalchemy.orm import Session, aliased

from creator_hub.chat.models import Message
from creator_hub.groups.models import Channel, Group
from creator_hub.insights import risk
from creator_hub.insights.models import ActivityDay, ActivityRollup, MemberFact, MembershipStep
from creator_hub.insights.periods import days_between, start_of
from creator_hub.insights.queries import creator_authored_share
from creator_hub.insights.reading import Moment
from creator_hub.insights.risk import AtRisk, HitRate

RETURN_DAYS = (1, 7, 30)
JOINED_WITHIN = timedelta(days=90)
AT_RISK_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ActiveDay:
    """`active` members on the day, in the 7 and in the 30 days up to it."""

    day: date
    active: int
    active_7: int
    active_30: int
    messages: int
    creator_messages: int
    voters: int
    proposers: int
    askers: int


@dataclass(frozen=True, slots=True)
class Returned:
    """Of the people who joined in the last 90 days, `after` days ago or more: how many were active on that day."""

    after: int
    people: int
    returned: int

    @property
    def share(self) -> float | None:
        return round(self.returned / self.people, 4) if self.people else None


@dataclass(frozen=True, slots=True)
class Engagement:
    """`stickiness`: daily active of the last week, on average, per monthly active. Times in minutes."""

    as_of: datetime
    today: ActiveDay
    stickiness: float | None
    returned: Sequence[Returned]
    creator_authored_share: float | None
    median_reply_minutes: float | None
    lurkers_who_pay: int
    at_risk_count: int
    at_risk: Sequence[AtRisk]
    hit_rate: HitRate
    days: Sequence[ActiveDay]


def engagement(session: Session, group: Group, moment: Moment, days: int) -> Engagement:
    """The figures of the last `days` days, today included."""
    first = moment.today - timedelta(days=days - 1)
    rows = active_days(session, group, first, moment.today)
    today = rows[-1]
    week = rows[-7:]
    daily = sum(row.active for row in week) / len(week)
    flagged = risk.members_at_risk(session, group, moment)
    return Engagement(
        as_of=moment.as_of,
        today=today,
        stickiness=round(daily / today.active_30, 4) if today.active_30 else None,
        returned=[_returned(session, group, moment, after) for after in RETURN_DAYS],
        creator_authored_share=creator_authored_share(session, group, first, moment.today),
        median_reply_minutes=_median_reply(session, group, start_of(first, moment.zone)),
        lurkers_who_pay=_lurkers_who_pay(session, group, moment, first),
        at_risk_count=len(flagged),
        at_risk=flagged[:AT_RISK_SHOWN],
        hit_rate=risk.hit_rate(session, group, moment),
        days=rows,
    )


def active_days(session: Session, group: Group, first: date, last: date) -> list[ActiveDay]:
    """One row a day. A day without a row of its own is one on which nobody had been there for a month."""
    columns = [getattr(ActivityRollup, name) for name in ActiveDay.__slots__]
    found = {
        row.day: ActiveDay(*row)
        for row in session.execute(
            select(*columns).where(ActivityRollup.group_id == group.id, ActivityRollup.day.between(first, last))
        )
    }
    return [found.get(day) or ActiveDay(day, *[0] * 8) for day in days_between(first, last)]


def _returned(session: Session, group: Group, moment: Moment, after: int) -> Returned:
    fact, row = MemberFact, ActivityDay
    then = cast(fact.first_day + after, Date)
    was_there = exists().where(row.group_id == fact.group_id, row.user_id == fact.user_id, row.day == then)
    people, returned = session.execute(
        select(func.count(), func.count().filter(was_there)).where(
            fact.group_id == group.id,
            fact.first_day >= moment.today - JOINED_WITHIN,
            fact.first_day <= moment.today - timedelta(days=after + 1),
        )
    ).one()
    return Returned(after, people, returned)


def _median_reply(session: Session, group: Group, since: datetime) -> float | None:
    """Minutes between a member's message and the creator's reply to it; None without replies."""
    answer, asked = aliased(Message), aliased(Message)
    waited = extract("epoch", answer.sent_at - asked.sent_at) / 60
    median = session.scalar(
        select(func.percentile_cont(0.5).within_group(waited))
        .select_from(answer)
        .join(asked, asked.id == answer.reply_to)
        .join(Channel, Channel.id == answer.channel_id)
        .where(
            Channel.group_id == group.id,
            answer.author_id == group.owner_id,
            asked.author_id != group.owner_id,
            answer.sent_at >= since,
        )
    )
    return round(float(median), 1) if median is not None else None


def _lurkers_who_pay(session: Session, group: Group, moment: Moment, first: date) -> int:
    """Paying members who came but wrote, voted, proposed, liked and reacted to nothing in the time."""
    step, row = MembershipStep, ActivityDay
    did = row.message + row.reaction + row.vote + row.proposal + row.like + row.question
    took_part = exists().where(row.group_id == step.group_id, row.user_id == step.user_id, row.day >= first, did > 0)
    came = exists().where(row.group_id == step.group_id, row.user_id == step.user_id, row.day >= first)
    return (
        session.scalar(
            select(func.count()).where(
                step.group_id == group.id,
                step.at <= moment.as_of,
                or_(step.until.is_(None), step.until > moment.as_of),
                step.state == "paying",
                came,
                ~took_part,
            )
        )
        or 0
    )
