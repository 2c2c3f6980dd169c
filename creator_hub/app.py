"""Where the rooms meet the web: `create_app` wires settings, database, hints, limits, pages, API and live edge."""

from __future__ import annotations

import importlib
from pathlib import Path

from flask import Flask
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from creator_hub import settings
from creator_hub.core import db, limits, logs
from creator_hub.live.server import LiveEdge
from creator_hub.settings import Settings
from creator_hub.streams import hints
from creator_hub.web import binding, health, problems, shell
from creator_hub.web.headers import SafeAnswers

MAX_BODY_BYTES = 2 * 1024 * 1024
# Importing them is what declares their routes and socket events.
ROOM_MODULES = (
    "creator_hub.accounts.api",
    "creator_hub.accounts.pages",
    "creator_hub.groups.api",
    "creator_hub.groups.staff_api",
    "creator_hub.groups.pages",
    "creator_hub.chat.api",
    "creator_hub.chat.uploads_api",
    "creator_hub.chat.pages",
    "creator_hub.chat.sockets",
    "creator_hub.voting.poll_api",
    "creator_hub.voting.chain_api",
    "creator_hub.voting.qa_api",
    "creator_hub.voting.qa_pages",
    "creator_hub.voting.pages",
    "creator_hub.voting.season_api",
    "creator_hub.voting.story_pages",
    "creator_hub.money.adjustment_api",
    "creator_hub.money.finance_api",
    "creator_hub.money.export_api",
    "creator_hub.money.finance_pages",
    "creator_hub.money.payout_account_api",
    "creator_hub.money.billing_api",
    "creator_hub.money.billing_pages",
    "creator_hub.insights.api",
    "creator_hub.insights.statistics_api",
    "creator_hub.moderation.api",
    "creator_hub.moderation.pages",
    "creator_hub.promises.api",
    "creator_hub.promises.pages",
    "creator_hub.web.home",
    "creator_hub.web.dashboard",
    "creator_hub.web.join",
    "creator_hub.web.openapi",
)


def create_app(config: Settings | None = None) -> Flask:
    """Build the web application from the environment, or from the settings given."""
    config = config or Settings.from_env()
    wire(config)
    app = Flask("creator_hub", static_folder=None)
    app.config.update(SECRET_KEY=config.secret_key, MAX_CONTENT_LENGTH=MAX_BODY_BYTES)
    app.jinja_loader = ChoiceLoader([FileSystemLoader(folder) for folder in _template_folders()])
    app.jinja_env.undefined = StrictUndefined
    for module in ROOM_MODULES:
        importlib.import_module(module)
    shell.install(app)
    problems.install(app)
    health.install(app)
    binding.bind(app)
    live = LiveEdge(app, config.socket_edge, config.redis_url, shell.process_id, problems.as_hub_error)
    app.extensions["hub_live"] = live
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=shell.STATIC,
        prefix="static/",
        immutable_file_test=lambda path, url: True,
        max_age=31536000,
    )
    app.wsgi_app = SafeAnswers(app.wsgi_app, config)  # type: ignore[method-assign]
    if config.trusted_proxies:
        # The n-th address from the right is the one our outermost proxy saw; what stands left of it anybody may write.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=config.trusted_proxies, x_proto=config.trusted_proxies
        )
    return app


def _template_folders() -> list[Path]:
    """Each room keeps its own pages in templates/<room>/; the shell's lie in web/templates/."""
    return sorted(Path(__file__).parent.glob("*/templates"))


def wire(config: Settings) -> None:
    """Point this process at its settings, database and Redis: web, workers and command line alike."""
    settings.use(config)
    logs.configure()
    db.configure(config.database_url, clock_moves=not config.is_production)
    hints.configure(config.redis_url)
    limits.configure(config.redis_url)
