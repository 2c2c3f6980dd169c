"""The page of definitions says what the tooltips say."""

from __future__ import annotations

from pathlib import Path

from creator_hub.insights.measures import as_document


def test_docs_measures_is_the_list_that_the_pages_show() -> None:
    assert (Path(__file__).parents[2] / "docs" / "measures.md").read_text() == as_document()
