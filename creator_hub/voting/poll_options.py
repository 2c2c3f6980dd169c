"""Options that come while a poll runs: from the staff, or from members where the poll lets them."""

from __future__ import annotations

import uuid

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from creator_hub import streams
from creator_hub.core.access import Actor, Permission
from creator_hub.core.errors import Conflict, Invalid, NotAllowed, NotFound
from creator_hub.core.ids import new_id
from creator_hub.groups.mutes import refuse_muted
from creator_hub.voting import ballots, counting, polls, queries
from creator_hub.voting.doors import PollDoor, poll_by_id
from creator_hub.voting.models import Option, Poll
from creator_hub.voting.options import folded
from creator_hub.voting.schemas import MOST_OPTIONS
from creator_hub.voting.standing_lock import hold

MOST_PER_MEMBER = 3
EVERY_STATE = ("standing", "waiting", "refused")


def add(session: Session, actor: Actor, poll_id: uuid.UUID, text: str) -> Poll:
    """One more option. Not once somebody has voted for good without having seen it."""
    door = poll_by_id(session, actor, poll_id, Permission.VOTE)
    hold(session, door.group.id, actor.person())
    door = polls.locked(session, actor, poll_id, Permission.VOTE)
    _may_add(session, actor, door)
    _refuse_late(session, door)
    present = ballots.options_of(session, [poll_id], states=EVERY_STATE)[poll_id]
    if len(present) >= MOST_OPTIONS or folded(text) in {folded(option.text) for option in present}:
        raise Invalid(errors={"text": [f"Each option once, {MOST_OPTIONS} at most."]})
    waits = door.poll.adding == "approval" and not door.is_staff
    option = Option(
        id=new_id(),
        box_id=poll_id,
        position=len(present),
        text=text,
        folded=folded(text),
        state="waiting" if waits else "standing",
        added_by=actor.person(),
    )
    session.add(option)
    session.flush()
    if not waits:
        _show(session, door)
    return door.poll


def decide(session: Session, actor: Actor, poll_id: uuid.UUID, option_id: uuid.UUID, *, stands: bool) -> Poll:
    """Let an option that waits stand, or refuse it; deciding the same twice is once."""
    door = polls.locked(session, actor, poll_id, Permission.RUN_VOTES)
    option = session.get(Option, option_id, populate_existing=True)
    if option is None or option.box_id != poll_id:
        raise NotFound
    wanted = "standing" if stands else "refused"
    if option.state == wanted:
        return door.poll
    if option.state == "standing":
        raise Conflict("This option stands, and people may have voted for it.", code="option_stands")
    if stands:
        _refuse_late(session, door)
    option.state = wanted
    session.flush()
    if stands:
        _show(session, door)
    return door.poll


def _may_add(session: Session, actor: Actor, door: PollDoor) -> None:
    if door.is_staff:
        return
    if door.poll.adding == "staff":
        raise NotAllowed("Only the creator and moderators add options to this poll.")
    refuse_muted(session, door.group.id, actor.person())
    mine = select(func.count()).where(Option.box_id == door.poll.id, Option.added_by == actor.person())
    if (session.scalar(mine) or 0) >= MOST_PER_MEMBER:
        raise Conflict("You have added as many options as one may.", code="too_many_options")


def _refuse_late(session: Session, door: PollDoor) -> None:
    ballots.refuse_closed(door.box)
    if not door.box.revote and counting.turnout(session, door.box):
        raise Conflict("Ballots are final here, and some are cast: the options stay.", code="already_voted")


def _show(session: Session, door: PollDoor) -> None:
    """History shows the poll as it now is, and whoever looks at it hears that it changed."""
    poll = door.poll
    if poll.opened_seq is not None:
        streams.rewrite(session, poll.channel_id, poll.opened_seq, queries.as_wire(session, [poll])[0])
    polls.tell(session, door.box)
