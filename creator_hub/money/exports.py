"""Exports: asked for by finance, made by a job, refused when their totals disagree with the ledger.

The same request over a closed period gives the same bytes: rows come in a fixed order, names are those of the time, and
nothing about the moment of asking is in the file. That is in the manifest.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from creator_hub.accounts.doors import rights_of, user_by_id
from creator_hub.core import clock, outbox
from creator_hub.core.access import Actor, Permission, allows
from creator_hub.core.db import unit_of_work
from creator_hub.core.errors import Conflict, Invalid, NotFound
from creator_hub.core.ids import new_id
from creator_hub.core.schemas import rfc3339
from creator_hub.money import export_files, reconciliation
from creator_hub.money.export_bank_files import NachaFile, Pain001File
from creator_hub.money.export_beancount import BeancountFile
from creator_hub.money.export_deferred import DeferredTable
from creator_hub.money.export_files import ENDINGS, CannotBeWritten, ExportFile
from creator_hub.money.export_ledger import LedgerTable
from creator_hub.money.export_models import EXPORT_FORMATS, Export
from creator_hub.money.export_payouts import PayoutTable
from creator_hub.money.export_pdf import StatementPdf
from creator_hub.money.export_reconciliation import ReconciliationTable
from creator_hub.money.export_shares import CreatorTaxTable, RevenueTable, TaxTable
from creator_hub.money.export_sheets import CsvFile, XlsxFile
from creator_hub.money.export_statement import StatementTable
from creator_hub.money.export_table import Table, Verdict
from creator_hub.money.ledger_models import LedgerAccount, LedgerTransaction

TOPIC = "money.export"
LEDGER_LOCK = 7_260_120  # everybody who posts holds it shared until the commit
DECIDED = ("ready", "refused")
SHOWN = 20
RIGHT_LOST = "Whoever asked for this file may no longer have it."
BANK_CURRENCY = {"pain.001": "EUR", "nacha": "USD"}
TABLES: Mapping[str, Callable[[Export], Table]] = {
    "payout_reconciliation": ReconciliationTable,
    "payouts": PayoutTable,
    "creator_statement": StatementTable,
    "ledger": LedgerTable,
    "revenue": RevenueTable,
    "deferred_revenue": DeferredTable,
    "tax": TaxTable,
    "creator_tax_report": CreatorTaxTable,
}
FILES: Mapping[str, type[ExportFile]] = {
    "csv": CsvFile,
    "xlsx": XlsxFile,
    "pdf": StatementPdf,
    "beancount": BeancountFile,
    "pain.001": Pain001File,
    "nacha": NachaFile,
}


def ask(
    session: Session,
    actor: Actor,
    *,
    kind: str,
    format: str,
    period_from: datetime,
    period_to: datetime,
    currency: str | None,
    creator_id: uuid.UUID | None,
) -> Export:
    """Have a file made. Raises Invalid, by field, for what cannot be made: an empty period, a format that the kind does
    not have, a statement of nobody, or when it is not clear which currency is meant."""
    currency = currency or _only_currency(session)
    errors = _impossible(kind, format, currency, creator_id)
    if period_from >= period_to:
        errors["to"] = ["The period must end after it begins."]
    if errors:
        raise Invalid(errors=errors)
    if creator_id is not None:
        user_by_id(session, creator_id)
    export = Export(
        id=new_id(),
        kind=kind,
        format=format,
        period_from=period_from,
        period_to=period_to,
        currency=currency,
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


def _impossible(kind: str, format: str, currency: str, creator_id: uuid.UUID | None) -> dict[str, list[str]]:
    errors = {}
    if format not in EXPORT_FORMATS[kind]:
        errors["format"] = [f"This kind comes as {', '.join(EXPORT_FORMATS[kind])}."]
    if kind == "creator_statement" and creator_id is None:
        errors["creator"] = ["Say whose statement it is to be."]
    if format == "beancount" and creator_id is not None:
        errors["creator"] = ["One creator's postings do not balance alone. Ask for CSV, or for everybody."]
    if BANK_CURRENCY.get(format, currency) != currency:
        errors["currency"] = [f"This format carries {BANK_CURRENCY[format]} only."]
    return errors


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
    return f"{export.kind}_{'_'.join(days)}_{export.currency}.{ENDINGS[export.format]}"


def make(export_id: uuid.UUID) -> None:
    """Make one export's file. Safe to repeat: a repeat starts over, also after a failure; what was decided stays."""
    try:
        if _needs_stripe(export_id):
            reconciliation.sync()
        begun = _begin(export_id)
        if begun is not None:
            _write(*begun)
    except CannotBeWritten as reason:
        _failed(export_id, str(reason))
    except Exception as failure:
        _failed(export_id, type(failure).__name__)
        raise


