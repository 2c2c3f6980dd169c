"""Wire shapes of exports."""

from __future__ import annotations

from marshmallow import fields, validate

from creator_hub.core.schemas import MoneyField, Timestamp, WireSchema
from creator_hub.money.export_models import EXPORT_FORMATS, EXPORT_KINDS, Export
from creator_hub.money.finance_schemas import currency_field

FORMATS = tuple(dict.fromkeys(format for formats in EXPORT_FORMATS.values() for format in formats))


class ExportIn(WireSchema):
    """The period begins with `from` and ends before `to`."""

    kind = fields.String(required=True, validate=validate.OneOf(EXPORT_KINDS))
    format = fields.String(load_default="csv", validate=validate.OneOf(FORMATS))
    period_from = Timestamp(required=True, data_key="from")
    period_to = Timestamp(required=True, data_key="to")
    currency = currency_field()
    creator = fields.UUID(load_default=None, allow_none=True)


class ExportOut(WireSchema):
    """`progress` goes from 0 to 1; `difference` says by how much a refused file disagrees with the ledger,
    `error` why, where that is known."""

    id = fields.UUID()
    kind = fields.String()
    format = fields.String()
    period_from = Timestamp(data_key="from")
    period_to = Timestamp(data_key="to")
    currency = fields.String()
    creator = fields.UUID(attribute="creator_id", allow_none=True)
    state = fields.String()
    progress = fields.Float()
    rows = fields.Integer(attribute="rows_done")
    position = fields.Integer(allow_none=True)
    sha256 = fields.String(allow_none=True)
    difference = MoneyField(allow_none=True)
    error = fields.String(allow_none=True)
    download_url = fields.Method("_download_url")
    created_at = Timestamp()
    finished_at = Timestamp(allow_none=True)

    def _download_url(self, export: Export) -> str | None:
        return f"/api/v1/finance/exports/{export.id}/file" if export.state == "ready" else None


class FileQuery(WireSchema):
    """`part`: the file itself, or the manifest beside it."""

    part = fields.String(load_default="data", validate=validate.OneOf(("data", "manifest")))
