"""Money: the ledger, the tiers' Stripe counterparts, subscriptions, the Stripe inbox, refunds."""
