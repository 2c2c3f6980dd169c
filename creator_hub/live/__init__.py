"""The Socket.IO edge: connect, join, fan-out, eviction. It knows streams and who is here, not what events mean."""
