"""When two options are the same."""

from __future__ import annotations

import unicodedata


def folded(text: str) -> str:
    """The text without regard to case, width, and spaces: "Red  CAKE" is "red cake"."""
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split())
