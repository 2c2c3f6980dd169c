"""Reports of messages, and what came of them."""
