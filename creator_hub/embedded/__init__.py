"""A private PostgreSQL and Valkey for a machine that has neither: development, tests, small installs."""

from creator_hub.embedded.postgres import EmbeddedPostgres
from creator_hub.embedded.valkey import EmbeddedValkey

__all__ = ["EmbeddedPostgres", "EmbeddedValkey"]
