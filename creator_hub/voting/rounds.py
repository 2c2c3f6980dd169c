"""One step of a story: writing → (shortlist) → voting → decided, or void when nothing can be decided.

Phases end on time (`keep_time`) or by hand (`advance`), each exactly once. Lock order: chain → round → box → stream.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from creator_hub import streams
from creator_hub.core import clock, logs
from creator_hub.core.access import Actor, Permission
from creator_hub.core.errors import Conflict, Invalid
from creator_hub.core.ids import new_id
from creator_hub.groups import audit
from creator_hub.groups.models import Channel, Group
from creator_hub.groups.mutes import refuse_muted
from creator_hub.voting import ballots, chain_queries, chains, counting, seasons, tellings
from creator_hub.voting.chain_doors import RoundDoor, chain_by_id, round_by_id, round_of_proposal
from creator_hub.voting.chain_models import UNDER_WAY, Chain, Episode, EpisodeLike, Round
from creator_hub.voting.models import BallotBox, Option
from creator_hub.voting.standing_lock import hold

TALLIED, KIND = "round.tallied", "round"
BATCH = 100
log = logs.get(__name__)


def open_round(session: Session, actor: Actor, chain_id: uuid.UUID, parent_id: uuid.UUID | None) -> Round:
    """Ask for the episode after `parent_id`, or after the head. One round at a time (`round_open`)."""
    chain_by_id(session, actor, chain_id, Permission.RUN_VOTES)
    chain = chains.lock(session, chain_id)
    chain_by_id(session, actor, chain_id, Permission.RUN_VOTES)
    if chain_queries.open_rounds(session, [chain.id]):
        raise Conflict("A round of this story is under way.", code="round_open")
    if seasons.is_full(session, chain):
        raise Conflict("This season has all its episodes. Close it to begin the next.", code="season_full")
    parent = session.get(Episode, parent_id or chain.head_episode_id) if parent_id or chain.head_episode_id else None
    if parent_id is not None and (parent is None or parent.chain_id != chain.id):
        raise Invalid(errors={"parent_episode_id": ["There is no such episode in this story."]})
    if parent is not None and parent.state != "alternate":
        raise Conflict("Only an episode that was voted on can be continued.", code="not_settled")
    at = clock.now()
    writing_ends = at + timedelta(hours=chain.rules["writing_hours"])
    found = Round(
        id=new_id(),
        chain_id=chain.id,
        parent_episode_id=parent.id if parent else None,
        state="writing",
        opened_by=actor.person(),
        opened_at=at,
        writing_closes_at=writing_ends,
        voting_closes_at=writing_ends + timedelta(hours=chain.rules["voting_hours"]),
    )
    session.add(found)
    session.flush()
    _tell(session, chain, found, "round.opened")
    return found


def propose(session: Session, actor: Actor, round_id: uuid.UUID, title: str, body: str) -> Episode:
    """Offer an episode while the round is in writing. The licence accepted is kept with the text."""
    door = _locked(session, actor, round_id, Permission.VOTE)
    refuse_muted(session, door.group.id, actor.person())
    found, rules = door.round, door.chain.rules
    if found.state != "writing" or found.writing_closes_at <= clock.now():
        raise Conflict("The time for writing is over.", code="writing_closed")
    if len(body) > rules["max_chars"]:
        raise Invalid(errors={"body": [f"Episodes of this story have at most {rules['max_chars']} characters."]})
    mine = [each for each in chain_queries.proposals_of(session, found) if each.author_id == actor.person()]
    if len(mine) >= rules["proposals_per_member"]:
        raise Conflict("You have proposed as many episodes as one may.", code="too_many_proposals")
    parent = session.get(Episode, found.parent_episode_id) if found.parent_episode_id else None
    episode = Episode(
        id=new_id(),
        chain_id=found.chain_id,
        round_id=found.id,
        parent_id=found.parent_episode_id,
        depth=parent.depth + 1 if parent else 1,
        author_id=actor.person(),
        title=title,
        body=body,
        licence=rules["licence"],
        state="proposed",
        written_at=clock.now(),
    )
    session.add(episode)
    session.flush()
    tellings.changed(session, KIND, found.id)
    return episode


def like(session: Session, actor: Actor, episode_id: uuid.UUID, *, present: bool) -> None:
    """Like a proposal, or take the like back, until the vote begins."""
    door = round_of_proposal(session, actor, episode_id, Permission.VOTE)
    door = _locked(session, actor, door.round.id, Permission.VOTE)
    if door.round.state not in ("writing", "shortlist"):
        raise Conflict("Proposals are liked before the vote.", code="writing_closed")
    key = {"episode_id": episode_id, "user_id": actor.person()}
    if present:
        changed = session.execute(
            insert(EpisodeLike).values(**key).on_conflict_do_nothing().returning(EpisodeLike.user_id)
        ).all()
    else:
        changed = session.execute(delete(EpisodeLike).filter_by(**key).returning(EpisodeLike.user_id)).all()
    if changed:
        tellings.changed(session, KIND, door.round.id)


def vote(session: Session, actor: Actor, round_id: uuid.UUID, body: Mapping[str, Any]) -> str:
    """Cast or replace one's ballot; returns the receipt."""
    door = round_by_id(session, actor, round_id, Permission.VOTE)
    if door.round.state in ("writing", "shortlist"):
        raise Conflict("The vote has not begun.", code="poll_not_open")
    box = session.get(BallotBox, round_id)
    if box is None:
        raise Conflict("This round ended without a vote.", code="poll_closed")
    ballots.refuse_closed(box)
    hold(session, door.group.id, actor.person())
    ballots.enter(session, round_id)
    door = round_by_id(session, actor, round_id, Permission.VOTE)
    box = session.get_one(BallotBox, round_id, populate_existing=True)
    receipt = ballots.cast(session, actor, box, door.standing, body)
    tellings.changed(session, KIND, round_id)
    return receipt


