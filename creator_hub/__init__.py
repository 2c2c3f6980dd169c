"""Creator Hub: fan groups with paid tiers, live chat, votes, story chains and a ledger that closes to the cent."""

__version__ = "0.1.0"
