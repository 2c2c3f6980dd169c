"""Every table of the house in one import, for migrations and for whoever opens the database."""

from __future__ import annotations

import importlib

ROOMS = (
    "creator_hub.core.clock",
    "creator_hub.core.idempotency",
    "creator_hub.core.outbox",
    "creator_hub.streams.models",
    "creator_hub.accounts.models",
    "creator_hub.groups.models",
    "creator_hub.chat.models",
    "creator_hub.voting.models",
    "creator_hub.voting.chain_models",
    "creator_hub.voting.qa_models",
    "creator_hub.voting.season_models",
    "creator_hub.voting.tellings",
    "creator_hub.money.ledger_models",
    "creator_hub.money.names",
    "creator_hub.money.billing_models",
    "creator_hub.money.payout_models",
    "creator_hub.money.bank_details",
    "creator_hub.money.export_models",
    "creator_hub.promises.models",
    "creator_hub.insights.models",
    "creator_hub.moderation.models",
    "creator_hub.insights.holdout_models",
)

for _room in ROOMS:
    importlib.import_module(_room)
