"""The bytes of an export: CSV, one row at a time, hashed as it is written, with a manifest beside it."""

from __future__ import annotations

import csv
import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import orjson

from creator_hub import settings

BLOCK = 64 * 1024
# A spreadsheet takes a text cell that begins with one of these for a formula, and runs it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def folder() -> Path:
    return settings.current().data_dir / "exports"


def file_of(export_id: uuid.UUID) -> Path:
    return folder() / f"{export_id}.csv"


def manifest_of(export_id: uuid.UUID) -> Path:
    return folder() / f"{export_id}.manifest.json"


def defused(text: str | None) -> str:
    """Text that no spreadsheet runs: an apostrophe goes before what looks like a formula."""
    if text is None:
        return ""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


class CsvFile:
    """Writes to a name of its own; `publish` puts the finished file in place, leaving without it drops the file.

    Two workers that make the same export do not disturb each other.
    """

    def __init__(self, export_id: uuid.UUID, header: Sequence[str]) -> None:
        self._final = file_of(export_id)
        self._part = self._final.with_suffix(f".{uuid.uuid4().hex}.part")
        self._header = header
        self.rows = 0

    def __enter__(self) -> Self:
        self._final.parent.mkdir(parents=True, exist_ok=True)
        self._out: TextIO = self._part.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._out)
        self._writer.writerow(self._header)
        return self

    def write(self, rows: Iterable[Sequence[str]]) -> None:
        for row in rows:
            self._writer.writerow(row)
            self.rows += 1

    def publish(self) -> str:
        """Put the file in place, on disk; returns its SHA-256."""
        self._out.flush()
        os.fsync(self._out.fileno())
        self._out.close()
        digest = sha256(self._part)
        os.replace(self._part, self._final)
        return digest

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._out.close()
        self._part.unlink(missing_ok=True)


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


def write_manifest(export_id: uuid.UUID, content: dict[str, Any]) -> None:
    path = manifest_of(export_id)
    part = path.with_suffix(f".{uuid.uuid4().hex}.part")
    part.write_bytes(
        orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    )
    os.replace(part, path)
