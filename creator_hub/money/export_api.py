"""JSON routes of exports: ask for one, follow it, take its file away."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import Reply, route
from creator_hub.core.errors import Gone
from creator_hub.core.paging import Page, PageRequest, paginate
from creator_hub.core.schemas import ListQuery, page_of
from creator_hub.money import export_files, export_schemas, exports
from creator_hub.money.export_models import Export


@route(
    "POST",
    "/finance/exports",
    permission=Permission.EXPORT_FINANCE,
    body=export_schemas.ExportIn(),
    answer=export_schemas.ExportOut(),
    status=202,
)
def ask_for_export(session: Session, actor: Actor, body: dict[str, Any]) -> Export:
    """Have a file made over a period; follow its state until it is ready or refused."""
    return exports.ask(
        session,
        actor,
        kind=body["kind"],
        format=body["format"],
        period_from=body["period_from"],
        period_to=body["period_to"],
        currency=body["currency"],
        creator_id=body["creator"],
    )


@route(
    "GET",
    "/finance/exports",
    permission=Permission.EXPORT_FINANCE,
    query=ListQuery(),
    answer=page_of(export_schemas.ExportOut),
)
def list_exports(session: Session, actor: Actor, query: PageRequest) -> Page[Export]:
    """Exports, newest first."""
    return paginate(session, select(Export), Export.id, query)


@route(
    "GET",
    "/finance/exports/<uuid:export_id>",
    permission=Permission.EXPORT_FINANCE,
    answer=export_schemas.ExportOut(),
)
def get_export(session: Session, actor: Actor, export_id: uuid.UUID) -> Export:
    """One export: its state, progress, and where its file is."""
    return exports.by_id(session, export_id)


@route(
    "GET",
    "/finance/exports/<uuid:export_id>/file",
    permission=Permission.EXPORT_FINANCE,
    query=export_schemas.FileQuery(),
)
def get_export_file(session: Session, actor: Actor, export_id: uuid.UUID, query: dict[str, str]) -> Reply:
    """The file of a ready export, or with `?part=manifest` what an auditor checks it by."""
    export = exports.ready_file(session, export_id)
    name, kind, path = exports.name_of(export), export_files.TYPES[export.format], export_files.file_of(export)
    if query["part"] == "manifest":
        name, kind, path = f"{name}.manifest.json", "application/json", export_files.manifest_of(export)
    if not path.exists():
        raise Gone("This file has been removed. Ask for the export again.")
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(path.stat().st_size)}
    return Reply(export_files.blocks(path), headers=headers, content_type=kind)
