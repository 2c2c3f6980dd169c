"""Q&A to take part in, to present from, and to look up afterwards."""

from __future__ import annotations

import uuid
from typing import Any

from flask import render_template
from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import page
from creator_hub.groups.doors import group_by_handle
from creator_hub.groups.queries import channels_visible_to
from creator_hub.voting import qa_queries
from creator_hub.voting.qa_doors import QaDoor, qa_by_id
from creator_hub.voting.qa_models import LONGEST_ANSWER, LONGEST_QUESTION
from creator_hub.voting.qa_schemas import ArchiveQuery


@page("/g/<handle>/qa", permission=Permission.READ_CHANNEL, query=ArchiveQuery())
def qa_archive(session: Session, actor: Actor, handle: str, query: dict[str, str]) -> str:
    """A group's Q&A sessions, and a search through their questions and answers."""
    door = group_by_handle(session, actor, handle, Permission.READ_CHANNEL)
    words = query["q"].strip()
    sessions = qa_queries.sessions_for(session, door.group, door.standing)
    return render_template(
        "voting/qa_archive.html",
        group=door.group,
        is_staff=door.standing.role in ("creator", "moderator"),
        sessions=[qa_queries.session_wire(each) for each in sessions],
        words=words,
        found=qa_queries.search(session, door.group, door.standing, words) if words else [],
        channels=[(each.id, f"# {each.name}") for each in channels_visible_to(session, door.group, door.standing)],
    )


@page("/qa/<uuid:qa_id>", permission=Permission.READ_CHANNEL)
def qa_page(session: Session, actor: Actor, qa_id: uuid.UUID) -> str:
    """One session: live while it is open, an archive afterwards."""
    door = qa_by_id(session, actor, qa_id, Permission.READ_CHANNEL)
    return render_template("voting/qa.html", **_context(session, actor, door))


@page("/qa/<uuid:qa_id>/present", permission=Permission.RUN_VOTES)
def qa_presenter(session: Session, actor: Actor, qa_id: uuid.UUID) -> str:
    """The creator's view: one question in big type, one key for each step."""
    door = qa_by_id(session, actor, qa_id, Permission.RUN_VOTES)
    return render_template("voting/qa_present.html", **_context(session, actor, door))


def _context(session: Session, actor: Actor, door: QaDoor) -> dict[str, Any]:
    shown = qa_queries.sessions_wire(session, [door.qa], viewer=actor.person(), is_staff=door.is_staff)[0]
    return {
        "group": door.group,
        "is_staff": door.is_staff,
        "qa": shown,
        "page": {"qa": shown, "is_staff": door.is_staff},
        "longest_question": LONGEST_QUESTION,
        "longest_answer": LONGEST_ANSWER,
    }