def advance(session: Session, actor: Actor, round_id: uuid.UUID, shortlist: Sequence[uuid.UUID] | None) -> Round:
    """End the present phase by hand. Where the rules leave the shortlist to the creator, it is given here."""
    door = _locked(session, actor, round_id, Permission.RUN_VOTES)
    if door.round.state not in UNDER_WAY:
        raise Conflict("This round is over.", code="round_closed")
    if shortlist is not None and (door.chain.rules["shortlist"] != "creator" or door.round.state == "voting"):
        raise Conflict("The shortlist of this round is not chosen by hand.", code="no_shortlist")
    _step(session, door.round, door.chain, door.group, door.channel, shortlist)
    return door.round


def veto(session: Session, actor: Actor, round_id: uuid.UUID, reason: str) -> Round:
    """The creator's no, with its reason for everybody to read. The result of the vote is published all the same."""
    door = _locked(session, actor, round_id, Permission.MANAGE_GROUP)
    found, chain = door.round, door.chain
    if not chain.rules["veto"]:
        raise Conflict("The rules of this story know no veto.", code="no_veto")
    if found.state == "void":
        raise Conflict("This round is over.", code="round_closed")
    outcome = _outcome(session, found, door.group, door.channel)
    for_whom = found.winner_id or _winner(outcome)
    if found.state == "decided" and chain.head_episode_id != found.winner_id:
        raise Conflict("The story has gone on from there. Move its head instead.", code="story_went_on")
    _settle(session, found)
    if for_whom is not None:
        session.get_one(Episode, for_whom).state = "vetoed"
    if chain.head_episode_id == for_whom and for_whom is not None:
        chain.head_episode_id = found.parent_episode_id
    found.state, found.winner_id, found.decided_at = "void", None, clock.now()
    found.vetoed, found.reason = True, reason
    audit.note(session, door.group, actor, "round.vetoed", subject_id=found.id, reason=reason)
    _tell_decided(session, chain, found, outcome)
    return found


def result(session: Session, door: RoundDoor) -> dict[str, Any]:
    """The contract's Result of a round that has come to the vote."""
    box = session.get(BallotBox, door.round.id)
    if box is None:
        raise Conflict("There is no vote in this round.", code="poll_not_open")
    return counting.result_of(session, box, door.group, door.channel.min_tier_rank)


def keep_time(session: Session) -> int:
    """End every phase that is over; returns how many rounds moved on. Skips what another transaction holds; one round
    that fails does not hold up the others."""
    at = clock.now()
    due = session.scalars(
        select(Chain.id)
        .join(Round, Round.chain_id == Chain.id)
        .where(chain_queries.is_due(at))
        .order_by(Chain.channel_id, Chain.id)  # streams are locked in the order of their ids
        .limit(BATCH)
    ).all()
    moved = 0
    for chain_id in due:
        try:
            with session.begin_nested():
                moved += _keep(session, chain_id, at)
        except Exception as error:
            log.error("round_keeps_no_time", chain=str(chain_id), error=type(error).__name__, exc_info=error)
    return moved


