"""Files for finance, and Stripe's own account of the money that they are held against."""

from __future__ import annotations

import uuid
from typing import Any

from creator_hub.core import logs
from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import job
from creator_hub.money import exports, reconciliation

log = logs.get(__name__)


@job(exports.TOPIC, transaction=False)
def make_export(payload: dict[str, Any]) -> None:
    exports.make(uuid.UUID(payload["export_id"]))


@job(reconciliation.TOPIC, transaction=False)
def reconcile(payload: dict[str, Any]) -> None:
    """Read on, and say where the ledger and Stripe differ: what is under way settles by itself, the rest stays."""
    reconciliation.sync()
    with unit_of_work() as session:
        found = reconciliation.differences(session)
        explained = reconciliation.explain(session) if found else []
    for currency, difference in found.items():
        log.warning("processor_differs", currency=currency, difference=difference, entries=explained)
