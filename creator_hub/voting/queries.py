"""Reads of polls."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub.core import clock
from creator_hub.core.paging import Page, PageRequest, paginate
from creator_hub.core.schemas import rfc3339
from creator_hub.voting.ballots import has_voted, options_of, own
from creator_hub.voting.models import Ballot, BallotBox, Option, Poll


def polls_in(session: Session, channel_id: uuid.UUID, asked: PageRequest) -> Page[Poll]:
    return paginate(session, select(Poll).where(Poll.channel_id == channel_id), Poll.id, asked)


def state_of(poll: Poll, box: BallotBox, at: datetime) -> str:
    """scheduled, open or closed: what the clock says, also in the second before the schedule has come round."""
    if box.is_over(at):
        return "closed"
    waits = poll.opened_at is None and (poll.opens_at is None or poll.opens_at > at)
    return "scheduled" if waits else "open"


def as_wire(session: Session, polls: Sequence[Poll], viewer: uuid.UUID | None = None) -> list[dict[str, Any]]:
    """Polls in the contract's shape. For a `viewer`: shuffled options where asked for, whether they have voted, and
    while the poll is open what."""
    ids = [poll.id for poll in polls]
    boxes = {box.id: box for box in session.scalars(select(BallotBox).where(BallotBox.id.in_(ids)))}
    options = options_of(session, ids)
    voted = has_voted(session, ids, viewer) if viewer else set()
    ballots = own(session, list(boxes.values()), viewer) if viewer else {}
    return [
        _wire(poll, boxes[poll.id], _arranged(poll, options[poll.id], viewer), has_voted=poll.id in voted)
        | ({"voted": poll.id in voted, "ballot": ballots.get(poll.id)} if viewer else {})
        for poll in polls
    ]


def _arranged(poll: Poll, options: list[Option], viewer: uuid.UUID | None) -> list[Option]:
    """A person always sees the same order, and no option is first for everybody."""
    if not poll.shuffle or viewer is None:
        return options
    return sorted(options, key=lambda option: hashlib.sha256(option.id.bytes + viewer.bytes).digest())


def waiting_options(session: Session, poll: Poll) -> list[dict[str, str]]:
    """What members added and nobody has decided on, for the staff."""
    waiting = options_of(session, [poll.id], states=("waiting",))[poll.id]
    return [{"id": str(option.id), "text": option.text} for option in waiting]


def _wire(poll: Poll, box: BallotBox, options: list[Option], *, has_voted: bool) -> dict[str, Any]:
    state = state_of(poll, box, clock.now())
    return {
        "id": str(poll.id),
        "channel_id": str(poll.channel_id),
        "title": poll.title,
        "method": box.method,
        "state": state,
        "options": [{"id": str(option.id), "text": option.text} for option in options],
        "seats": box.seats,
        "min_choices": box.min_choices,
        "max_choices": box.max_choices or len(options),
        "identity": box.identity,
        "results": box.results,
        "min_tier_rank": box.min_tier_rank,
        "min_member_hours": box.min_member_hours,
        "weights": {tier: float(weight) for tier, weight in box.weights.items()},
        "quorum": box.quorum,
        "revote": box.revote,
        "shuffle": poll.shuffle,
        # The answer of a quiz is told to whoever has answered (ballots are final in it), and to all at the close.
        "is_quiz": poll.quiz is not None,
        "quiz": poll.quiz if has_voted or state == "closed" else None,
        "adding": poll.adding,
        "opens_at": _moment(poll.opens_at),
        "closes_at": _moment(box.closes_at),
        "created_at": rfc3339(poll.created_at),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


def ballots_csv(session: Session, box: BallotBox) -> str:
    """`receipt,weight,ballot` of a closed box, ballots as JSON with option texts, ordered by receipt: enough to repeat
    the tally and to find one's own, nothing that says whose the others are."""
    texts = {str(option.id): option.text for option in options_of(session, [box.id])[box.id]}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("receipt", "weight", "ballot"))
    rows = session.scalars(select(Ballot).where(Ballot.box_id == box.id).order_by(Ballot.receipt))
    for row in rows:
        ballot = json.dumps(_in_words(row.body, texts), ensure_ascii=False, sort_keys=True)
        writer.writerow((row.receipt, f"{row.weight.normalize():f}", ballot))
    return out.getvalue()


def _in_words(body: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    if "choices" in body:
        return {"choices": [texts[option] for option in body["choices"]]}
    if "scores" in body:
        return {"scores": {texts[option]: score for option, score in body["scores"].items()}}
    return {"ranking": [[texts[option] for option in equal] for equal in body["ranking"]]}
