"""The weekly letter to a creator: the dashboard's numbers of the last seven days, and what is promised."""

from __future__ import annotations

import uuid
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from creator_hub import settings
from creator_hub.accounts.models import User
from creator_hub.core import clock, mail, outbox
from creator_hub.groups.models import Group
from creator_hub.insights.models import MemberFact
from creator_hub.insights.queries import Overview, overview
from creator_hub.insights.reading import moment_of
from creator_hub.promises.judging import words
from creator_hub.promises.queries import due_soon, reliability

TOPIC = "web.digest"
DAYS = 7
MONDAY, MORNING = 0, 8


def ask_due(session: Session) -> int:
    """Ask for the letter of every group in which it is Monday morning, once a week; groups without anybody get none."""
    somebody = exists().where(MemberFact.group_id == Group.id)
    asked = 0
    for group_id, timezone in session.execute(select(Group.id, Group.timezone).where(somebody)):
        here = clock.now().astimezone(ZoneInfo(timezone))
        if here.weekday() == MONDAY and here.hour >= MORNING:
            year, week, _day = here.isocalendar()
            outbox.record(session, TOPIC, {"group_id": str(group_id)}, key=f"{group_id}:{year}-{week}")
            asked += 1
    return asked


def write(session: Session, group_id: uuid.UUID) -> None:
    """Put the letter into the post, unless its reader may not see these figures any more."""
    group = session.get_one(Group, group_id)
    owner = session.get_one(User, group.owner_id)
    if not owner.is_active:
        return
    found = overview(session, group, moment_of(session, group), DAYS)
    text = "\n".join([*_figures(found), *_promises(session, group), "", _link(group), ""])
    mail.send_later(session, to=owner.email, subject=f"The week of {group.name}", text=text)


def _figures(found: Overview) -> list[str]:
    left = sum(found.departures.values())
    lines = [
        f"Members: {sum(found.members.values())}, of whom {found.members['paying']} pay",
        f"Recurring revenue a month: {found.mrr}",
        f"In the last {DAYS} days {found.joins} joined and {left} left",
    ]
    if found.creator_authored_share is not None:
        lines.append(f"Of the messages you wrote {round(found.creator_authored_share * 100)} %")
    return lines


def _promises(session: Session, group: Group) -> list[str]:
    kept = reliability(session, group).kept_percent
    lines = [] if kept is None else [f"Promises kept: {kept} %"]
    return lines + [
        f"You promised {words(promise)}, until {period.due_at.astimezone(ZoneInfo(promise.timezone)):%A %H:%M}"
        for period, promise in due_soon(session, group)
    ]


def _link(group: Group) -> str:
    return f"{settings.current().public_url}/g/{group.handle}/dashboard"
