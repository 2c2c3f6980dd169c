"""Where the bytes of exports lie, how they get there, and the manifest beside them.

A file is written under a name of its own and put in place when it is whole: two workers that make the same export do
not disturb each other, and nobody reads half a file.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from creator_hub import settings
from creator_hub.money.export_models import Export
from creator_hub.money.export_table import Column, Row

BLOCK = 64 * 1024
# A spreadsheet takes a text cell that begins with one of these for a formula, and runs it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
ENDINGS = {"csv": "csv", "xlsx": "xlsx", "pdf": "pdf", "beancount": "beancount", "pain.001": "xml", "nacha": "ach"}
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "beancount": "text/plain; charset=utf-8",
    "pain.001": "application/xml",
    "nacha": "text/plain; charset=us-ascii",
}


class CannotBeWritten(Exception):
    """The rows cannot be put into this format; the message tells finance what to mend."""


def folder() -> Path:
    return settings.current().data_dir / "exports"


def file_of(export: Export) -> Path:
    return folder() / f"{export.id}.{ENDINGS[export.format]}"


def manifest_of(export: Export) -> Path:
    return folder() / f"{export.id}.manifest.json"


def defused(text: str | None) -> str:
    """Text that no spreadsheet runs: an apostrophe goes before what looks like a formula."""
    if text is None:
        return ""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


class ExportFile:
    """The base of every format: `write` rows, `finish`, then `publish`; leaving without it drops the file."""

    def __init__(self, export: Export, columns: Sequence[Column]) -> None:
        self.export, self.columns, self.rows = export, columns, 0
        self._final = file_of(export)
        self._part = self._final.with_suffix(f".{uuid.uuid4().hex}.part")

    def __enter__(self) -> Self:
        self._final.parent.mkdir(parents=True, exist_ok=True)
        self.open(self._part)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self._part.unlink(missing_ok=True)

    def write(self, rows: Sequence[Row]) -> None:
        self.add(rows)
        self.rows += len(rows)

    def publish(self) -> str:
        """Put the finished file in place, on disk; returns its SHA-256."""
        with self._part.open("rb+") as whole:
            os.fsync(whole.fileno())
        digest = sha256(self._part)
        os.replace(self._part, self._final)
        return digest

    def open(self, path: Path) -> None:
        """Begin the file."""
        raise NotImplementedError

    def add(self, rows: Sequence[Row]) -> None:
        """Take rows in."""
        raise NotImplementedError

    def finish(self) -> None:
        """Write what is left and close the file. Raises CannotBeWritten."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the file, whatever its state."""


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    for block in blocks(path):
        digest.update(block)
    return digest.hexdigest()


def blocks(path: Path) -> Iterator[bytes]:
    """The file piece by piece; raises FileNotFoundError before the first one."""
    with path.open("rb") as source:
        while block := source.read(BLOCK):
            yield block


def write_manifest(export: Export, content: dict[str, Any]) -> None:
    path = manifest_of(export)
    part = path.with_suffix(f".{uuid.uuid4().hex}.part")
    part.write_bytes(
        orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    )
    os.replace(part, path)