def _keep(session: Session, chain_id: uuid.UUID, at: datetime) -> bool:
    chain = session.scalars(
        select(Chain)
        .where(Chain.id == chain_id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    found = chain_queries.open_rounds(session, [chain_id]).get(chain_id) if chain else None
    if chain is None or found is None:
        return False
    session.refresh(found, with_for_update=True)
    if not chain_queries.phase_is_over(found, at):
        return False
    channel = session.get_one(Channel, chain.channel_id)
    _step(session, found, chain, session.get_one(Group, chain.group_id), channel, None)
    return True


def _locked(session: Session, actor: Actor, round_id: uuid.UUID, permission: Permission) -> RoundDoor:
    """Door, locks, door again: strangers never hold a lock, and what the locks waited for is seen."""
    door = round_by_id(session, actor, round_id, permission)
    if permission is Permission.VOTE:
        hold(session, door.group.id, actor.person())
    chains.lock(session, door.chain.id)
    session.refresh(door.round, with_for_update=True)
    return round_by_id(session, actor, round_id, permission)


def _step(
    session: Session,
    found: Round,
    chain: Chain,
    group: Group,
    channel: Channel,
    chosen: Sequence[uuid.UUID] | None,
) -> None:
    """The next phase of a locked round."""
    if found.state == "voting":
        _decide(session, found, chain, group, channel)
        return
    proposals = chain_queries.proposals_of(session, found)
    if not proposals:
        _end_void(session, chain, found, None, "no_proposals")
    elif found.state == "writing" and chain.rules["shortlist"] == "creator" and chosen is None:
        found.state = "shortlist"
        tellings.changed(session, KIND, found.id)
    else:
        _begin_voting(session, found, chain, _shortlist(session, chain, proposals, chosen))


def _shortlist(
    session: Session, chain: Chain, proposals: Sequence[Episode], chosen: Sequence[uuid.UUID] | None
) -> list[Episode]:
    """Who stands for the vote: the creator's choice, everybody, or the most liked (the earlier first among equals).
    A creator who never chooses leaves it to the likes, so that no story waits for ever."""
    if chosen is not None:
        by_id = {each.id: each for each in proposals}
        if not set(chosen) <= set(by_id):
            raise Invalid(errors={"shortlist": ["Name proposals of this round."]})
        return [by_id[each] for each in dict.fromkeys(chosen)]
    if chain.rules["shortlist"] == "none":
        return list(proposals)
    likes = chain_queries.likes_of(session, [each.id for each in proposals])
    ranked = sorted(proposals, key=lambda each: (-likes[each.id], each.id))
    return ranked[: chain.rules["shortlist_size"]]


def _begin_voting(session: Session, found: Round, chain: Chain, shortlist: Sequence[Episode]) -> None:
    rules = chain.rules
    found.state = "voting"
    found.voting_closes_at = clock.now() + timedelta(hours=rules["voting_hours"])
    box = ballots.open_box(
        session,
        chain.channel_id,
        box_id=found.id,
        method=rules["method"],
        seats=1,
        min_choices=1,
        max_choices=1 if rules["method"] == "plurality" else None,
        identity="anonymous",
        results="live",
        revote=True,
        min_tier_rank=0,
        min_member_hours=rules["min_member_hours"],
        weights=rules["weights"],
        quorum=rules["quorum"],
        closes_at=found.voting_closes_at,
    )
    for position, episode in enumerate(shortlist):
        episode.shortlisted = True
        session.add(Option(id=episode.id, box_id=box.id, position=position, text=episode.title))
    session.flush()
    _tell(session, chain, found, "round.voting")


def _decide(session: Session, found: Round, chain: Chain, group: Group, channel: Channel) -> None:
    outcome = _outcome(session, found, group, channel)
    winner_id = _winner(outcome)
    if winner_id is None:
        _end_void(session, chain, found, outcome, "no_votes" if outcome and not outcome["turnout"] else "no_quorum")
        return
    _settle(session, found)
    found.state, found.winner_id, found.decided_at = "decided", winner_id, clock.now()
    _tell_decided(session, chain, found, outcome)
    chains.set_head(session, chain, session.get_one(Episode, winner_id))


def _end_void(session: Session, chain: Chain, found: Round, outcome: dict[str, Any] | None, reason: str) -> None:
    _settle(session, found)
    found.state, found.decided_at, found.reason = "void", clock.now(), reason
    _tell_decided(session, chain, found, outcome)


def _outcome(session: Session, found: Round, group: Group, channel: Channel) -> dict[str, Any] | None:
    """The published result; counts and closes the box when that has not been done."""
    if session.get(BallotBox, found.id) is None:
        return None
    box = ballots.lock(session, found.id)
    return box.result if box.result is not None else counting.close(session, box, group, channel.min_tier_rank)


def _winner(outcome: dict[str, Any] | None) -> uuid.UUID | None:
    return uuid.UUID(outcome["winner_ids"][0]) if outcome and outcome["winner_ids"] else None


def _settle(session: Session, found: Round) -> None:
    """Every proposal becomes a branch that can be read, whatever the vote says of it."""
    for episode in chain_queries.proposals_of(session, found):
        if episode.state == "proposed":
            episode.state = "alternate"


def _tell(session: Session, chain: Chain, found: Round, kind: str) -> None:
    wire = chain_queries.round_wire(session, found, chain.rules["method"])
    streams.append(session, chain.channel_id, kind, wire, subject_id=found.id)


def _tell_decided(session: Session, chain: Chain, found: Round, outcome: dict[str, Any] | None) -> None:
    data = {
        "id": str(found.id),
        "winner_id": str(found.winner_id) if found.winner_id else None,
        "result": outcome,
        "vetoed": found.vetoed,
        "reason": found.reason,
    }
    session.flush()
    streams.append(session, chain.channel_id, "round.decided", data, subject_id=found.id)


@tellings.teller(KIND)
def _running(session: Session, round_id: uuid.UUID) -> tellings.News | None:
    """Proposals or likes changed: clients fetch the round anew. In the vote: the tally as it runs."""
    found = session.get(Round, round_id, populate_existing=True)
    if found is None or found.state not in UNDER_WAY:
        return None
    channel_id = session.get_one(Chain, found.chain_id).channel_id
    box = session.get(BallotBox, round_id, populate_existing=True)
    return tellings.News(channel_id, TALLIED, counting.figures(session, box) if box else {})
