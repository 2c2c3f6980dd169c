"""Groups, tiers, channels, memberships, invites, roles, entitlement intervals; a person's standing in a group, now."""
