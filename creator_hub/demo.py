"""The demo world: Mei's group with people in it, made by the same verbs that the product uses."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub.accounts.models import User
from creator_hub.accounts.service import sign_up
from creator_hub.chat.service import send
from creator_hub.core.access import Actor
from creator_hub.core.ids import new_id
from creator_hub.core.money import Money
from creator_hub.groups import channels, invites, service, tiers
from creator_hub.groups.access_changes import channels_of
from creator_hub.groups.models import Group
from creator_hub.groups.standing import standing_of

PASSWORD = "demo-demo-demo"  # noqa: S105 - public on purpose; the demo exists in development only
STAFF = (("finance", "Fay", ("finance",)), ("finance2", "Finn", ("finance",)), ("admin", "Ada", ("admin",)))
FANS = ("Ana", "Bo", "Chen", "Dara", "Eli")
TALK = (
    (0, "First! The lemon tart turned out **perfect** 🍋"),
    (1, "Mine collapsed. What did I do wrong?"),
    (2, "Did you chill the dough? An hour at least."),
)


@dataclass(frozen=True, slots=True)
class Cast:
    mei: User
    fans: list[User]


def seed(session: Session) -> bool:
    """Make everything once; False when Mei is there already."""
    if session.scalar(select(User.id).where(User.handle == "mei")) is not None:
        return False
    cast = _people(session)
    group = _group(session, cast.mei)
    for fan in cast.fans:
        service.join_free(session, _as(fan), group)
    general = channels_of(session, group.id)[0]
    _say(session, cast.mei, general.id, "Welcome to the kitchen! Tell us what you are baking this week.")
    for who, words in TALK:
        _say(session, cast.fans[who], general.id, words)
    return True


def _people(session: Session) -> Cast:
    mei = _person(session, "mei", "mei", "Mei")
    for name, display_name, roles in STAFF:
        _person(session, name, name, display_name, roles)
    return Cast(mei, [_person(session, f"fan{n}", name.lower(), name) for n, name in enumerate(FANS, 1)])


def _person(session: Session, mailbox: str, handle: str, name: str, roles: tuple[str, ...] = ()) -> User:
    return sign_up(
        session, email=f"{mailbox}@demo.test", password=PASSWORD, handle=handle, display_name=name, roles=roles
    )


def _group(session: Session, mei: User) -> Group:
    group = service.create_group(
        session,
        _as(mei),
        handle="mei",
        name="Mei's Kitchen",
        about="Baking together, every week. Recipes, live chat, and a story we write as we go.",
        currency="USD",
        hidden=False,
    )
    owner = _as(mei)
    tiers.create_tier(
        session,
        owner,
        group,
        name="Baker",
        price=Money(500, "USD"),
        interval="month",
        benefits=["The bakers' table", "Vote on the next recipe"],
        rank=1,
        seat_limit=None,
    )
    tiers.create_tier(
        session,
        owner,
        group,
        name="Patissier",
        price=Money(12000, "USD"),
        interval="year",
        benefits=["Everything of Baker", "A yearly call with Mei"],
        rank=2,
        seat_limit=50,
    )
    channels.create_channel(session, owner, group, name="bakers-table", kind="talk", min_tier_rank=1)
    standing = standing_of(session, group, owner)
    invites.create_invite(
        session, owner, group, standing, campaign="spring", max_uses=100, expires_at=None, tier_id=None
    )
    return group


def _as(user: User) -> Actor:
    return Actor(user_id=user.id, roles=frozenset(user.roles))


def _say(session: Session, who: User, channel: uuid.UUID, words: str) -> None:
    send(session, _as(who), channel, client_msg_id=new_id(), text=words)
