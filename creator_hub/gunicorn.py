"""gunicorn's settings: `gunicorn -c creator_hub/gunicorn.py wsgi:app`. gevent patches the process before all else."""

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402 - after the patch, on purpose

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
