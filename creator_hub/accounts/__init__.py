"""People, sign-in, sessions and devices, API tokens."""
