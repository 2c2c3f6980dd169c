"""Asks a process of its own to read and re-encode an uploaded picture (see picture_worker)."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from creator_hub.core.errors import Invalid

WORKER = Path(__file__).with_name("picture_worker.py")
PATIENCE_S = 20
REFUSED = 2


@dataclass(frozen=True, slots=True)
class Picture:
    """`kind` is a content type, sizes are pixels."""

    kind: str
    width: int
    height: int
    full: bytes
    thumbnail: bytes


def prepare(data: bytes) -> Picture:
    """Clean a picture; raises Invalid with the reason when it is none, or is too much for the worker's limits."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(WORKER)], input=data, capture_output=True, timeout=PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise Invalid(errors={"file": ["The picture took too long to read."]}) from None
    if done.returncode == REFUSED:
        raise Invalid(errors={"file": [done.stderr.decode()]})
    if done.returncode != 0:  # ended by its limits
        raise Invalid(errors={"file": ["The picture is too much to read."]})
    line, images = done.stdout.split(b"\n", 1)
    header = json.loads(line)
    full = header["full"]
    return Picture(header["kind"], header["width"], header["height"], images[:full], images[full:])
