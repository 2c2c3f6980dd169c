"""`python -m workers [jobs|relay|schedule]`: one role, or all three in one process group (the default)."""

from __future__ import annotations

import sys

from workers.roles import serve, serve_all

if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(sys.argv[1])
    else:
        serve_all()
