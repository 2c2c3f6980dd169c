"""Exports: asked for by finance, made by a job, refused when their totals disagree with the ledger.

The same request over a closed period gives the same bytes: rows come in a fixed order and nothing about the moment of
asking is in the file. That is in the manifest.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from creator_hub.accounts.doors import user_by_id
from creator_hub.core import clock, outbox
from creator_hub.core.access import Actor
from creator_hub.core.db import unit_of_work
from creator_hub.core.errors import Conflict, Invalid, NotFound
from creator_hub.core.ids import new_id
from creator_hub.core.schemas import rfc3339
from creator_hub.money import export_files, export_ledger, export_reconciliation, reconciliation
from creator_hub.money.export_files import CsvFile
from creator_hub.money.export_models import Export
from creator_hub.money.ledger_models import LedgerAccount, LedgerTransaction

TOPIC = "money.export"
LEDGER_LOCK = 7_260_120  # everybody who posts holds it shared until the commit
DECIDED = ("ready", "refused")
SHOWN = 20
MOST_NAMED = 5


def ask(
    session: Session,
    actor: Actor,
    *,
    kind: str,
    period_from: datetime,
    period_to: datetime,
    currency: str | None,
    creator_id: uuid.UUID | None,
) -> Export:
    """Have a file made. Raises Invalid for an empty period, or when it is not clear which currency is meant."""
    if period_from >= period_to:
        raise Invalid(errors={"to": ["The period must end after it begins."]})
    if creator_id is not None:
        user_by_id(session, creator_id)
    export = Export(
        id=new_id(),
        kind=kind,
        period_from=period_from,
        period_to=period_to,
        currency=currency or _only_currency(session),
        creator_id=creator_id,
        state="queued",
        rows_total=0,
        rows_done=0,
        requested_by=actor.person(),
        created_at=clock.now(),
    )
    session.add(export)
    outbox.record(session, TOPIC, {"export_id": str(export.id)}, key=str(export.id))
    return export


def currencies(session: Session) -> list[str]:
    """Every currency the ledger knows."""
    return list(session.scalars(select(LedgerAccount.currency).distinct().order_by(LedgerAccount.currency)))


def _only_currency(session: Session) -> str:
    found = currencies(session)
    if len(found) != 1:
        raise Invalid(errors={"currency": ["Say which currency the file is to be in."]})
    return found[0]


def by_id(session: Session, export_id: uuid.UUID) -> Export:
    export = session.get(Export, export_id)
    if export is None:
        raise NotFound
    return export


def newest(session: Session) -> Sequence[Export]:
    return session.scalars(select(Export).order_by(Export.id.desc()).limit(SHOWN)).all()


def ready_file(session: Session, export_id: uuid.UUID) -> Export:
    """An export whose file can be taken away. Raises Conflict `not_ready` for one that is not made, or was refused."""
    export = by_id(session, export_id)
    if export.state != "ready":
        raise Conflict("This file is not there: its state is %(state)s.", code="not_ready", state=export.state)
    return export


def name_of(export: Export) -> str:
    """`payout_reconciliation_2026-11-01_2026-12-01_USD.csv`"""
    days = (moment.astimezone(UTC).strftime("%Y-%m-%d") for moment in (export.period_from, export.period_to))
    return f"{export.kind}_{'_'.join(days)}_{export.currency}.csv"


def make(export_id: uuid.UUID) -> None:
    """Make one export's file. Safe to repeat: a repeat starts over, also after a failure; what was decided stays."""
    try:
        reconciliation.sync()
        export = _begin(export_id)
        if export is None:
            return
        if export.kind == "ledger":
            _make_ledger(export)
        else:
            _make_reconciliation(export)
    except Exception as failure:
        _failed(export_id, type(failure).__name__)
        raise


def _begin(export_id: uuid.UUID) -> Export | None:
    """Fix the position that the file shows the ledger at: nothing below it can be committed any more."""
    with unit_of_work() as session:
        export = _undecided(session, export_id)
        if export is None:
            return None
        session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": LEDGER_LOCK})
        export.state, export.error, export.rows_done = "running", None, 0
        export.position = session.scalar(select(func.coalesce(func.max(LedgerTransaction.position), 0)))
        if export.kind == "ledger":
            export.rows_total = export_ledger.in_ledger(session, export).rows
        else:
            export.rows_total = export_reconciliation.count(session, export)
        return export


def _undecided(session: Session, export_id: uuid.UUID) -> Export | None:
    """The export, locked; None when another worker has decided it already."""
    export = session.get_one(Export, export_id, with_for_update=True)
    return None if export.state in DECIDED else export


def _failed(export_id: uuid.UUID, error: str) -> None:
    with unit_of_work() as session:
        export = _undecided(session, export_id)
        if export is not None:
            export.state, export.error = "failed", error


def _make_ledger(export: Export) -> None:
    totals = export_ledger.Totals()
    with CsvFile(export.id, export_ledger.COLUMNS) as file:
        for rows in export_ledger.chunks(export, totals):
            file.write(rows)
            _progress(export.id, file.rows)
        with unit_of_work() as session:
            expected = export_ledger.in_ledger(session, export)
        controls = {"file": totals.as_json(), "ledger": expected.as_json()}
        _end(export, file, export_ledger.difference(export, totals, expected), controls)


def _make_reconciliation(export: Export) -> None:
    totals = export_reconciliation.Totals()
    with CsvFile(export.id, export_reconciliation.COLUMNS) as file:
        for rows in export_reconciliation.chunks(export, totals):
            file.write(rows)
            _progress(export.id, file.rows)
        with unit_of_work() as session:
            export_reconciliation.add_payouts(session, export, totals)
            unexplained = export_reconciliation.unexplained(session, export)
        if unexplained:
            export.error = f"Stripe has not itemised {', '.join(unexplained[:MOST_NAMED])}."
        _end(export, file, export_reconciliation.difference(totals), totals.as_json())


def _progress(export_id: uuid.UUID, rows: int) -> None:
    with unit_of_work() as session:
        export = _undecided(session, export_id)
        if export is not None:
            export.rows_done = min(rows, export.rows_total)


def _end(export: Export, file: CsvFile, difference: int, controls: dict[str, Any]) -> None:
    """Publish the file with its manifest, or refuse it: a file that disagrees is never adjusted nor given out. The
    export's row is locked meanwhile, so that file, manifest and row are those of one worker."""
    with unit_of_work() as session:
        row = _undecided(session, export.id)
        if row is None:
            return
        row.rows_done = row.rows_total = file.rows
        row.position, row.finished_at = export.position, clock.now()
        if difference:
            row.state, row.difference_minor, row.error = "refused", difference, export.error
            return
        row.state, row.sha256 = "ready", file.publish()
        export_files.write_manifest(export.id, _manifest(export, file.rows, row.sha256, controls))


def _manifest(export: Export, rows: int, digest: str, controls: dict[str, Any]) -> dict[str, Any]:
    return {
        "file": name_of(export),
        "kind": export.kind,
        "from": rfc3339(export.period_from),
        "to": rfc3339(export.period_to),
        "currency": export.currency,
        "creator_id": str(export.creator_id) if export.creator_id else None,
        "rows": rows,
        "sha256": digest,
        "control_totals": controls,
        "ledger_position": export.position,
    }
