"""Money that is sent, and the ledger's own check."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from creator_hub.core import logs
from creator_hub.core.edge import job
from creator_hub.money import ledger, minimum_balance, payout_transfers, payouts

log = logs.get(__name__)


@job(payouts.SEND, transaction=False)
def send_payout(payload: dict[str, Any]) -> None:
    payout_transfers.send(uuid.UUID(payload["payout_id"]))


@job(minimum_balance.TOPIC, transaction=False)
def keep_back(payload: dict[str, Any]) -> None:
    minimum_balance.keep_back()


def check_ledger(session: Session) -> None:
    """Hourly: an unclean ledger is shouted about, never repaired."""
    for problem in ledger.check(session):
        log.error("ledger_problem", problem=problem)
