"""The WSGI entry: `gunicorn -c creator_hub/gunicorn.py wsgi:app`, `flask --app wsgi …`."""

from creator_hub import cli
from creator_hub.app import create_app

app = create_app()
cli.install(app)
