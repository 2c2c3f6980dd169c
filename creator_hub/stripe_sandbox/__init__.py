"""A stateful stand-in for Stripe: the official client talks to it unchanged over HTTP, on loopback only.

Run it with `python -m creator_hub.stripe_sandbox --port 8100 --data var/stripe`. README.md tells what it can do.
"""