def _needs_stripe(export_id: uuid.UUID) -> bool:
    """Only Stripe's own account of the money has to be asked for; the ledger is here."""
    with unit_of_work() as session:
        return by_id(session, export_id).kind == "payout_reconciliation"


def _begin(export_id: uuid.UUID) -> tuple[Export, Table] | None:
    """Fix the position that the file shows the ledger at: nothing below it can be committed any more."""
    with unit_of_work() as session:
        export = _undecided(session, export_id)
        if export is None:
            return None
        if not allows(Permission.EXPORT_FINANCE, rights_of(session, export.requested_by)):
            export.state, export.error, export.finished_at = "refused", RIGHT_LOST, clock.now()
            return None
        session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": LEDGER_LOCK})
        export.state, export.error, export.rows_done = "running", None, 0
        export.position = session.scalar(select(func.coalesce(func.max(LedgerTransaction.position), 0)))
        table = TABLES[export.kind](export)
        export.rows_total = table.count(session)
        return export, table


def _undecided(session: Session, export_id: uuid.UUID) -> Export | None:
    """The export, locked; None when another worker has decided it already."""
    export = session.get_one(Export, export_id, with_for_update=True)
    return None if export.state in DECIDED else export


def _failed(export_id: uuid.UUID, error: str) -> None:
    with unit_of_work() as session:
        export = _undecided(session, export_id)
        if export is not None:
            export.state, export.error = "failed", error


def _write(export: Export, table: Table) -> None:
    with FILES[export.format](export, table.columns) as file:
        for rows in table.chunks():
            file.write(rows)
            _progress(export.id, file.rows)
        file.finish()
        with unit_of_work() as session:
            verdict = table.verdict(session)
        _end(export, file, verdict)


def _progress(export_id: uuid.UUID, rows: int) -> None:
    with unit_of_work() as session:
        export = _undecided(session, export_id)
        if export is not None:
            export.rows_done = min(rows, export.rows_total)


def _end(export: Export, file: ExportFile, verdict: Verdict) -> None:
    """Publish the file with its manifest, or refuse it: a file that disagrees is never adjusted nor given out. The
    export's row is locked meanwhile, so that file, manifest and row are those of one worker."""
    with unit_of_work() as session:
        row = _undecided(session, export.id)
        if row is None:
            return
        row.rows_done = row.rows_total = file.rows
        row.position, row.finished_at = export.position, clock.now()
        if verdict.difference:
            row.state, row.difference_minor, row.error = "refused", verdict.difference, verdict.error
            return
        row.state, row.sha256 = "ready", file.publish()
        export_files.write_manifest(export, _manifest(export, file.rows, row.sha256, verdict.controls))


def _manifest(export: Export, rows: int, digest: str, controls: dict[str, Any]) -> dict[str, Any]:
    return {
        "file": name_of(export),
        "kind": export.kind,
        "format": export.format,
        "from": rfc3339(export.period_from),
        "to": rfc3339(export.period_to),
        "currency": export.currency,
        "creator_id": str(export.creator_id) if export.creator_id else None,
        "rows": rows,
        "sha256": digest,
        "control_totals": controls,
        "ledger_position": export.position,
    }
