"""Polls and story chains: ballots that stay secret, tallies that anybody can repeat, episodes that fans write."""
