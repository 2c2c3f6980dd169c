"""The HTTP server: Stripe's API under /v1, the hosted pages, and the control plane. Loopback only.

One request is one transaction under the store's lock: what was answered is on disk, what failed left nothing, except
a declined charge, which is a fact.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from creator_hub.settings import SANDBOX_CONNECT_WEBHOOK_SECRET, SANDBOX_WEBHOOK_SECRET
from creator_hub.stripe_sandbox import control
from creator_hub.stripe_sandbox.api import Api, json_answer
from creator_hub.stripe_sandbox.clock import Clock
from creator_hub.stripe_sandbox.errors import ApiError
from creator_hub.stripe_sandbox.hosted import console, pages
from creator_hub.stripe_sandbox.resources.payouts import next_midnight
from creator_hub.stripe_sandbox.resources.webhook_endpoints import make_endpoint
from creator_hub.stripe_sandbox.scope import PLATFORM, Scope, new_id
from creator_hub.stripe_sandbox.store import Store
from creator_hub.stripe_sandbox.timers import run_due
from creator_hub.stripe_sandbox.webhooks import Deliveries

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)
MAX_BODY = 1_000_000
TICK = 0.25
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True)
class Options:
    """How one sandbox is set up; the folder is None for one that forgets everything."""

    folder: Path | None = None
    webhook_url: str | None = None
    connect_webhook_url: str | None = None
    settlement_days: int = 0


class Sandbox:
    """The WSGI application with its store, its clock and its two background threads."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.store = Store(options.folder)
        self._scope = Scope(self.store, Clock(self.store), settlement_days=options.settlement_days)
        self._deliveries = Deliveries(self.store)
        self._stop = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="timers", daemon=True)
        self._api = Api(self.store)
        with self.store.transaction():
            self._register_endpoints()
            self.store.set_timer("payouts:daily", next_midnight(self._scope.now), "payouts", PLATFORM, "daily")

    def start(self) -> None:
        self._deliveries.start()
        self._ticker.start()

    def close(self) -> None:
        self._stop.set()
        self._ticker.join(timeout=2)
        self._deliveries.stop()
        self.store.close()

    def _register_endpoints(self) -> None:
        wanted = (
            ("we_platform", self._options.webhook_url, SANDBOX_WEBHOOK_SECRET, False),
            ("we_connect", self._options.connect_webhook_url, SANDBOX_CONNECT_WEBHOOK_SECRET, True),
        )
        for identifier, url, secret, is_connect in wanted:
            self.store.delete(PLATFORM, "webhook_endpoint", identifier)
            if url:
                self._scope.add(make_endpoint(self._scope, identifier, url, ["*"], secret, is_connect))

    def _tick(self) -> None:
        """What falls due as real time passes."""
        while not self._stop.wait(TICK):
            try:
                with self.store.transaction():
                    run_due(self._scope, self._scope.now)
            except Exception:
                log.exception("a timer failed; it runs again")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = MAX_BODY
        try:
            response = self._answer(request)
        except ApiError as error:
            response = json_answer({"error": error.error}, error.status)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            response = json_answer({"error": {"type": "api_error", "message": "The sandbox failed; see its log."}}, 500)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        scope = replace(self._scope, base_url=request.host_url.rstrip("/"), request_id=new_id("req", 14))
        if request.path.startswith("/v1/"):
            return self._api.answer(request, scope)
        if request.path.startswith("/_control/"):
            return self._control(request, scope)
        if request.path.startswith(console.PATHS) or request.path == "/":
            _loopback_only(request)
        with self.store.transaction():
            return pages.handle(scope, request)

    def _control(self, request: Request, scope: Scope) -> Response:
        # A page in a browser cannot send JSON across origins unasked, nor name this host by another name.
        _loopback_only(request)
        if request.method == "GET":
            with self.store.lock:
                if request.path == "/_control/health":
                    return json_answer({"ok": True, "now": scope.now})
                if request.path == "/_control/webhooks":
                    return json_answer(control.webhook_state(scope))
            raise ApiError(404, "invalid_request_error", f"The control plane has no {request.path}.")
        if request.method != "POST" or request.mimetype != "application/json":
            raise ApiError(415, "invalid_request_error", "The control plane takes POST with application/json.")
        try:
            body = json.loads(request.get_data() or b"{}")
        except ValueError:
            raise ApiError(400, "invalid_request_error", "The body is not JSON.") from None
        with self.store.transaction():
            return json_answer(control.run(scope, request.path, body))


def _loopback_only(request: Request) -> None:
    """Refuse a browser that was led here under another name."""
    if request.host.rsplit(":", 1)[0] not in LOOPBACK:
        raise ApiError(403, "invalid_request_error", "The control plane answers on loopback only.")


class _Handler(WSGIRequestHandler):
    """Keep-alive without Nagle's delay, and a log only for what failed."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if str(code).startswith("5"):
            log.warning("%s %s", self.requestline, code)


def serve(sandbox: Sandbox, port: int) -> BaseWSGIServer:
    """A threaded server on 127.0.0.1; the caller runs `serve_forever`."""
    return make_server("127.0.0.1", port, sandbox, threaded=True, request_handler=_Handler)


def started(options: Options, port: int = 0) -> tuple[Sandbox, BaseWSGIServer]:
    """A running sandbox and its listening server (port 0: any free one)."""
    sandbox = Sandbox(options)
    server = serve(sandbox, port)
    sandbox.start()
    return sandbox, server


__all__ = ["Options", "Sandbox", "serve", "started"]
