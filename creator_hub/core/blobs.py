"""Bytes that do not belong in a database: uploaded media, by key.

`MEDIA_URL` names the place: `file:///path`. A key is a random name; the folder is never served by a web server itself,
because who may see a picture is asked every time.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from urllib.parse import unquote, urlsplit

from creator_hub import settings
from creator_hub.core.errors import NotFound


def put(key: str, data: bytes) -> None:
    """Store under a new key, whole or not at all, on disk before this returns."""
    path = _path(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    with unfinished.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def get(key: str) -> bytes:
    """The bytes; raises NotFound."""
    try:
        return _path(key).read_bytes()
    except FileNotFoundError:
        raise NotFound from None


def delete(key: str) -> None:
    """Remove; what is not there is removed already."""
    _path(key).unlink(missing_ok=True)


def _path(key: str) -> Path:
    url = urlsplit(settings.current().media_url)
    if url.scheme != "file":
        raise ValueError(f"MEDIA_URL must be a file:// address, not {url.scheme}://")
    return Path(unquote(url.path)) / key[:2] / key
