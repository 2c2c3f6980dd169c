"""Imports every module that binds an outbox topic; importing is what fills `core.edge.JOBS`."""

from __future__ import annotations

from workers import digest, exports, finance, insights, mail, media, payments, promises, voting

MODULES = (digest, exports, finance, insights, mail, media, payments, promises, voting)
