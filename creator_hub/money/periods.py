"""Closing a month of the ledger: nothing that occurred in it can be posted any more (migration 0006 refuses it)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from creator_hub.core import clock
from creator_hub.core.access import Actor
from creator_hub.core.errors import Conflict, NotFound
from creator_hub.money import recognition
from creator_hub.money.ledger_models import LedgerPeriod

PERIODS_LOCK = 7_260_120  # posting takes it shared (migration 0006): closing waits for what is being posted
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])\Z")


def close(session: Session, actor: Actor, month: str) -> LedgerPeriod:
    """Close `yyyy-mm` for good, with all that was earned in it. A month that has not ended cannot be closed."""
    first = _first_day(month)
    over = datetime(first.year + first.month // 12, first.month % 12 + 1, 1, tzinfo=UTC)
    recognition.earn_all_due(session, min(over, clock.now()))
    session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": PERIODS_LOCK})
    at = clock.now()
    if at < over:
        raise Conflict("This month has not ended yet. Close it once it is over.", code="period_not_over")
    if session.get(LedgerPeriod, first) is not None:
        raise Conflict("This month is closed already.", code="period_closed")
    period = LedgerPeriod(month=first, closed_at=at, closed_by=actor.person())
    session.add(period)
    session.flush()
    return period


def _first_day(month: str) -> date:
    found = _MONTH.match(month)
    if found is None:
        raise NotFound
    return date(int(found[1]), int(found[2]), 1)
