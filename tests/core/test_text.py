"""Text from people, as it comes over either wire."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError

from creator_hub.core.schemas import Text


@pytest.mark.parametrize("hostile", ["a\x00b", "half a pair \ud83d"])
def test_text_that_cannot_be_stored_is_the_senders_error(hostile: str) -> None:
    with pytest.raises(ValidationError, match="cannot be stored"):
        Text(longest=100).deserialize(hostile)


def test_whole_emoji_pass() -> None:
    assert Text(longest=100).deserialize(" 👩‍🚀 ") == "👩‍🚀"
