"""The HTTP server: Stripe's API under /v1, the hosted pages, and the control plane. Loopback only.

One request is one transaction under the store's lock: what was answered is on disk, what failed left nothing, except
a declined charge, which is a fact.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from creator_hub.settings import SANDBOX_CONNECT_WEBHOOK_SECRET, SANDBOX_SECRET_KEY, SANDBOX_WEBHOOK_SECRET
from creator_hub.stripe_sandbox import control
from creator_hub.stripe_sandbox.billing import DAY
from creator_hub.stripe_sandbox.clock import Clock
from creator_hub.stripe_sandbox.errors import ApiError, unreadable, wrong_key
from creator_hub.stripe_sandbox.forms import check, parse
from creator_hub.stripe_sandbox.hosted import pages
from creator_hub.stripe_sandbox.render import Preview, page_of, rendered
from creator_hub.stripe_sandbox.resources import (  # noqa: F401 - importing a noun registers its routes and timers
    admin,
    application_fees,
    balance,
    charges,
    coupons,
    customers,
    disputes,
    fraud_warnings,
    invoice_routes,
    methods,
    pauses,
    payment_intents,
    previews,
    promotion_codes,
    refunds,
    renewals,
    schedule_routes,
    subscription_routes,
    tax_rates,
    transfers,
)
from creator_hub.stripe_sandbox.resources.connect import reachable
from creator_hub.stripe_sandbox.resources.payouts import next_midnight
from creator_hub.stripe_sandbox.routes import ROUTES, Page, Route
from creator_hub.stripe_sandbox.scope import PLATFORM, Scope, new_id
from creator_hub.stripe_sandbox.store import Obj, Store
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
        literal_first = sorted(ROUTES, key=lambda route: route.path.count("{"))
        self._routes = [(route, _pattern(route.path)) for route in literal_first]
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
                self._scope.add(admin.make_endpoint(self._scope, identifier, url, ["*"], secret, is_connect))

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
            response = _json({"error": error.error}, error.status)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            response = _json({"error": {"type": "api_error", "message": "The sandbox failed; see its log."}}, 500)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        scope = replace(self._scope, base_url=request.host_url.rstrip("/"), request_id=new_id("req", 14))
        if request.path.startswith("/v1/"):
            return self._api(request, scope)
        if request.path.startswith("/_control/"):
            return self._control(request, scope)
        with self.store.transaction():
            return pages.handle(scope, request)

    def _control(self, request: Request, scope: Scope) -> Response:
        # A page in a browser cannot send JSON across origins unasked, nor name this host by another name.
        if request.host.rsplit(":", 1)[0] not in LOOPBACK:
            raise ApiError(403, "invalid_request_error", "The control plane answers on loopback only.")
        if request.method == "GET":
            with self.store.lock:
                if request.path == "/_control/health":
                    return _json({"ok": True, "now": scope.now})
                if request.path == "/_control/webhooks":
                    return _json(control.webhook_state(scope))
            raise ApiError(404, "invalid_request_error", f"The control plane has no {request.path}.")
        if request.method != "POST" or request.mimetype != "application/json":
            raise ApiError(415, "invalid_request_error", "The control plane takes POST with application/json.")
        try:
            body = json.loads(request.get_data() or b"{}")
        except ValueError:
            raise ApiError(400, "invalid_request_error", "The body is not JSON.") from None
        with self.store.transaction():
            return _json(control.run(scope, request.path, body))

    def _api(self, request: Request, scope: Scope) -> Response:
        _authenticate(request)
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        scope = replace(scope, account=request.headers.get("Stripe-Account", PLATFORM), idempotency_key=key)
        route, identifiers = self._match(request)
        raw = (
            request.query_string.decode()
            if request.method == "GET"
            else (request.get_data(as_text=True) or request.query_string.decode())
        )
        with self.store.lock:
            self._check_account(scope)
            print_of_request = f"{request.method} {request.path} {json.dumps(sorted(parse(raw).items()))}"
            if key and (earlier := self._replayed(scope, key, print_of_request)):
                return earlier
            status, body = self._run(scope, route, identifiers, raw, request.path, print_of_request)
        return _text(body, status, scope, key)

    def _run(
        self,
        scope: Scope,
        route: Route,
        identifiers: list[str],
        raw: str,
        url: str,
        asked: str,
    ) -> tuple[int, str]:
        """Work and the reply kept for its idempotency key are one transaction: a kill between them cannot repeat it."""
        params = check(parse(raw), route.spec)
        try:
            with self.store.transaction(), self._moment(scope, params, identifiers):
                try:
                    answer = self._work(scope, route, identifiers, params, url)
                except ApiError as error:
                    if error.keep:
                        self._keep(scope, asked, error.status, json.dumps({"error": error.error}))
                    raise
                body = json.dumps(answer)
                self._keep(scope, asked, 200, body)
                return 200, body
        except _Unsaved as preview:
            return 200, json.dumps(preview.answer)
        except ApiError as error:
            if error.validation:
                raise
            body = json.dumps({"error": error.error})
            if not error.keep:
                with self.store.transaction():
                    self._keep(scope, asked, error.status, body)
            return error.status, body

    def _work(self, scope: Scope, route: Route, identifiers: list[str], params: Obj, url: str) -> Obj:
        made: Any = route.handler(scope, dict(params), *identifiers)
        if isinstance(made, Page):
            return page_of(scope, made, params, url)
        answer = rendered(scope, made, params.get("expand", []))
        if isinstance(made, Preview):
            raise _Unsaved(answer)
        return answer

    def _keep(self, scope: Scope, asked: str, status: int, body: str) -> None:
        if scope.idempotency_key:
            self.store.keep_reply(scope.account, scope.idempotency_key, asked, status, body, scope.now)

    def _moment(self, scope: Scope, params: Obj, identifiers: list[str]) -> AbstractContextManager[None]:
        """A request about a customer on a test clock happens at that clock's frozen time."""
        names = [*identifiers, params.get("customer"), params.get("subscription"), params.get("test_clock")]
        for name in filter(None, names):
            found = self.store.load_by_id(scope.account, name) or {}
            clock = found["id"] if found.get("object") == "test_helpers.test_clock" else found.get("test_clock")
            frozen = scope.find("test_helpers.test_clock", clock)
            if frozen:
                return scope.clock.at(frozen["frozen_time"])
        return nullcontext()

    def _match(self, request: Request) -> tuple[Route, list[str]]:
        for route, pattern in self._routes:
            if route.method == request.method and (found := pattern.fullmatch(request.path)):
                return route, list(found.groups())
        raise ApiError(
            404,
            "invalid_request_error",
            f"Unrecognized request URL ({request.method}: {request.path}). "
            "The sandbox carries a part of Stripe's API; its README lists it.",
        )

    def _check_account(self, scope: Scope) -> None:
        if scope.account:
            reachable(scope, scope.account)

    def _replayed(self, scope: Scope, key: str, request: str) -> Response | None:
        with self.store.transaction():
            self.store.forget_replies(scope.now - DAY)
            earlier = self.store.reply(scope.account, key)
        if earlier is None:
            return None
        if earlier[0] != request:
            raise ApiError(
                400,
                "idempotency_error",
                "Keys for idempotent requests can only be used with the same "
                f"parameters they were first used with. Try using a key other than '{key}' if you meant to "
                "execute a different request.",
                validation=True,
            )
        response = _text(earlier[2], earlier[1], scope, key)
        response.headers["Idempotent-Replayed"] = "true"
        return response


class _Unsaved(Exception):
    """Carries a preview's answer out of a transaction that is rolled back."""

    def __init__(self, answer: Obj) -> None:
        super().__init__("preview")
        self.answer = answer


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", r"([^/]+)", path))


def _authenticate(request: Request) -> None:
    header = request.headers.get("Authorization", "")
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            value = base64.b64decode(value).decode().partition(":")[0]
        except ValueError:
            raise unreadable("The Authorization header is not readable.") from None
    if not value:
        raise ApiError(
            401,
            "invalid_request_error",
            "You did not provide an API key. You need to provide your API "
            "key in the Authorization header, using Bearer auth.",
            validation=True,
        )
    if value != SANDBOX_SECRET_KEY:
        raise wrong_key(value)


def _json(body: Obj, status: int = 200) -> Response:
    return Response(json.dumps(body), status, mimetype="application/json")


def _text(body: str, status: int, scope: Scope, key: str | None) -> Response:
    response = Response(body, status, mimetype="application/json")
    response.headers["Request-Id"] = scope.request_id or ""
    if key:
        response.headers["Idempotency-Key"] = key
    return response


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
