"""gunicorn's settings: `gunicorn -c creator_hub/gunicorn.py wsgi:app`. gevent patches the process before all else."""

from gevent import monkey

monkey.patch_all()

import gc  # noqa: E402 - after the patch, on purpose
import os  # noqa: E402
from typing import Any  # noqa: E402

bind = f"{os.environ.get('HUB_BIND', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gevent"
workers = int(os.environ.get("HUB_WEB_PROCESSES", "2"))
worker_connections = 12_000
backlog = 4096
keepalive = 30
graceful_timeout = 10
timeout = 60
accesslog = None
errorlog = "-"
loglevel = "warning"


def post_worker_init(worker: Any) -> None:
    """What was loaded by now lives as long as the process: the collector need not look at it again and again, which
    would hold every socket up for a tenth of a second."""
    gc.collect()
    gc.freeze()


def worker_exit(server: Any, worker: Any) -> None:
    """Say goodbye to the open sockets, so that they come back elsewhere at once."""
    sockets = getattr(worker.wsgi, "extensions", {}).get("socketio")
    if sockets is not None and hasattr(sockets.server.eio, "close_all"):
        sockets.server.eio.close_all()
